"""An asyncio server in a thread of this process, for tests."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

#: Given a port (0 for any), serves while it is entered and yields the port it took.
Serving = Callable[[int], AbstractAsyncContextManager[int]]


class ServerThread:
    """A ``with`` block around a server: entering starts it, leaving stops it and waits for its end."""

    def __init__(self, serving: Serving, *, port: int = 0) -> None:
        """Prepare; nothing listens before the block is entered."""
        self._serving = serving
        self.port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name="lab-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            raise self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 -- handed to the thread that waits for the start
            self._error = error
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self._serving(self.port) as port:
            self.port = port
            self._started.set()
            await self._stop.wait()
