"""Riding out a server that answered before: a restart, a burst of 502, a token store that is busy. Layer: ci."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from homelab.ci.events import SightLost, SightRegained
from homelab.clock import Clock
from homelab.errors import (
    CertificateRefused,
    CredentialsError,
    HomelabError,
    HttpStatus,
    NothingThere,
    Unreachable,
    WrongService,
)
from homelab.events import Emit

T = TypeVar("T")

#: Seconds that a server may be away, and that it may refuse a token it took before.
AWAY, REFUSED = 300.0, 60.0


class Endurance:
    """Patience with one server. What was never answered is not ridden out: it will not pass by itself."""

    def __init__(self, server: str, *, clock: Clock, emit: Emit) -> None:
        """``server`` is its name in messages."""
        self._server, self._clock, self._emit = server, clock, emit
        self.answered = False
        #: Why it cannot be seen now; None while it can.
        self.lost: HomelabError | None = None
        self._lost_at = 0.0
        self._told = False

    def ask(self, question: Callable[[], T]) -> T | None:
        """Return the answer; None while the server is away. Raises its error when that lasts too long."""
        began = self._clock.monotonic()
        try:
            answer = question()
        except (Unreachable, CredentialsError, NothingThere) as error:
            self._endure(error, since=began)
            return None
        self._regain()
        return answer

    def lost_for(self) -> float:
        """Return for how many seconds it cannot be seen; 0 while it can."""
        return self._clock.monotonic() - self._lost_at if self.lost is not None else 0.0

    def _regain(self) -> None:
        if self.lost is not None and self._told:
            self._emit(SightRegained(server=self._server, seconds=round(self.lost_for(), 1)))
        self.answered, self.lost, self._told = True, None, False

    def _endure(self, error: HomelabError, *, since: float) -> None:
        if not self.answered or isinstance(error, CertificateRefused):
            raise error
        if self.lost is None:
            self._lost_at = since
        self.lost = error
        if not self._told and not _outage(error):
            self._told = True
            self._emit(SightLost(server=self._server, reason=error.what))
        if self.lost_for() >= (AWAY if isinstance(error, Unreachable) else REFUSED):
            raise error


def _outage(error: HomelabError) -> bool:
    """Say whether the server gave no answer of its own: the HTTP client tells of that, when it begins and ends."""
    if isinstance(error, HttpStatus):
        return error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status in {
            HTTPStatus.REQUEST_TIMEOUT,
            HTTPStatus.TOO_MANY_REQUESTS,
        }
    return isinstance(error, Unreachable) and not isinstance(error, WrongService)
