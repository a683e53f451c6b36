"""Every state, event and trap of Woodpecker and each word of Actions, one row each."""

from __future__ import annotations

import random
from typing import Any

import pytest

from homelab.ci.actions import translate
from homelab.ci.choice import Choice, choose
from homelab.ci.model import Pipeline, State
from homelab.ci.request import EVENTS as REQUESTED
from homelab.ci.request import CiRequest
from homelab.ci.verdict import Quiet, Stand, judge
from homelab.ci.watch import watch
from homelab.ci.woodpecker.client import Woodpecker
from homelab.git.repository import open_repository
from homelab.outcome import Outcome
from tests.ci.fakes import OID, Checkout, FakeWoodpecker, pipeline, step, workflow
from tests.ci.traps import TRAPS, Stage, Trap
from tests.fakes import FakeClock

S = State
STAMP = "2026-01-02T03:05:17Z"


def failed_and_killed() -> tuple[Any, ...]:
    return (workflow("lint", S.FAILURE, step("ruff", S.FAILURE, 1)), workflow("build", S.KILLED))


ROWS: list[tuple[str, list[Pipeline], Outcome, Stand, bool]] = [
    ("created", [pipeline(state=S.CREATED)], Outcome.PENDING, Stand.WAITING, False),
    ("pending", [pipeline(state=S.PENDING)], Outcome.PENDING, Stand.WAITING, False),
    ("pending without workflows", [pipeline(state=S.PENDING, workflows=())], Outcome.PENDING, Stand.WAITING, False),
    ("running", [pipeline(state=S.RUNNING)], Outcome.PENDING, Stand.WAITING, False),
    ("blocked", [pipeline(state=S.BLOCKED)], Outcome.PERSON, Stand.BLOCKED, True),
    ("success", [pipeline()], Outcome.DONE, Stand.GREEN, True),
    ("failure", [pipeline(state=S.FAILURE)], Outcome.RED, Stand.RED, True),
    ("error without workflows", [pipeline(state=S.ERROR, workflows=())], Outcome.RED, Stand.RED, True),
    ("killed", [pipeline(state=S.KILLED)], Outcome.SUPERSEDED, Stand.CANCELLED, True),
    ("canceled before anything ran", [pipeline(state=S.CANCELED)], Outcome.SUPERSEDED, Stand.CANCELLED, True),
    (
        "declined, with finished still 0",
        [pipeline(state=S.DECLINED, finished=0, workflows=())],
        Outcome.RED,
        Stand.DECLINED,
        True,
    ),
    ("every workflow skipped", [pipeline(state=S.SKIPPED)], Outcome.NOTHING, Stand.SKIPPED, True),
    (
        "killed for a newer run",
        [pipeline(state=S.KILLED, superseded_by=15)],
        Outcome.SUPERSEDED,
        Stand.SUPERSEDED,
        True,
    ),
    (
        "killed by a failing step",
        [pipeline(state=S.KILLED, killed_by_step="test")],
        Outcome.RED,
        Stand.RED,
        True,
    ),
    (
        "killed hides another workflow's failure",
        [pipeline(state=S.KILLED, workflows=failed_and_killed())],
        Outcome.RED,
        Stand.RED,
        True,
    ),
    (
        "superseded hides a failure",
        [pipeline(state=S.KILLED, superseded_by=15, workflows=failed_and_killed())],
        Outcome.RED,
        Stand.RED,
        True,
    ),
    (
        "a step whose failure is ignored, in a green run",
        [pipeline(workflows=(workflow("build", S.SUCCESS, step("flaky", S.FAILURE, 1), step("test", S.SUCCESS)),))],
        Outcome.DONE,
        Stand.GREEN,
        True,
    ),
    (
        "a skipped workflow beside a green one",
        [pipeline(workflows=(workflow("build", S.SUCCESS), workflow("deploy", S.SKIPPED)))],
        Outcome.DONE,
        Stand.GREEN,
        True,
    ),
    (
        "killed steps in a workflow skipped by its dependency",
        [pipeline(workflows=(workflow("build", S.SUCCESS), workflow("x", S.SKIPPED, step("a", S.KILLED, started=0))))],
        Outcome.DONE,
        Stand.GREEN,
        True,
    ),
    (
        "success above a failed workflow",
        [pipeline(workflows=(workflow("build", S.FAILURE),))],
        Outcome.RED,
        Stand.RED,
        True,
    ),
    (
        "a restart that nothing matched, pending without workflows",
        [pipeline(state=S.PENDING, parent=3, workflows=())],
        Outcome.PENDING,
        Stand.WAITING,
        False,
    ),
    (
        "a state nobody knows, still going",
        [pipeline(state=S.UNKNOWN, said="warming", finished=0)],
        Outcome.PENDING,
        Stand.WAITING,
        False,
    ),
    (
        "a state nobody knows, ended",
        [pipeline(state=S.UNKNOWN, said="warm", finished=9)],
        Outcome.PERSON,
        Stand.UNKNOWN,
        True,
    ),
    (
        "a workflow in a state nobody knows, in a run called success",
        [pipeline(workflows=(workflow("build", S.UNKNOWN),))],
        Outcome.PERSON,
        Stand.UNKNOWN,
        True,
    ),
    ("one green, one running", [pipeline(1), pipeline(2, S.RUNNING)], Outcome.PENDING, Stand.WAITING, False),
    ("one red, one running", [pipeline(1, S.FAILURE), pipeline(2, S.RUNNING)], Outcome.PENDING, Stand.WAITING, False),
    ("one red, one green", [pipeline(1, S.FAILURE), pipeline(2)], Outcome.RED, Stand.RED, True),
    ("one blocked, one running", [pipeline(1, S.BLOCKED), pipeline(2, S.RUNNING)], Outcome.PERSON, Stand.BLOCKED, True),
    ("one blocked, one red", [pipeline(1, S.BLOCKED), pipeline(2, S.FAILURE)], Outcome.RED, Stand.RED, True),
    ("one blocked, one green", [pipeline(1, S.BLOCKED), pipeline(2)], Outcome.PERSON, Stand.BLOCKED, True),
    ("one cancelled, one green", [pipeline(1, S.KILLED), pipeline(2)], Outcome.SUPERSEDED, Stand.CANCELLED, True),
    ("one skipped, one green", [pipeline(1, S.SKIPPED), pipeline(2)], Outcome.DONE, Stand.GREEN, True),
    ("none", [], Outcome.PENDING, Stand.WAITING, False),
]


@pytest.mark.parametrize(("runs", "outcome", "stand", "final"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_state_has_its_one_answer(*, runs: list[Pipeline], outcome: Outcome, stand: Stand, final: bool) -> None:
    verdict = judge(runs, quiet=Quiet(states=60.0))

    assert (outcome, stand, final) == (verdict.outcome, verdict.stand, verdict.final)


EVENTS = [event for event in REQUESTED if event != "any"]


@pytest.mark.parametrize("event", EVENTS)
def test_a_run_counts_for_the_event_that_made_it_and_for_no_other(event: str) -> None:
    made, other = pipeline(1, event=event), pipeline(2, S.FAILURE, event="push" if event != "push" else "cron")

    verdict = judge(choose([made, other], Choice(event=event)), quiet=Quiet())

    assert (verdict.outcome, [run.number for run in verdict.because]) == (Outcome.DONE, [1])
    assert judge(choose([made, other], Choice(event="any")), quiet=Quiet()).outcome is Outcome.RED


@pytest.mark.parametrize("trap", TRAPS, ids=[trap.name for trap in TRAPS])
def test_no_trap_of_the_server_changes_the_answer(
    trap: Trap, server: FakeWoodpecker, ci: Woodpecker, checkout: Checkout, clock: FakeClock
) -> None:
    stage = Stage(server, checkout, checkout.first)
    left = list(trap.script)

    def play(_path: str) -> None:
        while left and clock.elapsed >= left[0][0]:
            left.pop(0)[1](stage)

    play("")
    server.before = play
    request = CiRequest(oid=stage.oid, choice=trap.choice, **trap.asked)

    result = watch(ci, request, repository=open_repository(checkout.root, {}), clock=clock, emit=lambda _: None)

    said = " ".join((result.headline, *result.reasons, *(one.title() for one in result.failures)))
    assert (trap.outcome, True) == (result.outcome, trap.says in said), said
    assert trap.within[0] <= clock.elapsed <= trap.within[1]
    assert not left


#: Gitea's status and conclusion, Forgejo's status (gitea services/convert/action.go, forgejo likewise).
ACTIONS = [
    ("waiting", {"status": "queued"}, "waiting", Stand.WAITING),
    ("blocked", {"status": "waiting"}, "blocked", Stand.WAITING),
    ("running", {"status": "in_progress"}, "running", Stand.WAITING),
    ("success", {"status": "completed", "conclusion": "success"}, "success", Stand.GREEN),
    ("failure", {"status": "completed", "conclusion": "failure"}, "failure", Stand.RED),
    ("cancelled", {"status": "completed", "conclusion": "cancelled"}, "cancelled", Stand.CANCELLED),
    ("skipped", {"status": "completed", "conclusion": "skipped"}, "skipped", Stand.SKIPPED),
    ("unknown and over", {"status": "", "completed_at": STAMP}, "unknown", Stand.UNKNOWN),
    ("a cancelling of tomorrow", {"status": "cancelling"}, "cancelling", Stand.WAITING),
]


@pytest.mark.parametrize(("gitea", "forgejo", "stand"), [row[1:] for row in ACTIONS], ids=[row[0] for row in ACTIONS])
def test_each_word_of_actions_has_its_one_answer(gitea: dict[str, Any], forgejo: str, stand: Stand) -> None:
    over = {"stopped": STAMP} if stand is not Stand.WAITING else {}
    runs = [
        translate.run({"id": 7, "run_number": 3, "head_sha": OID, **gitea}, web="w", server="s"),
        translate.run({"id": 7, "index_in_repo": 3, "commit_sha": OID, "status": forgejo, **over}, web="w", server="s"),
    ]

    assert [stand, stand] == [judge([run], quiet=Quiet()).stand for run in runs]


def test_only_green_is_zero() -> None:
    assert {Stand.GREEN} == {verdict.stand for row in ROWS if (verdict := judge(row[1], quiet=Quiet())).outcome == 0}


def test_a_run_stuck_in_created_is_stranded_after_three_minutes() -> None:
    assert Stand.WAITING is judge([pipeline(state=S.CREATED)], quiet=Quiet(states=179)).stand
    assert Stand.STRANDED is judge([pipeline(state=S.CREATED)], quiet=Quiet(states=181)).stand


def test_a_killed_run_is_judged_again_until_its_agents_have_reported() -> None:
    killed = pipeline(state=S.KILLED, workflows=(workflow("build", S.RUNNING),))

    assert Stand.WAITING is judge([killed], quiet=Quiet(states=3)).stand
    assert Stand.CANCELLED is judge([killed], quiet=Quiet(states=31)).stand
    assert Stand.WAITING is judge([pipeline(state=S.KILLED)], quiet=Quiet(states=0.5)).stand


def test_a_green_set_is_not_final_before_it_stayed_the_same_for_the_settle_window() -> None:
    assert not judge([pipeline()], quiet=Quiet(members=4.9), settle=5).final
    assert judge([pipeline()], quiet=Quiet(members=5), settle=5).final


def test_fail_fast_does_not_wait_for_siblings_nor_for_the_rest_of_a_broken_run() -> None:
    broken = pipeline(2, S.RUNNING, workflows=(workflow("lint", S.FAILURE), workflow("build", S.RUNNING)))

    assert Stand.WAITING is judge([pipeline(1, S.FAILURE), pipeline(2, S.RUNNING)], quiet=Quiet()).stand
    assert tuple(run.number for run in judge([pipeline(1), broken], quiet=Quiet(), fail_fast=True).because) == (2,)
    assert judge([pipeline(1, S.FAILURE), pipeline(2, S.RUNNING)], quiet=Quiet(), fail_fast=True).final


def test_fail_fast_does_not_take_a_run_that_still_goes_for_a_broken_one() -> None:
    verdict = judge([pipeline(1), pipeline(2, S.RUNNING)], quiet=Quiet(), fail_fast=True)

    assert (verdict.stand, verdict.final) == (Stand.WAITING, False)


def test_waiting_for_approval_keeps_a_blocked_run_from_ending_the_watch() -> None:
    verdict = judge([pipeline(state=S.BLOCKED)], quiet=Quiet(), wait_approval=True)

    assert (verdict.stand, verdict.final) == (Stand.BLOCKED, False)


def made_up(seed: random.Random) -> Pipeline:
    flows = tuple(workflow(f"w{n}", seed.choice(list(State))) for n in range(seed.randrange(3)))
    return pipeline(seed.randrange(99), seed.choice(list(State)), workflows=flows, finished=seed.choice((0, 9)))


def test_nothing_but_green_runs_makes_green_whatever_is_made_up() -> None:
    number = random.randrange(10**9)
    print("seed", number)  # noqa: T201 -- what a failure is repeated with
    seed = random.Random(number)
    for _ in range(3000):
        runs = [made_up(seed) for _ in range(seed.randrange(4))]
        quiet = Quiet(members=seed.choice((0.0, 5.0, 500.0)), states=seed.choice((0.0, 5.0, 500.0)))
        verdict = judge(runs, quiet=quiet, settle=3, fail_fast=seed.random() < 0.5, wait_approval=seed.random() < 0.5)
        if verdict.outcome is Outcome.DONE:
            states = {run.state for run in runs}
            flows = {flow.state for run in runs for flow in run.workflows}
            assert State.SUCCESS in states
            assert states <= {State.SUCCESS, State.SKIPPED}
            assert flows <= {State.SUCCESS, State.SKIPPED}


def test_a_red_run_is_never_hidden_by_its_siblings_once_all_have_ended() -> None:
    number = random.randrange(10**9)
    print("seed", number)  # noqa: T201 -- what a failure is repeated with
    seed = random.Random(number)
    ended = [state for state in State if state.finished]
    for _ in range(1000):
        runs = [pipeline(n, seed.choice(ended)) for n in range(seed.randrange(4))] + [pipeline(9, State.FAILURE)]
        assert judge(runs, quiet=Quiet()).outcome is Outcome.RED
