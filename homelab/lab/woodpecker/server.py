"""The server as a whole: state folder, port, ready file; in a process of its own or in a thread for tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from homelab.lab.woodpecker.access import Part
from homelab.lab.woodpecker.application import application
from homelab.lab.woodpecker.board import Board
from homelab.lab.woodpecker.config import Config
from homelab.lab.woodpecker.faults import Faults
from homelab.lab.woodpecker.pipelines import Pipelines
from homelab.lab.woodpecker.queue import Queue
from homelab.lab.woodpecker.store import Store

#: Where the state folder tells the push hook whom to call, and with which token.
HOOK_ADDRESS = "hook.json"
_DATABASE = "woodpecker.sqlite"
#: Open streams are cut after this many seconds, without eof.
_SHUTDOWN = 0.5


@asynccontextmanager
async def serving(config: Config, state: Path, *, port: int = 0, lab_controls: bool = False) -> AsyncIterator[int]:
    """Serve on loopback until the block ends; yields the port."""
    store = _open_store(state)
    board = Board(config, store, Faults())
    token = secrets.token_urlsafe(24)
    pipelines = Pipelines(board, Queue(board, config.capacity))
    parts = Part(board, pipelines, hook_token=token, lab_controls=lab_controls)
    runner = web.AppRunner(application(parts), shutdown_timeout=_SHUTDOWN, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, backlog=256)
        await site.start()
        bound = int(runner.addresses[0][1])
        write_private(state / HOOK_ADDRESS, json.dumps({"port": bound, "token": token, "host": config.host}))
        yield bound
    finally:
        await runner.cleanup()
        store.close()


def _open_store(state: Path) -> Store:
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Store(state / _DATABASE)


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


async def serve(config: Config, state: Path, *, port: int, ready: Path, lab_controls: bool) -> None:
    """Serve until SIGTERM or SIGINT; ``ready`` appears when the port answers."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(config, state, port=port, lab_controls=lab_controls) as bound:
        write_private(ready, json.dumps({"port": bound, "pid": os.getpid()}))
        await stop.wait()


class LabWoodpecker:
    """The server in a thread of this process, for tests: ``with LabWoodpecker(config, folder) as server:``.

    ``server.url`` is where it listens. Leaving the block kills what runs and keeps the state folder,
    so that entering another one on the same folder is a restart of the server.
    """

    def __init__(self, config: Config, state: Path, *, port: int = 0, lab_controls: bool = True) -> None:
        """Prepare; nothing listens before the block is entered."""
        self.config, self.state = config, state
        self.port, self._lab_controls = port, lab_controls
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name="lab-woodpecker", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, with the path of the public URL."""
        from urllib.parse import urlsplit

        return f"http://127.0.0.1:{self.port}{urlsplit(self.config.host).path.rstrip('/')}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            raise self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _main(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._serve())
            except BaseException as error:  # noqa: BLE001 -- handed to the thread that waits for the start
                self._error = error
                self._started.set()

    async def _serve(self) -> None:
        async with serving(self.config, self.state, port=self.port, lab_controls=self._lab_controls) as port:
            self.port = port
            self._started.set()
            await self._stop.wait()
