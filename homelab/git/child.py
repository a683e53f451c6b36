"""Runs one child process to its end: no shell, no stdin, its own session, a deadline, and signals.

``subprocess.run`` kills its child a quarter of a second after Ctrl-C; a push must be allowed to
finish. Knows nothing of git. Layer: the bottom of the git adapter.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from homelab.errors import Interrupted
from homelab.git.output import Chunk, Output
from homelab.git.signals import HeldBack, ignoring

_TERM_GRACE = 5.0
_FORWARD_GRACE = 15.0
#: How long a shielded child may go on after the first signal.
SHIELD = 30.0
_BEAT = 60.0


@dataclass(frozen=True, slots=True)
class Order:
    """How to run a child."""

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    #: Seconds in all, and seconds without any output; None for no limit.
    timeout: float | None = 60.0
    idle: float | None = None
    stdin: bytes = b""
    #: False where a person may have to answer a prompt on the terminal.
    own_session: bool = True
    #: The first signal does not stop it; it may finish within ``SHIELD`` seconds.
    shielded: bool = False
    #: Kill what it left running in its group when it has ended.
    sweep: bool = False
    #: Keep at most this many last bytes of each stream; None for all.
    keep: int | None = None
    #: Told each piece of output as it comes: (``stdout`` or ``stderr``, bytes).
    on_chunk: Chunk | None = None
    #: Told the seconds so far, once a minute.
    on_beat: Callable[[float], None] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended. ``code`` is negative when a signal killed it."""

    argv: tuple[str, ...]
    code: int
    stdout: bytes
    stderr: bytes
    seconds: float
    timed_out: bool = False
    #: The signal's exception that a shielded child outlived; the caller raises it when done.
    interruption: BaseException | None = None

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def err(self) -> str:
        """Standard error as text."""
        return self.stderr.decode("utf-8", "replace")


@dataclass(slots=True)
class _Run:
    order: Order
    popen: subprocess.Popen[bytes]
    output: Output
    began: float
    deadline: float | None = None
    beaten: float = 0.0
    timed_out: bool = False


def run(order: Order) -> Ended:
    """Run the child to its end. Re-raises KeyboardInterrupt and Interrupted once the child is gone."""
    with tempfile.TemporaryFile() as stdin:
        if order.stdin:
            stdin.write(order.stdin)
            stdin.seek(0)
        signals = HeldBack()
        try:
            running = _start(order, stdin if order.stdin else None)
        except BaseException:
            signals.release()
            raise
    interruption: BaseException | None = None
    try:
        with running.output.listening() as selector:
            while True:
                try:
                    signals.release()
                    _until_ended(running, selector)
                    break
                except (KeyboardInterrupt, Interrupted) as stop:
                    if not order.shielded or interruption is not None:
                        raise
                    interruption = stop
                    running.deadline = time.monotonic() + SHIELD
    except (KeyboardInterrupt, Interrupted) as stop:
        _forward(running, stop)
        if not order.shielded:
            raise
        interruption = stop
    finally:
        _clear(running)
    return Ended(
        argv=tuple(order.argv),
        code=running.popen.returncode,
        stdout=running.output.stdout,
        stderr=running.output.stderr,
        seconds=time.monotonic() - running.began,
        timed_out=running.timed_out,
        interruption=interruption,
    )


def _start(order: Order, stdin: IO[bytes] | None) -> _Run:
    # A child in our session would get the terminal's Ctrl-C and hang-up too; a shielded one must not heed them.
    deaf = (signal.SIGINT, signal.SIGHUP) if order.shielded and not order.own_session else ()
    with ignoring(*deaf):
        popen = subprocess.Popen(
            list(order.argv),
            cwd=order.cwd,
            env=dict(order.env),
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=order.own_session,
        )
    now = time.monotonic()
    deadline = None if order.timeout is None else now + order.timeout
    output = Output(popen, keep=order.keep, on_chunk=order.on_chunk)
    return _Run(order, popen, output, began=now, beaten=now, deadline=deadline)


def _until_ended(running: _Run, selector: selectors.BaseSelector) -> None:
    while True:
        ready = selector.select(_patience(running))
        ended = False
        for key, _ in ready:
            if key.data is None:
                ended = True
            elif not running.output.read(key.data, key.fd):
                selector.unregister(key.fileobj)
        if ended:
            running.output.drain()
            return
        if not ready and _overdue(running):
            running.timed_out = True
            _kill(running)
            return
        _beat(running)


def _ends(running: _Run) -> list[float]:
    ends = [] if running.deadline is None else [running.deadline]
    return ends if running.order.idle is None else [*ends, running.output.heard + running.order.idle]


def _overdue(running: _Run) -> bool:
    return any(end <= time.monotonic() for end in _ends(running))


def _patience(running: _Run) -> float | None:
    ends = _ends(running)
    if running.order.on_beat is not None:
        ends.append(running.beaten + _BEAT)
    return max(min(ends) - time.monotonic(), 0.0) if ends else None


def _beat(running: _Run) -> None:
    now = time.monotonic()
    if running.order.on_beat is not None and now - running.beaten >= _BEAT:
        running.beaten = now
        running.order.on_beat(now - running.began)


def _signal(running: _Run, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if running.order.own_session:
            os.killpg(running.popen.pid, number)
        else:
            running.popen.send_signal(number)


def _wait(running: _Run, seconds: float) -> bool:
    try:
        running.popen.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill(running: _Run) -> None:
    _signal(running, signal.SIGTERM)
    _wait(running, _TERM_GRACE)
    if running.order.own_session or running.popen.poll() is None:
        _signal(running, signal.SIGKILL)
    running.popen.wait()
    running.output.drain()


def _forward(running: _Run, stop: BaseException) -> None:
    """Send the signal on once, wait for the child's own clean-up, then insist."""
    # A shielded child may have been started to ignore Ctrl-C.
    polite = isinstance(stop, KeyboardInterrupt) and not running.order.shielded
    number = signal.SIGINT if polite else signal.SIGTERM
    try:
        _signal(running, number)
        if not _wait(running, _FORWARD_GRACE):
            _kill(running)
        running.output.drain()
    except (KeyboardInterrupt, Interrupted):
        _signal(running, signal.SIGKILL)
        running.popen.wait()


def _clear(running: _Run) -> None:
    if running.order.sweep and running.order.own_session:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(running.popen.pid, signal.SIGKILL)
    running.output.close()
