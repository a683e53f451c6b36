"""One server's trouble, told as two lines however often it is asked: when it begins, when it is over.

Each retry is a detail of its own. A failure that the next attempt heals is no trouble. Layer: http.
"""

from __future__ import annotations

from homelab.clock import Clock
from homelab.events import Emit
from homelab.http.events import RetryEnded, TroubleBegan, TroubleEnded

#: A first failure alone is told by nobody; from this one in a row on it is trouble.
TROUBLE_AT = 2


class Trouble:
    """What a client's failures in a row amount to. Outlives the single request."""

    def __init__(self, server: str, clock: Clock, emit: Emit) -> None:
        """Nothing was asked yet."""
        self._server, self._clock, self._emit = server, clock, emit
        self._well = False
        self._failures = 0
        self._since = 0.0
        self._told = False

    def failed(self, reason: str) -> None:
        """Count an attempt without a usable answer; the second in a row is told."""
        self._count()
        if self._failures >= TROUBLE_AT:
            self._tell(reason)

    def given_up(self, reason: str) -> None:
        """Tell that a budget is spent, where the server answered before: whoever asked may ask again.

        Of one that never answered the error itself tells.
        """
        self._count()
        if self._well:
            self._tell(reason)

    def _count(self) -> None:
        if not self._failures:
            self._since = self._clock.monotonic()
        self._failures += 1

    def _tell(self, reason: str) -> None:
        if not self._told:
            self._told = True
            self._emit(TroubleBegan(server=self._server, reason=reason))

    def over(self) -> None:
        """A usable answer came."""
        if self._told:
            self._emit(TroubleEnded(server=self._server, seconds=round(self._clock.monotonic() - self._since, 1)))
        elif self._failures:
            self._emit(RetryEnded(server=self._server))
        self._well, self._failures, self._told = True, 0, False
