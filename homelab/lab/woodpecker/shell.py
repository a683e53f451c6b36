"""One process with its whole group: started, read line by line, ended without leaving anything behind."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shlex
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

#: A longer line is split, as upstream's agent does.
MAX_LINE = 1 << 20
_CHUNK = 1 << 16
_DRAIN = 1.0

Lines = Callable[[list[bytes]], None]


def script(commands: Sequence[str]) -> str:
    """Return a shell script that shows each command as ``+ command`` and stops at the first failure."""
    return "set -e\n" + "".join(f"printf '+ %s\\n' {shlex.quote(command)}\n{command}\n" for command in commands)


def fresh_folders(work: Path) -> Path:
    """Make the folder that workspaces stand in, without what a server that was killed left there."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, mode=0o700)
    return work


class Process:
    """A running process group. Made by :func:`start`."""

    def __init__(
        self, process: asyncio.subprocess.Process, output: asyncio.StreamReader, close: Callable[[], None]
    ) -> None:
        """Take over a started process and the read end of its output."""
        self._process = process
        self._output = output
        self._close = close

    async def finish(self, lines: Lines) -> int:
        """Hand out the output as it comes; return the exit code, 128 plus the number for a signal.

        What the leader leaves running in its group is killed; output held open by a process that
        left the group is given up after a second. Cancelling this kills the group.
        """
        pump = asyncio.create_task(_pump(self._output, lines))
        try:
            code = await self._process.wait()
            self.signal(signal.SIGKILL)
            await asyncio.wait({pump}, timeout=_DRAIN)
        finally:
            self.signal(signal.SIGKILL)
            pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pump
            self._close()
            await self._process.wait()
        return code if code >= 0 else 128 - code

    def signal(self, number: signal.Signals) -> None:
        """Signal the whole group; a group that is gone is fine."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


#: Becomes the command, leaving behind in its group a shell that kills the group when this server is gone:
#: it reads a pipe, handed over as stdin, that only the server holds open. It is nobody's child, so that
#: a command that waits for all its children does not wait for it.
_GUARDED = '(exec 3<&0; { read -r _ <&3; kill -9 0; } >/dev/null 2>&1 &); exec "$@" </dev/null'


@cache
def _life() -> int:
    """Return the end of a pipe that is closed at the other end when this process dies."""
    read_end, _ = os.pipe()
    return read_end


async def start(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Process:
    """Start ``argv`` in a group of its own with stdout and stderr in one pipe. OSError when it cannot.

    The group ends with this process, however that ends.
    """
    if shutil.which(argv[0], path=env.get("PATH")) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader(limit=_CHUNK)
    try:
        pipe = os.fdopen(read_end, "rb", buffering=0)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        try:
            process = await asyncio.create_subprocess_exec(
                *("/bin/sh", "-c", _GUARDED, "sh", *argv),
                cwd=cwd,
                env=dict(env),
                stdin=_life(),
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
            )
        except BaseException:
            transport.close()
            raise
    finally:
        os.close(write_end)
    return Process(process, reader, transport.close)


async def _pump(output: asyncio.StreamReader, lines: Lines) -> None:
    rest = b""
    while chunk := await output.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        while len(rest) >= MAX_LINE:
            whole.append(rest[:MAX_LINE])
            rest = rest[MAX_LINE:]
        if whole:
            lines(whole)
    if rest:
        lines([rest])
