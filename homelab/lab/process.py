"""Detached children of the lab: start, wait until ready, know again, stop with their whole group.

A child is remembered by its pid *and* its birth, so that a pid the system gave to somebody else
is never signalled. Layer: lab; knows no server.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from homelab.clock import Clock, SystemClock
from homelab.errors import HomelabError, Unreachable
from homelab.lab.births import birth, somebody_runs
from homelab.poll import until

T = TypeVar("T")

TICK = 0.02
#: Never a module of the folder somebody happens to be in.
PYTHON = (sys.executable, "-P")

# Popen objects of children this very process started: they stay as zombies until they are reaped here.
_ours: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class Child:
    """A detached process: ``pid`` is also its process group; ``born`` tells it from a reused pid."""

    name: str
    pid: int
    born: str
    log: Path

    def record(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        return {"name": self.name, "pid": self.pid, "born": self.born, "log": str(self.log)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Child:
        """Read what :meth:`record` wrote."""
        return cls(str(record["name"]), int(record["pid"]), str(record["born"]), Path(record["log"]))


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Hold back SIGINT, SIGTERM and SIGHUP for the few seconds of a cleanup, then let them act.

    Handlers that take note, not ``SIG_IGN``: a child would inherit being deaf.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda caught, _: came.append(caught)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


def start(
    name: str,
    argv: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    remember: Callable[[Child], object] = lambda _: None,
) -> Child:
    """Start ``argv`` in a session of its own, its output appended to ``folder/<name>.log`` (mode 0600).

    ``env`` is the whole environment of the child (None: this process's). Secrets never go in
    ``argv``. ``remember`` is told of the child before any signal can end this process's work, so
    that no child is forgotten. Raises Unreachable when the program cannot be started.
    """
    with undisturbed():
        child = _started(name, argv, folder=folder, env=env, cwd=cwd)
        remember(child)
    return child


def _started(name: str, argv: Sequence[str], *, folder: Path, env: Mapping[str, str] | None, cwd: Path | None) -> Child:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{name}.log"
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            raise Unreachable(
                f"{name} could not be started: {argv[0]}", why=str(error.strerror), fix="homelab lab up"
            ) from error
    _ours[process.pid] = process
    return Child(name=name, pid=process.pid, born=birth(process.pid) or "", log=log)


def start_part(
    part: str,
    *arguments: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
    remember: Callable[[Child], object] = lambda _: None,
) -> tuple[Child, Path]:
    """Start ``python -m homelab.lab.<part> --state <folder> --ready <file>``; return it and its ready file.

    A ready file of an earlier run is removed first. Wait with ``wait_ready(child, lambda:
    read_ready(file))``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    argv = [*PYTHON, "-m", f"homelab.lab.{part}", "--state", str(folder), "--ready", str(ready), *arguments]
    return start(part, argv, folder=folder, env=env, remember=remember), ready


def wait_ready(child: Child, look: Callable[[], T | None], *, deadline: float = 30.0, clock: Clock | None = None) -> T:
    """Return ``look()``'s first answer.

    Raises Unreachable, with the log's end, when the child dies or ``deadline`` seconds pass.
    """

    def look_at_living() -> T | None:
        answer = look()
        if answer is None and not alive(child):
            raise _not_ready(child, "it ended before it was ready")
        return answer

    answer = until(
        look_at_living,
        clock=clock or SystemClock(),
        emit=lambda _: None,
        waiting_for=child.name,
        every=lambda: TICK,
        deadline=deadline,
    )
    if answer is None:
        raise _not_ready(child, f"it was not ready within {deadline:.0f}s")
    return answer


def alive(child: Child) -> bool:
    """Say whether this very process still runs."""
    return bool(child.born) and birth(child.pid) == child.born


def stop(child: Child, *, grace: float = 5.0, clock: Clock | None = None) -> None:
    """End the child and its group: TERM, ``grace`` seconds, KILL. Harmless when it is gone or the pid is another's."""
    clock = clock or SystemClock()
    for ask, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        if not _group_is_ours(child):
            break
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, ask)
        until(
            lambda: None if _group_is_ours(child) else True,
            clock=clock,
            emit=lambda _: None,
            waiting_for=child.name,
            every=lambda: TICK,
            deadline=patience,
        )
    _reap(child)


def tail(log: Path, lines: int = 20) -> tuple[str, ...]:
    """Return the last ``lines`` of a log, or nothing when it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - 64 * 1024, 0))
            text = file.read().decode(errors="replace")
    except OSError:
        return ()
    return tuple(text.splitlines()[-lines:])


def _not_ready(child: Child, why: str) -> HomelabError:
    return Unreachable(
        f"{child.name} did not start", why=why, fix=f"read {child.log}, then: homelab lab up", details=tail(child.log)
    )


def _group_is_ours(child: Child) -> bool:
    """Say whether the child or what it left in its group still runs.

    With the leader gone the group id stays reserved while a member lives, so a group that is
    there without a leader is ours; a leader of another birth means that the pid was reused.
    """
    if alive(child):
        return True
    if birth(child.pid) is not None:
        return False
    try:
        os.killpg(child.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return somebody_runs(child.pid)


def _reap(child: Child) -> None:
    """Take a dead child that this very process started off the process table."""
    ours = _ours.get(child.pid)
    if ours is not None and ours.poll() is not None:
        del _ours[child.pid]
