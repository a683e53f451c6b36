"""What a child process says on its two pipes, read as it comes. Layer: the bottom of the git adapter."""

from __future__ import annotations

import os
import selectors
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

_CHUNK = 65536

Chunk = Callable[[str, bytes], None]


class Output:
    """The standard output and error of one child so far."""

    def __init__(self, popen: subprocess.Popen[bytes], *, keep: int | None, on_chunk: Chunk | None) -> None:
        """Read nothing yet. ``keep``: as many last bytes of each stream at least; None for all."""
        assert popen.stdout is not None
        assert popen.stderr is not None
        self._popen, self._keep, self._on_chunk = popen, keep, on_chunk
        self._pipes: dict[str, IO[bytes]] = {"stdout": popen.stdout, "stderr": popen.stderr}
        self._kept = {name: bytearray() for name in self._pipes}
        #: When something was last said, on the monotonic clock.
        self.heard = time.monotonic()

    @property
    def stdout(self) -> bytes:
        """What was kept of standard output."""
        return bytes(self._kept["stdout"])

    @property
    def stderr(self) -> bytes:
        """What was kept of standard error."""
        return bytes(self._kept["stderr"])

    @contextmanager
    def listening(self) -> Iterator[selectors.BaseSelector]:
        """Yield a selector over both pipes (data: their name) and over the child's end (data: None).

        A thread waits for the end. Reading to end-of-file alone would hang on a helper that
        outlives its parent with our pipe open, as an ssh connection master does.
        """
        ended, ending = os.pipe()

        def wait() -> None:
            self._popen.wait()
            os.close(ending)

        with selectors.DefaultSelector() as selector:
            for name, pipe in self._pipes.items():
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, name)
            selector.register(ended, selectors.EVENT_READ, None)
            threading.Thread(target=wait, daemon=True).start()
            try:
                yield selector
            finally:
                os.close(ended)

    def read(self, name: str, fd: int) -> bool:
        """Take what is there; False at end-of-file or when nothing is."""
        try:
            chunk = os.read(fd, _CHUNK)
        except BlockingIOError:
            return False
        if not chunk:
            return False
        self.heard = time.monotonic()
        kept = self._kept[name]
        kept += chunk
        if self._keep is not None and len(kept) > 2 * self._keep:
            del kept[: -self._keep]
        if self._on_chunk is not None:
            self._on_chunk(name, chunk)
        return True

    def drain(self) -> None:
        """Take all that is there now."""
        for name, pipe in self._pipes.items():
            while self.read(name, pipe.fileno()):
                pass

    def close(self) -> None:
        """Close our ends of the pipes."""
        for pipe in self._pipes.values():
            pipe.close()
