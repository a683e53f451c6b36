"""The server as a whole, on its state folder; and in a thread for tests."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from urllib.parse import urlsplit

from homelab.lab.woodpecker.access import Part
from homelab.lab.woodpecker.application import application
from homelab.lab.woodpecker.board import Board
from homelab.lab.woodpecker.config import Config
from homelab.lab.woodpecker.faults import Faults
from homelab.lab.woodpecker.forge_status import reporting
from homelab.lab.woodpecker.pipelines import Pipelines
from homelab.lab.woodpecker.queue import Queue
from homelab.lab.woodpecker.serve import leave_address, listening
from homelab.lab.woodpecker.shell import fresh_folders
from homelab.lab.woodpecker.store import Store
from homelab.lab.woodpecker.thread import ServerThread

_DATABASE = "woodpecker.sqlite"


@asynccontextmanager
async def serving(config: Config, state: Path, *, port: int = 0, lab_controls: bool = False) -> AsyncIterator[int]:
    """Serve on loopback until the block ends; yields the port."""
    with closing(_open_store(state)) as store:
        board, token = Board(config, store, Faults(), fresh_folders(state / "work")), secrets.token_urlsafe(24)
        pipelines = Pipelines(board, Queue(board, config.capacity))
        parts = Part(board, pipelines, hook_token=token, lab_controls=lab_controls)
        async with reporting(config) as board.tell_forge, listening(application(parts), port) as bound:
            leave_address(state, port=bound, token=token, host=config.host)
            yield bound


def _open_store(state: Path) -> Store:
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Store(state / _DATABASE)


class LabWoodpecker(ServerThread):
    """The server in a thread of this process, for tests: ``with LabWoodpecker(config, folder) as server:``.

    ``server.url`` is where it listens. Leaving the block kills what runs and keeps the state folder,
    so that entering another one on the same folder is a restart of the server.
    """

    def __init__(self, config: Config, state: Path, *, port: int = 0, lab_controls: bool = True) -> None:
        """Prepare; nothing listens before the block is entered."""
        super().__init__(lambda port: serving(config, state, port=port, lab_controls=lab_controls), port=port)
        self.config, self.state = config, state

    @property
    def url(self) -> str:
        """Where it listens, with the path of the public URL."""
        return f"http://127.0.0.1:{self.port}{urlsplit(self.config.host).path.rstrip('/')}"
