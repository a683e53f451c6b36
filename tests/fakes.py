"""Hand-written doubles, typed against our protocols. Import as ``from tests.fakes import …``."""

from __future__ import annotations

from homelab.clock import Wake


class FakeClock:
    """Virtual time: sleeping advances it and no real second passes."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self.time = start
        self.began = start
        self.slept: list[float] = []

    @property
    def elapsed(self) -> float:
        return self.time - self.began

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time - self.began

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def wait(self, wake: Wake, seconds: float) -> bool:
        if wake.wait(0):
            return True
        self.sleep(seconds)
        return False
