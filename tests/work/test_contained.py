"""After a land: what counts as its rollout when the target moved on before it was there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homelab.deploy.judgement import Proof, State
from homelab.deploy.request import DeployResult, TargetResult, folded
from homelab.events import Event
from homelab.outcome import Outcome
from homelab.work.contained import rollout, taken_back
from homelab.work.follow import Waits
from tests.work.site import Site

OID = "1" * 40
DONE = TargetResult(
    target="t/web",
    kind="deployment",
    cluster="lab",
    state=State.COMPLETE,
    outcome=Outcome.DONE,
    sentence="complete 2/2, proof: pods",
    reason="",
    proof=Proof.PODS,
    skipped=(),
    wanted=OID[:12],
    live={"web": "reg.example/t/web:222222222222"},
    revision="2",
    hint="",
    evidence=(),
)
NEWER = replace(
    DONE,
    state=State.SUPERSEDED,
    outcome=Outcome.SUPERSEDED,
    sentence="live is 222222222222, which contains 111111111111",
    reason="newer",
    hint="homelab deploy wait t/web --sha 111111111111 --newer-ok",
    evidence=("written 12s ago by kubectl", "next: homelab deploy wait t/web --sha 111111111111 --newer-ok"),
)


class Answers:
    """A wait that answers as told, and remembers whether newer commits were allowed."""

    def __init__(self, *answers: DeployResult) -> None:
        self.answers, self.asked = list(answers), list[bool]()

    def __call__(self, newer_ok: bool) -> DeployResult:
        self.asked.append(newer_ok)
        return self.answers.pop(0)


def test_a_newer_commit_that_holds_the_landed_one_is_waited_for_and_named(events: list[Event]) -> None:
    ask = Answers(folded((NEWER, DONE)), folded((DONE, DONE)))
    result = rollout(OID, ask, lambda _image: False, events.append)
    assert (result.outcome, result.headline) == (Outcome.DONE, "2/2 targets done; it holds 111111111111")
    assert result.record()["contained"] is True
    assert [event.sentence() for event in events] == [
        "1/2 targets done; t/web: live is 222222222222, which contains 111111111111; waiting for that"
    ]


def test_a_rollout_of_the_landed_commit_itself_is_asked_for_once(events: list[Event]) -> None:
    ask = Answers(folded((DONE,)))
    assert "contained" not in rollout(OID, ask, lambda _image: True, events.append).record()
    assert (ask.asked, events) == ([False], [])


@pytest.mark.parametrize("second", [Outcome.RED, Outcome.PENDING, Outcome.SUPERSEDED])
def test_a_newer_commit_that_does_not_get_there_is_what_it_is(second: Outcome, events: list[Event]) -> None:
    ask = Answers(folded((NEWER,)), folded((replace(DONE, outcome=second),)))
    result = rollout(OID, ask, lambda _image: False, events.append)
    assert (result.outcome, ask.asked) == (second, [False, True])


def test_a_template_that_moved_to_what_is_not_known_to_hold_it_stays_superseded(events: list[Event]) -> None:
    ask = Answers(folded((NEWER, replace(NEWER, reason="moved"))))
    assert rollout(OID, ask, lambda _image: False, events.append).outcome is Outcome.SUPERSEDED
    assert ask.asked == [False]


def test_a_newer_commit_that_takes_the_change_back_is_no_rollout_of_it(events: list[Event]) -> None:
    ask = Answers(folded((NEWER,)))
    result = rollout(OID, ask, lambda image: image == "reg.example/t/web:222222222222", events.append)
    assert result.outcome is Outcome.SUPERSEDED
    assert result.headline.endswith("which contains 111111111111 and takes it back")
    assert result.targets[0].hint == "homelab deploy status t/web"
    assert result.lines() == ["written 12s ago by kubectl"]
    assert ask.asked == [False]


def test_a_change_is_taken_back_where_all_it_touched_is_as_before(site: Site) -> None:
    was = site.git.text("rev-parse", "main")
    oid = site.git.text("rev-parse", "topic")
    site.commit("beside.txt")
    beside = site.git.text("rev-parse", "HEAD")
    site.git.text("revert", "--no-edit", oid)
    reverted = site.git.text("rev-parse", "HEAD")
    app = site.app()
    undone = taken_back(app.repository, app.git, oid, was)
    assert not undone(f"reg.example/t/web:{beside[:12]}")
    assert undone(f"reg.example/t/web:main-{reverted[:12]}-1700000000")
    assert not undone("reg.example/t/web:v1.2")
    assert not undone(f"reg.example/t/web:{'0123abcd' * 5}")
    assert not taken_back(app.repository, app.git, oid, "")(f"reg.example/t/web:{reverted}")


def test_the_last_line_says_that_what_runs_holds_the_landed_commit(site: Site) -> None:
    def deploy(_commit):
        ask = Answers(folded((NEWER,)), folded((DONE,)))
        return rollout(OID, ask, lambda _image: False, lambda _event: None)

    result = site.land(waits=Waits(ci=lambda _commit: None, deploy=deploy))
    assert (result.outcome, result.headline) == (Outcome.DONE, "main moved, and what runs holds it")


def test_the_waits_are_told_where_the_target_was(site: Site) -> None:
    was, told = site.tip(), []
    site.land(waits=Waits(ci=lambda commit: told.append(commit.was), deploy=lambda _commit: None))
    assert told == [was]
