"""A lock that the kernel gives back when its holder dies: ``flock`` on a file that says who holds it.

Never broken by age. Layer: git adapter.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homelab.clock import Clock
from homelab.errors import LockBusy

_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, as they wrote it: process id, Unix time, and where."""

    pid: int
    started: float
    place: str

    def __str__(self) -> str:
        """Say who in a few words."""
        return f"process {self.pid} in {self.place}" if self.pid else "another process"


KeepWaiting = Callable[[Holder], bool]


@contextmanager
def held(
    path: Path, *, clock: Clock, place: str, timeout: float, waiting: KeepWaiting = lambda _holder: True
) -> Iterator[None]:
    """Hold the lock at ``path``. Raises LockBusy after ``timeout`` seconds, or when ``waiting`` says no.

    ``waiting`` is asked once, when the lock turns out to be busy.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            _take(descriptor, path, clock, timeout, waiting)
        except OSError as error:
            raise LockBusy(
                f"{path} cannot be locked",
                why=f"{error.strerror}: this file system knows no locks",
                fix="set XDG_STATE_HOME to a folder on a local disk, then run the same command again",
            ) from error
        _write(descriptor, {"pid": os.getpid(), "started": clock.now(), "place": place})
        yield
        _write(descriptor, {})
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, clock: Clock, timeout: float, waiting: KeepWaiting) -> None:
    deadline = clock.monotonic() + timeout
    asked = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(path)
        else:
            return
        if clock.monotonic() >= deadline or not (asked or waiting(holder)):
            raise LockBusy(
                f"{holder} is at it already",
                why=f"only one at a time may hold {path.name}",
                fix="wait for it, then run the same command again",
            )
        asked = True
        clock.sleep(_EVERY)


def _holder(path: Path) -> Holder:
    try:
        said: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8") or "{}")
        return Holder(pid=int(said["pid"]), started=float(said["started"]), place=str(said["place"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Holder(pid=0, started=0.0, place="")


def _write(descriptor: int, content: Mapping[str, Any]) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(content).encode() if content else b"", 0)
