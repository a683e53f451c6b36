"""A server that is away is two lines, however often it is asked."""

from __future__ import annotations

import pytest

from homelab.events import Event
from homelab.http.trouble import Trouble
from tests.fakes import FakeClock


@pytest.fixture
def trouble(clock: FakeClock, events: list[Event]) -> Trouble:
    return Trouble("Woodpecker", clock, events.append)


def told(events: list[Event]) -> list[str]:
    return [event.sentence() for event in events if not event.detail]


def test_a_long_absence_is_one_line_at_its_beginning_and_one_at_its_end(
    trouble: Trouble, clock: FakeClock, events: list[Event]
) -> None:
    trouble.over()
    for _ in range(40):
        trouble.failed("502 from a proxy")
        clock.sleep(1)
    trouble.over()
    trouble.over()

    assert told(events) == ["502 from a proxy; trying on", "answers again, after 40s"]


def test_a_failure_that_the_next_attempt_heals_is_no_line(trouble: Trouble, events: list[Event]) -> None:
    for _ in range(3):
        trouble.failed("502 from a proxy")
        trouble.over()

    assert told(events) == []
    assert [(event.detail, event.ended) for event in events] == [(True, True)] * 3


def test_a_budget_spent_in_silence_is_told_where_the_server_answered_before(
    trouble: Trouble, events: list[Event]
) -> None:
    trouble.given_up("no answer in time")
    first = told(events)
    trouble.over()
    trouble.given_up("no answer in time")

    assert (first, told(events)) == ([], ["no answer in time; trying on"])
