"""Time, handed in: a clock that tells, sleeps, and waits for a wake-up.

Layer: just above the vocabulary. Nothing else in the package sleeps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Wake:
    """A wake-up call from another thread: an event stream rings it, a wait answers it."""

    def __init__(self) -> None:
        """Start unrung."""
        self._event = threading.Event()

    def ring(self) -> None:
        """End the current wait, or the next one if none is under way."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait at most ``seconds`` for a ring, use it up, and say whether it came."""
        rung = self._event.wait(seconds)
        self._event.clear()
        return rung


class Clock(Protocol):
    """What the core may know about time. Seconds everywhere."""

    def now(self) -> float:
        """Return Unix time in seconds, for comparing with servers' stamps; it goes on steadily."""

    def monotonic(self) -> float:
        """Return seconds that never jump, for deadlines and durations."""

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""

    def wait(self, wake: Wake, seconds: float) -> bool:
        """Wait for a ring, at most ``seconds``; True when rung."""


class SystemClock:
    """The clock of this machine: the wall's time at the begin, and from there steady seconds.

    A wall clock that is set, or a machine that slept, would end every grace at once.
    """

    def __init__(self, *, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        """Read the wall once."""
        self._steady = steady
        self._ahead = wall() - steady()

    def now(self) -> float:
        """Return Unix time in seconds, which never jumps."""
        return self._ahead + self._steady()

    def monotonic(self) -> float:
        """Return the monotonic clock in seconds."""
        return self._steady()

    def sleep(self, seconds: float) -> None:
        """Sleep for ``seconds``."""
        time.sleep(seconds)

    def wait(self, wake: Wake, seconds: float) -> bool:
        """Wait for a ring, at most ``seconds``."""
        return wake.wait(seconds)
