"""The only waiting loop."""

from __future__ import annotations

from homelab.clock import SystemClock, Wake
from homelab.events import Event, Heartbeat
from homelab.poll import until
from tests.fakes import FakeClock


def test_the_answer_is_returned_at_the_look_that_gave_it(clock: FakeClock, events: list[Event]) -> None:
    looks = iter([None, None, "green"])
    answer = until(
        lambda: next(looks), clock=clock, emit=events.append, waiting_for="ci", every=lambda: 5.0, deadline=60
    )
    assert (answer, clock.elapsed) == ("green", 10.0)


def test_the_last_look_is_at_the_deadline_and_not_before(clock: FakeClock, events: list[Event]) -> None:
    looked: list[float] = []

    def look() -> None:
        looked.append(clock.monotonic())

    assert until(look, clock=clock, emit=events.append, waiting_for="ci", every=lambda: 7.0, deadline=20) is None
    assert looked == [0.0, 7.0, 14.0, 20.0]


def test_a_slow_look_that_passes_the_deadline_gets_one_more(clock: FakeClock, events: list[Event]) -> None:
    looks = 0

    def look() -> str | None:
        nonlocal looks
        looks += 1
        clock.sleep(30)
        return "late" if looks == 2 else None

    assert until(look, clock=clock, emit=events.append, waiting_for="ci", every=lambda: 1.0, deadline=20) == "late"


def test_a_heartbeat_is_sent_each_minute(clock: FakeClock, events: list[Event]) -> None:
    until(lambda: None, clock=clock, emit=events.append, waiting_for="ci", every=lambda: 50.0, deadline=150)
    assert [event for event in events if isinstance(event, Heartbeat)] == [
        Heartbeat(waiting_for="ci", elapsed=60.0),
        Heartbeat(waiting_for="ci", elapsed=120.0),
    ]


def test_a_ring_ends_the_wait_at_once(clock: FakeClock, events: list[Event]) -> None:
    wake = Wake()
    looks = 0

    def look() -> str | None:
        nonlocal looks
        looks += 1
        wake.ring()
        return "done" if looks == 3 else None

    answer = until(look, clock=clock, emit=events.append, waiting_for="ci", every=lambda: 60.0, deadline=600, wake=wake)
    assert (answer, clock.elapsed) == ("done", 0.0)


def test_a_ring_before_the_wait_is_not_lost() -> None:
    wake = Wake()
    wake.ring()
    assert SystemClock().wait(wake, 30.0) is True
