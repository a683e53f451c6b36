"""The bound on how often one process asks one server. Layer: the Kubernetes adapter."""

from __future__ import annotations

import threading

from homelab.clock import Clock


class Pace:
    """A bucket of ``burst`` requests that refills at ``rate`` a second; safe between threads."""

    def __init__(self, clock: Clock, *, rate: float = 5.0, burst: int = 20) -> None:
        """Start with a full bucket."""
        self._clock, self._rate, self._burst = clock, rate, burst
        self._left = float(burst)
        self._at = clock.monotonic()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Take one request out of the bucket, waiting until there is one."""
        with self._lock:
            now = self._clock.monotonic()
            self._left = min(self._left + (now - self._at) * self._rate, float(self._burst)) - 1
            self._at = now
            owed = -self._left / self._rate
        if owed > 0:
            self._clock.sleep(owed)
