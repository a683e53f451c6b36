"""Retrying: the wire failed, the same request may pass in a moment. Layer: http; loads tenacity.

Full jitter, ``Retry-After``, one overall deadline. Waiting for the world to change is
``homelab.poll``'s work, not this module's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import tenacity  # noqa: TID253 -- this is its home, loaded by homelab.app when a client is first needed

from homelab.clock import Clock
from homelab.errors import HomelabError
from homelab.events import Emit
from homelab.http.ask import Ask
from homelab.http.events import RetryScheduled
from homelab.http.trouble import Trouble

T = TypeVar("T")

#: First and largest window of the random wait, in seconds.
FIRST_WINDOW, LARGEST_WINDOW = 0.5, 8.0
#: Attempts of a failure that seldom passes: a web page, a 404 where there was an answer before.
FEW = 4


class Passing(Exception):
    """An attempt failed in a way that may pass; ``error`` is what to raise when it does not."""

    def __init__(
        self,
        error: HomelabError,
        reason: str,
        *,
        few: bool = False,
        after: float | None = None,
        sent: bool = True,
    ) -> None:
        """``few``: not until the budget ends; ``after``: seconds asked for; ``sent``: a byte may have left."""
        super().__init__(reason)
        self.error, self.reason, self.few, self.after, self.sent = error, reason, few, after, sent


class Retries:
    """The retries of one request, within ``budget`` seconds on ``clock``."""

    def __init__(
        self,
        ask: Ask,
        *,
        budget: float,
        clock: Clock,
        emit: Emit,
        pause: Callable[[float], None],
        repeatable: bool = True,
        trouble: Trouble | None = None,
    ) -> None:
        """``pause`` lets seconds pass. Not ``repeatable``: only a connection that never opened is tried again.

        ``trouble`` hears of every failed attempt.
        """
        self._ask, self._budget, self._clock, self._emit, self._pause = ask, budget, clock, emit, pause
        self._repeatable = repeatable
        self._trouble = trouble
        self._began = clock.monotonic()
        # A last try needs time to be answered, so no wait reaches into this.
        self._reserve = min(2.0, budget / 10)
        self._seldom = 0
        self._window = tenacity.wait_random_exponential(multiplier=FIRST_WINDOW, max=LARGEST_WINDOW)

    @property
    def left(self) -> float:
        """Seconds of the budget that remain."""
        return self._budget - (self._clock.monotonic() - self._began)

    def run(self, attempt: Callable[[], T]) -> T:
        """Return ``attempt()``'s answer, or raise the last error with how often it was tried."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Passing),
            wait=self._wait,
            stop=self._stop,
            before_sleep=self._announce,
            sleep=self._pause,
            reraise=True,
        )
        failed: HomelabError
        try:
            return retrying(attempt)
        except HomelabError as error:
            failed = error
        except Passing as passing:
            failed = passing.error
            if self._trouble is not None and not passing.few:
                self._trouble.given_up(passing.reason)
            tried = int(retrying.statistics.get("attempt_number", 1))
            if tried > 1:
                spent = self._clock.monotonic() - self._began
                failed.details += (f"tried {tried} times in {spent:.0f}s",)
        raise alone(failed)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        passing = _passing(state)
        # Never less than the window: a server that asks for 0 seconds would be hammered until the budget ends.
        wanted = max(self._window(state), passing.after or 0.0)
        return max(min(wanted, self.left - self._reserve), 0.0)

    def _stop(self, state: tenacity.RetryCallState) -> bool:
        passing = _passing(state)
        self._seldom += passing.few
        final = passing.sent and not self._repeatable
        return final or self._seldom >= FEW or self.left <= self._reserve

    def _announce(self, state: tenacity.RetryCallState) -> None:
        passing = _passing(state)
        # What seldom passes is an answer more often than trouble: a 404 for what was removed.
        if self._trouble is not None and not passing.few:
            self._trouble.failed(passing.reason)
        self._emit(
            RetryScheduled(
                server=self._ask.name,
                method=self._ask.method,
                path=self._ask.path.partition("?")[0],
                reason=passing.reason,
                attempt=state.attempt_number,
                wait=round(state.upcoming_sleep, 3),
            )
        )


def once(attempt: Callable[[], T]) -> T:
    """Return ``attempt()``'s answer or raise its error: no retry, the caller decides."""
    failed: HomelabError
    try:
        return attempt()
    except HomelabError as error:
        failed = error
    except Passing as passing:
        failed = passing.error
    raise alone(failed)


def alone(error: HomelabError) -> HomelabError:
    """Return ``error`` without its causes: the HTTP library's quote what a server sent, and keep the request."""
    error.__cause__ = error.__context__ = None
    return error


def _passing(state: tenacity.RetryCallState) -> Passing:
    assert state.outcome is not None
    error = state.outcome.exception()
    assert isinstance(error, Passing)
    return error
