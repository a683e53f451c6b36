"""The server as a whole, on its state folder; and in a thread for tests."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from urllib.parse import urlsplit

from homelab.lab.actions.access import Part
from homelab.lab.actions.application import application
from homelab.lab.actions.board import Board
from homelab.lab.actions.config import Config
from homelab.lab.actions.faults import Faults
from homelab.lab.actions.runs import Runs
from homelab.lab.actions.store import Store
from homelab.lab.woodpecker.serve import leave_address, listening
from homelab.lab.woodpecker.shell import fresh_folders
from homelab.lab.woodpecker.thread import ServerThread


@asynccontextmanager
async def serving(config: Config, state: Path, *, port: int = 0, lab_controls: bool = False) -> AsyncIterator[int]:
    """Serve on loopback until the block ends; yields the port."""
    with closing(Store(state)) as store:
        board, token = Board(config, store, fresh_folders(state / "work")), secrets.token_urlsafe(24)
        parts = Part(board, Runs(board), Faults(), hook_token=token, lab_controls=lab_controls)
        async with listening(application(parts), port) as bound:
            leave_address(state, port=bound, token=token, host=config.url)
            yield bound


class LabActions(ServerThread):
    """The server in a thread of this process, for tests: ``with LabActions(config, folder) as server:``.

    ``server.url`` is where it listens. Entering another one on the same folder is a restart of the server.
    """

    def __init__(self, config: Config, state: Path, *, port: int = 0, lab_controls: bool = True) -> None:
        """Prepare; nothing listens before the block is entered."""
        super().__init__(lambda port: serving(config, state, port=port, lab_controls=lab_controls), port=port)
        self.config, self.state = config, state

    @property
    def url(self) -> str:
        """Where it listens, with the path of the public URL."""
        return f"http://127.0.0.1:{self.port}{urlsplit(self.config.url).path.rstrip('/')}"
