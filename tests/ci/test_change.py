"""What changes runs: once, after a fresh look, and said truly when somebody or something comes between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from homelab.ci import change
from homelab.ci.change import ChangeResult, Looking
from homelab.ci.choice import Choice
from homelab.ci.model import State
from homelab.ci.request import CiRequest
from homelab.errors import HttpStatus, Unreachable
from homelab.git.repository import open_repository
from homelab.outcome import Outcome
from tests.ci.fakes import OID, Checkout, pipeline, status
from tests.ci.runs import FakeRuns
from tests.fakes import FakeClock

Look = Callable[..., Looking]


@pytest.fixture
def look(tmp_path: Path, clock: FakeClock) -> Look:
    repository = open_repository(Checkout(tmp_path).root, {})

    def at(ci: FakeRuns) -> Looking:
        return Looking([ci], CiRequest(OID, choice=Choice(event="any")), repository, clock)

    return at


def two(state: State) -> FakeRuns:
    return FakeRuns(pipeline(1, state), pipeline(2, state, event="cron", source="nightly"))


@pytest.mark.parametrize("decide", [change.approve, change.decline])
def test_a_run_that_somebody_decided_meanwhile_is_said_and_is_no_error(
    look: Look, decide: Callable[[Looking], ChangeResult]
) -> None:
    ci = two(State.BLOCKED)

    def raced(question: str) -> None:
        if question in {"approve", "decline"} and ci.asked.count(question) == 1:
            ci.runs[1] = pipeline(2, State.RUNNING, event="cron", source="nightly")
            raise status(500)

    ci.before = raced
    result = decide(look(ci))

    word = "approved" if decide is change.approve else "declined"
    assert (result.outcome, result.headline) == (Outcome.DONE, f"{word} #1; #2 was decided by someone else: running")


def test_a_decision_that_fails_on_a_run_still_blocked_is_an_error(look: Look) -> None:
    ci = two(State.BLOCKED)
    ci.lost = status(500)

    with pytest.raises(HttpStatus):
        change.approve(look(ci))


def test_a_failure_tells_what_was_changed_before_it(look: Look) -> None:
    ci = two(State.FAILURE)

    def break_second(question: str) -> None:
        if question == "restart" and ci.asked.count("restart") == 2:
            raise Unreachable("no answer", why="-", fix="-")

    ci.before = break_second
    with pytest.raises(Unreachable) as caught:
        change.restart(look(ci))
    assert caught.value.details == ("done before that: #2",)


def test_a_run_that_is_not_named_is_told_as_started(look: Look) -> None:
    ci = FakeRuns()
    ci.made = [pipeline(0, State.PENDING, title="ci.yml", url="https://git.example.org/o/r/actions")]

    result = change.trigger(ci, "main", {}, workflow="", flags=("--ci", "forge"))

    assert (result.outcome, result.headline) == (Outcome.DONE, "triggered ci.yml on main; the server names no run")
    assert result.next == ("homelab ci list --event manual --ci forge",)


def test_nothing_that_matched_is_7(look: Look) -> None:
    assert change.trigger(FakeRuns(), "main", {}, workflow="").outcome is Outcome.NOTHING
