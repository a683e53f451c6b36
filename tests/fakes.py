"""Hand-written doubles, typed against our protocols. Import as ``from tests.fakes import …``."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TextIO

from homelab.clock import Wake
from homelab.world import World


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


def world(
    tmp_path: Path, *, env: dict[str, str] | None = None, tty: bool = False, clock: FakeClock | None = None
) -> World:
    """Surroundings of one command: a home under ``tmp_path`` and streams that can be read back."""
    streams = TtyStream if tty else io.StringIO
    return World(
        env={"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"], **(env or {})},
        cwd=tmp_path,
        stdin=None,
        stdout=streams(),
        stderr=streams(),
        clock=clock or FakeClock(),
    )


class TtyStream(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def written(stream: TextIO) -> str:
    """What a verb wrote to one of the streams of :func:`world`."""
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()
