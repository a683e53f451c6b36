"""Detached children of the lab: start, wait until ready, know again, stop with their whole group.

A child is remembered by its pid *and* its birth, so that a pid the system gave to somebody else
is never signalled. Layer: lab; knows no server.
"""

from __future__ import annotations

import contextlib
import json
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
from homelab.poll import until

T = TypeVar("T")

TICK = 0.02

# Popen objects of children this very process started: they must be reaped here, or they stay as zombies.
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
    return Child(name=name, pid=process.pid, born=_birth(process.pid) or "", log=log)


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
    argv = [sys.executable, "-m", f"homelab.lab.{part}", "--state", str(folder), "--ready", str(ready), *arguments]
    return start(part, argv, folder=folder, env=env, remember=remember), ready


def read_ready(ready: Path) -> dict[str, Any] | None:
    """Return what a server wrote into its ready file (``{"port": N, "pid": N}``), or None: not yet."""
    try:
        said: dict[str, Any] = json.loads(ready.read_text())
    except (OSError, ValueError):
        return None
    return said


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
    ours = _ours.get(child.pid)
    if ours is not None and ours.poll() is not None:
        del _ours[child.pid]
        return False
    return bool(child.born) and _birth(child.pid) == child.born


def stop(child: Child, *, grace: float = 5.0, clock: Clock | None = None) -> None:
    """End the child and its group: TERM, ``grace`` seconds, KILL. Harmless when it is gone or the pid is another's."""
    clock = clock or SystemClock()
    for ask, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        if not _group_is_ours(child):
            return
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


def tail(log: Path, lines: int = 20) -> tuple[str, ...]:
    """Return the last ``lines`` of a log, or nothing when it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - 64 * 1024, 0))
            text = file.read().decode(errors="replace")
    except OSError:
        return ()
    return tuple(text.splitlines()[-lines:])


class Ledger:
    """The children of one lab, kept in a JSON file so that a later command can stop them."""

    def __init__(self, path: Path) -> None:
        """``path`` need not exist yet."""
        self.path = path

    def children(self) -> dict[str, Child]:
        """Return the children by name, dead ones too; nothing when the file is missing or damaged."""
        try:
            records = json.loads(self.path.read_text())
            return {name: Child.from_record(record) for name, record in records.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def add(self, child: Child) -> Child:
        """Remember ``child`` under its name, in place of an earlier one; return it."""
        self._write({**self.children(), child.name: child})
        return child

    def forget(self, name: str) -> None:
        """Forget the child of that name, if there is one."""
        self._write({known: child for known, child in self.children().items() if known != name})

    def _write(self, children: Mapping[str, Child]) -> None:
        write_whole(self.path, json.dumps({name: child.record() for name, child in children.items()}, indent=1))


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Write ``text`` so that a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    partial.replace(path)


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
    if _birth(child.pid) is not None:
        return False
    try:
        os.killpg(child.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    if _somebody_runs(child.pid):
        return True
    ours = _ours.pop(child.pid, None)
    if ours is not None:
        ours.wait(timeout=1)  # dead already: this takes it off the process table
    return False


def _somebody_runs(group: int) -> bool:
    """Say whether a process group has a member that is not a zombie.

    In a container whose first process reaps late or never, dead children keep their group alive.
    """
    if sys.platform == "linux":
        return any(_in_group(stat, group) for stat in Path("/proc").glob("[0-9]*/stat"))
    asked = subprocess.run(["ps", "-A", "-o", "stat=", "-o", "pgid="], capture_output=True, text=True, check=False)
    members = (line.split() for line in asked.stdout.splitlines())
    return any(member[1:] == [str(group)] and not member[0].startswith("Z") for member in members)


def _in_group(stat: Path, group: int) -> bool:
    try:
        state, _, pgrp = stat.read_text().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return pgrp == str(group) and state not in "ZX"


def _birth(pid: int) -> str | None:
    """Return when ``pid`` started, as a word that no later process of the same pid shares; None when it is gone."""
    return _birth_from_proc(pid) if sys.platform == "linux" else _birth_from_ps(pid)


def _birth_from_ps(pid: int) -> str | None:
    # A -o each: BSD's ps takes all behind a "=" as the column's heading.
    argv = ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
    asked = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=5)
    state, _, started = asked.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else " ".join(started.split())


def _birth_from_proc(pid: int) -> str | None:
    # proc_pid_stat(5): the name in parentheses may hold anything; state is the 3rd field, starttime the 22nd.
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{_boot()}/{fields[19]}"


def _boot() -> str:
    # Start times count from the boot, so the same pid and time may come again after the next one.
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "boot"  # some sandboxes hide it
