"""The only waiting loop: look, answer, or wait for a wake-up, a tick or the deadline.

Waiting (the world is not there yet) lives here; retrying (the wire failed) lives in
``homelab.http``. Layer: above clock and events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from homelab.clock import Clock, Wake
from homelab.events import Emit, Heartbeat

T = TypeVar("T")

HEARTBEAT_EVERY = 60.0


def until(
    look: Callable[[], T | None],
    *,
    clock: Clock,
    emit: Emit,
    waiting_for: str,
    every: Callable[[], float],
    deadline: float,
    wake: Wake | None = None,
    heartbeat: float = HEARTBEAT_EVERY,
) -> T | None:
    """Call ``look`` until it answers; return the answer, or None when ``deadline`` seconds passed.

    ``every`` is asked before each wait, so that a rhythm may follow an event stream's health.
    A ring of ``wake`` ends a wait at once; every ``heartbeat`` seconds it says that it still waits.
    The last look is never earlier than the deadline.
    """
    began = clock.monotonic()
    spoke = began
    wake = wake or Wake()
    while True:
        looked = clock.monotonic()
        answer = look()
        if answer is not None:
            return answer
        now = clock.monotonic()
        if looked - began >= deadline:
            return None
        if now - spoke >= heartbeat:
            emit(Heartbeat(waiting_for=waiting_for, elapsed=now - began))
            spoke = now
        pause = min(every(), max(began + deadline - now, 0.0), max(spoke + heartbeat - now, 0.0))
        clock.wait(wake, pause)
