"""Which steps are shown, in which words, and the command that shows the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homelab.ci.choice import Choice
from homelab.ci.logs import logs
from homelab.ci.logs_asked import LogLineRead, LogsRequest, LogsResult, Since
from homelab.ci.model import Pipeline, State
from homelab.ci.request import CiRequest
from homelab.errors import NothingThere, Unreachable, UsageError
from homelab.events import Event
from homelab.git.repository import open_repository
from homelab.outcome import Outcome
from tests.ci.fakes import OID, Checkout, pipeline, step, workflow
from tests.ci.runs import FakeRuns
from tests.fakes import FakeClock

OLD = 1_600_000_000
Ask = Callable[..., LogsResult]


@pytest.fixture
def ask(tmp_path: Path, clock: FakeClock, events: list[Event]) -> Ask:
    repository = open_repository(Checkout(tmp_path).root, {})

    def go(*servers: FakeRuns, timeout: float = 600, event: str = "push", **asked: Any) -> LogsResult:
        request = LogsRequest(CiRequest(OID, timeout=timeout, choice=Choice(event=event)), **asked)
        return logs(servers, request, repository=repository, clock=clock, emit=events.append)

    return go


def shown(events: list[Event]) -> list[str]:
    return [event.sentence() for event in events if isinstance(event, LogLineRead)]


def said(events: list[Event]) -> list[str]:
    return [f"{event.subject}: {event.sentence()}" for event in events if not isinstance(event, LogLineRead)]


def run(lint: State = State.SUCCESS, test: State = State.SUCCESS, state: State | None = None) -> Pipeline:
    steps = (step("lint", lint, id=1, finished=OLD), step("test", test, id=2, finished=OLD))
    return pipeline(3, state or test, workflows=(workflow("build", test, *steps, finished=OLD),))


def made(*args: State, **more: State) -> FakeRuns:
    ci = FakeRuns(run(*args, **more))
    ci.logs = {1: ["a", "b"], 2: ["c", "d", "e"]}
    return ci


def test_several_steps_are_told_apart_and_one_is_not_named(ask: Ask, events: list[Event]) -> None:
    both = ask(made())
    assert shown(events) == [f"build/lint | {x}" for x in "ab"] + [f"build/test | {x}" for x in "cde"]
    assert both.headline == "5 lines of build/lint, build/test"

    events.clear()
    assert ask(made(), step="lint").headline == "2 lines of build/lint"
    assert shown(events) == ["a", "b"]


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ({"without": ("lint",)}, "cde"),
        ({"since_step": "test", "since": Since(1)}, "de"),
        ({"since": Since(1, "build/lint")}, "bcde"),
        ({"step": "build", "since_step": "lint"}, "abcde"),
    ],
)
def test_a_reading_begins_where_it_is_asked_to(
    ask: Ask, events: list[Event], asked: dict[str, Any], lines: str
) -> None:
    ask(made(), **asked)

    assert [line[-1] for line in shown(events)] == list(lines)


def test_a_line_of_no_one_step_is_refused_with_a_command_that_names_one(ask: Ask) -> None:
    with pytest.raises(UsageError) as caught:
        ask(made(), since=Since(2))
    assert caught.value.fix.endswith("--since-line build/lint:2")


def test_a_since_that_is_no_line_is_refused() -> None:
    assert (Since.read("12"), Since.read("a/b:3")) == (Since(12), Since(3, "a/b"))
    with pytest.raises(UsageError):
        Since.read("test:")


def test_a_server_without_a_log_keeps_no_other_from_being_shown(ask: Ask, events: list[Event]) -> None:
    ci = made()
    ci.refused[1] = NothingThere("forge has no log API", why="-", fix="open https://git.example.org/1")

    result = ask(ci)

    assert shown(events) == [f"build/test | {x}" for x in "cde"]
    assert said(events) == ["build/lint: forge has no log API; open https://git.example.org/1"]
    assert result.outcome is Outcome.DONE


def test_no_log_of_any_step_is_an_error(ask: Ask) -> None:
    ci = made()
    ci.refused = dict.fromkeys((1, 2), NothingThere("forge has no log API", why="-", fix="open page"))

    with pytest.raises(NothingThere, match="no log API"):
        ask(ci)


def test_the_command_that_goes_on_begins_at_the_step_and_line(ask: Ask, events: list[Event]) -> None:
    result = ask(made(State.SUCCESS, State.RUNNING), follow=True, timeout=30)

    assert result.outcome is Outcome.PENDING
    assert result.next == (
        f"homelab ci logs {OID} --follow --since-step build/test --since-line 3".replace(OID, OID[:12]),
    )


def test_what_was_shown_out_of_order_is_left_out_by_name(ask: Ask) -> None:
    ci = made(State.PENDING, State.SUCCESS, state=State.RUNNING)

    result = ask(ci, follow=True, timeout=30)

    assert result.next == (f"homelab ci logs {OID[:12]} --follow --except build/test",)


def test_a_step_that_is_not_there_ends_the_following_with_the_run(ask: Ask) -> None:
    with pytest.raises(NothingThere, match="no step 'nope'"):
        ask(made(), step="nope", follow=True)


def test_a_run_that_never_comes_ends_the_following(ask: Ask, clock: FakeClock, events: list[Event]) -> None:
    with pytest.raises(NothingThere, match="no step"):
        ask(FakeRuns(), follow=True)
    assert 90 <= clock.elapsed < 100
    assert said(events) == ["ci: no run yet", *said(events)[1:]]


def test_a_blocked_run_is_said_once(ask: Ask, events: list[Event]) -> None:
    ask(made(State.BLOCKED, State.BLOCKED), follow=True, timeout=20)

    assert said(events) == ["ci: #3 waits for approval: https://ci.example.org/repos/7/pipeline/3"]


def test_an_interrupt_names_the_command_that_goes_on(ask: Ask, clock: FakeClock, events: list[Event]) -> None:
    ci = made(State.SUCCESS, State.RUNNING)

    def press(_question: str) -> None:
        if clock.elapsed > 10:
            raise KeyboardInterrupt

    ci.before = press
    with pytest.raises(KeyboardInterrupt):
        ask(ci, follow=True)

    assert said(events)[-1] == f"ci: go on: homelab ci logs {OID[:12]} --follow --since-step build/test --since-line 3"


def test_a_server_away_for_long_ends_with_the_command_that_goes_on(ask: Ask, clock: FakeClock) -> None:
    ci = made(State.SUCCESS, State.RUNNING)

    def away(_question: str) -> None:
        if clock.elapsed > 10:
            raise Unreachable("no answer", why="-", fix="-")

    ci.before = away
    with pytest.raises(Unreachable) as caught:
        ask(ci, follow=True)

    assert clock.elapsed > 300
    assert caught.value.details[-1].startswith("go on: homelab ci logs")


def test_steps_of_several_runs_are_named_with_their_run(ask: Ask, events: list[Event]) -> None:
    nightly = pipeline(4, State.RUNNING, event="cron", source="nightly", workflows=run(test=State.RUNNING).workflows)
    ci = FakeRuns(run(), nightly)
    ci.logs = {1: ["a"], 2: ["c"]}

    result = ask(ci, follow=True, timeout=30, event="any")

    assert shown(events) == [f"#4/build/{x}" for x in ("lint | a", "test | c")]
    assert result.next[0].endswith("--follow --since-step '#4/build/test' --since-line 1")


def test_a_log_that_could_not_be_read_in_time_is_not_done(ask: Ask, clock: FakeClock) -> None:
    ci = made()

    def freeze(question: str) -> None:
        if question == "log" and ci.asked.count("log") > 1:
            clock.sleep(ci.budget or 60)
            raise Unreachable("no answer", why="frozen", fix="-")

    ci.before = freeze
    result = ask(ci, timeout=30)

    assert result.outcome is Outcome.PENDING
    assert result.next == (f"homelab ci logs {OID[:12]} --since-step build/test --since-line 0",)
    assert clock.elapsed <= 32
