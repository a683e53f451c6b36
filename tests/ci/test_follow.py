"""One step read to its end: lines once and in order, and an end to every wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from homelab.ci.endure import Endurance
from homelab.ci.follow import STRAGGLE, Following, Place
from homelab.ci.model import LogLine, Pipeline, State, Step
from homelab.errors import NothingThere, Unreachable
from homelab.events import Event
from tests.ci.fakes import pipeline, step, workflow
from tests.ci.runs import FakeRuns
from tests.fakes import FakeClock

NOW = 1_700_000_000


def run(state: State = State.RUNNING, run_state: State | None = None, **fields: object) -> Pipeline:
    one = step("test", state, id=31, **fields)
    return pipeline(1, run_state or state, workflows=(workflow("build", state, one),))


def place(made: Pipeline) -> Place:
    return Place(made, made.workflows[0], made.workflows[0].steps[0])


def follow(ci: FakeRuns, clock: FakeClock, *, deadline: float = 3600) -> tuple[Step | None, list[str]]:
    lines: list[LogLine] = []
    events: list[Event] = []
    endurance = Endurance(ci.name, clock=clock, emit=events.append)
    following = Following(
        ci,
        place(ci.runs[0]),
        first=0,
        clock=clock,
        emit=events.append,
        endurance=endurance,
        left=lambda: max(deadline - clock.elapsed, 0.0),
    )
    return following.follow(lines.append), [line.text for line in lines]


def test_a_step_that_never_begins_ends_with_its_run(clock: FakeClock) -> None:
    ci = FakeRuns(run(State.PENDING, State.KILLED))

    ended, lines = follow(ci, clock)

    assert (ended is not None, lines) == (True, [])
    assert clock.elapsed < 10


def test_a_step_whose_agent_is_gone_ends_a_while_after_its_run(clock: FakeClock) -> None:
    ci = FakeRuns(run(State.RUNNING, State.KILLED))
    ci.logs[31] = ["one"]

    ended, lines = follow(ci, clock)

    assert (ended is not None, lines) == (True, ["one"])
    assert STRAGGLE <= clock.elapsed < STRAGGLE + 15


def test_a_step_that_approval_replaced_is_let_go(clock: FakeClock) -> None:
    ci = FakeRuns(run(State.RUNNING))
    ci.before = lambda question: question == "run" and ci.runs.__setitem__(0, replace(ci.runs[0], workflows=()))

    assert follow(ci, clock)[0] is not None
    assert clock.elapsed < 20


def test_a_server_that_is_away_for_a_minute_ends_nothing(clock: FakeClock) -> None:
    ci = FakeRuns(run(State.RUNNING))

    def happen(_question: str) -> None:
        if 10 < clock.elapsed < 70:
            raise Unreachable("no answer", why="restarting", fix="-")
        ci.logs[31] = [f"line {n}" for n in range(int(clock.elapsed // 2))]
        if clock.elapsed > 80:
            ci.runs[0] = run(State.SUCCESS, finished=NOW + 80)

    ci.before = happen
    ended, lines = follow(ci, clock)

    assert ended is not None
    assert ended.state is State.SUCCESS
    assert lines == [f"line {n}" for n in range(len(lines))]
    assert len(lines) >= 40


def test_a_server_away_at_the_end_does_not_outlast_the_deadline(clock: FakeClock) -> None:
    ci = FakeRuns(run(State.SUCCESS, finished=NOW))

    def happen(_question: str) -> None:
        if clock.elapsed > 0.1:
            clock.sleep(ci.budget or 60)
            raise Unreachable("no answer", why="frozen", fix="-")

    ci.before = happen

    assert follow(ci, clock, deadline=20)[0] is None
    assert clock.elapsed <= 22


def test_lines_that_come_after_the_end_are_shown(clock: FakeClock) -> None:
    ci = FakeRuns(run(State.SUCCESS, finished=NOW))
    ci.before = lambda _question: ci.logs.__setitem__(31, ["a", "b", "c", "d"][: 1 + int(clock.elapsed * 2)])

    assert follow(ci, clock)[1] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("state", [State.SKIPPED, State.KILLED])
def test_a_step_that_never_ran_costs_no_time(clock: FakeClock, state: State) -> None:
    follow(FakeRuns(run(state, State.KILLED, started=0)), clock)

    assert clock.elapsed == 0


def test_a_step_that_ended_long_ago_is_read_once(clock: FakeClock) -> None:
    ci = FakeRuns(run(State.SUCCESS, finished=NOW - 3600))
    ci.logs[31] = ["one"]

    assert follow(ci, clock)[1] == ["one"]
    assert (ci.asked.count("log"), clock.elapsed) == (1, 0)


def test_a_server_without_logs_says_so_through_the_following(clock: FakeClock) -> None:
    ci = FakeRuns(run(State.SUCCESS))
    ci.refused[31] = NothingThere("no log", why="-", fix="open page")

    with pytest.raises(NothingThere, match="no log"):
        follow(ci, clock)


class Held:
    """A live log whose lines a proxy holds back for ever."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[LogLine]:
        self.closed.wait(10)
        yield from ()

    def close(self) -> None:
        self.closed.set()


def test_a_stream_that_a_proxy_holds_back_is_read_from_the_stored_log(clock: FakeClock) -> None:
    ci = FakeRuns(run(State.RUNNING))
    held = Held()
    ci.streams[31] = held
    seen: dict[float, int] = {}

    def happen(question: str) -> None:
        ci.logs[31] = [f"line {n}" for n in range(int(clock.elapsed))]
        if question == "log":
            seen[clock.elapsed] = len(ci.logs[31])
        if clock.elapsed > 30:
            ci.runs[0] = run(State.SUCCESS, finished=NOW + 30)

    ci.before = happen
    _, lines = follow(ci, clock)

    assert lines == [f"line {n}" for n in range(len(lines))]
    readings = [moment for moment in seen if moment < 30]
    assert 5 <= readings[0] < 8
    assert len(readings) > 10
    assert held.closed.is_set()


def test_the_deadline_ends_a_step_that_goes_on(clock: FakeClock) -> None:
    assert follow(FakeRuns(run(State.RUNNING)), clock, deadline=30) == (None, [])
    assert clock.elapsed == 30
