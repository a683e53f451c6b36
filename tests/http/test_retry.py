from __future__ import annotations

import pytest

from homelab.errors import Unreachable
from homelab.events import Event
from homelab.http.ask import Ask
from homelab.http.events import RetryScheduled
from homelab.http.port import Site
from homelab.http.retry import FEW, Passing, Retries, once
from tests.fakes import FakeClock

ASK = Ask(Site("https://ci.example.org", name="Woodpecker"), "GET", "/api/user?token=x", "ci", "ci:443")


class Attempts:
    """Fails with the given failures in turn (the last one for ever), each taking ``takes`` virtual seconds."""

    def __init__(self, clock: FakeClock, *failures: Passing | None, takes: float = 0.0) -> None:
        self.clock, self.failures, self.takes, self.count = clock, failures, takes, 0

    def __call__(self) -> str:
        failure = self.failures[min(self.count, len(self.failures) - 1)]
        self.count += 1
        self.clock.sleep(self.takes)
        if failure is not None:
            raise failure
        return "answer"


def failed(**more: object) -> Passing:
    return Passing(Unreachable("it is down", why="-", fix="-"), "connection cut", **more)  # type: ignore[arg-type]


def retries(clock: FakeClock, events: list[Event], *, budget: float = 60.0, repeatable: bool = True) -> Retries:
    return Retries(ASK, budget=budget, clock=clock, emit=events.append, pause=clock.sleep, repeatable=repeatable)


def test_an_answer_after_failures_is_the_answer(clock: FakeClock, events: list[Event]) -> None:
    assert retries(clock, events).run(Attempts(clock, failed(), failed(), None)) == "answer"


def test_each_retry_is_seen_without_the_query(clock: FakeClock, events: list[Event]) -> None:
    retries(clock, events).run(Attempts(clock, failed(), failed(), None))
    assert [event.record() for event in events] == [
        {
            "server": "Woodpecker",
            "method": "GET",
            "path": "/api/user",
            "reason": "connection cut",
            "attempt": n,
            "wait": wait,
        }
        for n, wait in zip((1, 2), (round(s, 3) for s in clock.slept if s), strict=True)
    ]
    assert all(event.detail for event in events)


def test_the_budget_bounds_all_attempts_together(clock: FakeClock, events: list[Event]) -> None:
    with pytest.raises(Unreachable, match="it is down") as caught:
        retries(clock, events, budget=60.0).run(Attempts(clock, failed(), takes=1.0))
    assert 55.0 <= clock.elapsed <= 60.0
    assert caught.value.details[-1].startswith("tried ")


def test_a_budget_that_is_spent_by_the_first_attempt_allows_no_second(clock: FakeClock, events: list[Event]) -> None:
    attempts = Attempts(clock, failed(), takes=60.0)
    with pytest.raises(Unreachable):
        retries(clock, events, budget=60.0).run(attempts)
    assert attempts.count == 1
    assert events == []


def test_what_seldom_passes_is_tried_a_few_times(clock: FakeClock, events: list[Event]) -> None:
    attempts = Attempts(clock, failed(few=True))
    with pytest.raises(Unreachable):
        retries(clock, events).run(attempts)
    assert attempts.count == FEW


def test_a_wait_asked_for_is_kept(clock: FakeClock, events: list[Event]) -> None:
    retries(clock, events).run(Attempts(clock, failed(after=7.0), None))
    assert [event.wait for event in events if isinstance(event, RetryScheduled)] == [7.0]


def test_a_server_that_asks_for_no_wait_is_not_hammered(clock: FakeClock, events: list[Event]) -> None:
    attempts = Attempts(clock, failed(after=0.0))
    with pytest.raises(Unreachable):
        retries(clock, events, budget=60.0).run(attempts)
    assert attempts.count < 60


def test_a_wait_asked_for_ends_before_the_budget_so_that_a_last_try_is_made(
    clock: FakeClock, events: list[Event]
) -> None:
    assert retries(clock, events, budget=60.0).run(Attempts(clock, failed(after=3600.0), None)) == "answer"
    assert clock.elapsed == 58.0


def test_a_write_that_may_have_arrived_is_not_sent_again(clock: FakeClock, events: list[Event]) -> None:
    attempts = Attempts(clock, failed(), None)
    with pytest.raises(Unreachable):
        retries(clock, events, repeatable=False).run(attempts)
    assert attempts.count == 1


def test_a_write_whose_connection_never_opened_is_tried_again(clock: FakeClock, events: list[Event]) -> None:
    assert retries(clock, events, repeatable=False).run(Attempts(clock, failed(sent=False), None)) == "answer"


def test_waits_are_random_in_growing_windows(clock: FakeClock, events: list[Event]) -> None:
    with pytest.raises(Unreachable):
        retries(clock, events, budget=600.0).run(Attempts(clock, failed()))
    waits = [event.wait for event in events if isinstance(event, RetryScheduled)]
    assert all(wait <= 0.5 * 2**n for n, wait in enumerate(waits[:5]))
    assert max(waits) <= 8.0
    assert len(set(waits)) > len(waits) // 2


@pytest.mark.parametrize("carried", [True, False], ids=["passing", "final"])
def test_an_error_leaves_without_the_librarys_words(clock: FakeClock, events: list[Event], carried: bool) -> None:
    def attempt() -> str:
        error = Unreachable("it is down", why="-", fix="-")
        raise (Passing(error, "x") if carried else error) from ValueError("what the server said")

    for run in (once, retries(clock, events, budget=1.0).run):
        with pytest.raises(Unreachable) as caught:
            run(attempt)
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
