"""What the lab's CI servers share as programs: a port on loopback, a ready file, the hook's address, an end."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from aiohttp import web

from homelab.errors import HomelabError
from homelab.lab.ready import announce, told_to_stop
from homelab.whole_file import write_whole

C_contra = TypeVar("C_contra", contravariant=True)

#: Where a state folder tells the push hook whom to call, and with which token.
HOOK_ADDRESS = "hook.json"
#: Open streams are cut after this many seconds, without eof.
_SHUTDOWN = 0.5


class Serving(Protocol[C_contra]):
    """Serves a configuration while it is entered; yields the port."""

    def __call__(
        self, config: C_contra, state: Path, *, port: int = 0, lab_controls: bool = False
    ) -> AbstractAsyncContextManager[int]:
        """Return the context manager."""


@asynccontextmanager
async def listening(app: web.Application, port: int) -> AsyncIterator[int]:
    """Serve ``app`` on 127.0.0.1 until the block ends; yields the port."""
    runner = web.AppRunner(app, shutdown_timeout=_SHUTDOWN, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, backlog=256).start()
        yield int(runner.addresses[0][1])
    finally:
        server = runner.server
        await runner.cleanup()
        if server is not None:
            await asyncio.sleep(0)  # a connection accepted in the last moment is known only now
            await server.shutdown(0)


def leave_address(state: Path, *, port: int, token: str, host: str) -> None:
    """Tell the push hook where this server listens now."""
    write_whole(state / HOOK_ADDRESS, json.dumps({"port": port, "token": token, "host": host}))


async def _until_stopped(serving: AbstractAsyncContextManager[int], ready: Path) -> None:
    """Serve until SIGTERM or SIGINT; ``ready`` appears when the port answers."""
    stop = told_to_stop()
    async with serving as port:
        announce(ready, port)
        await stop.wait()


def main(module: str, load: Callable[[Path], C_contra], serving: Serving[C_contra]) -> int:
    """Be ``python -m <module>``: 2 for a configuration that cannot be read."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("--state", type=Path, required=True, help="folder for the database and the hook's address")
    parser.add_argument("--ready", type=Path, required=True, help="file to write port and pid to when serving")
    parser.add_argument("--config", type=Path, required=True, help="JSON file with users and repositories")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--lab-controls", action="store_true", help="open /_lab/ for tests of clients")
    options = parser.parse_args()
    try:
        config = load(options.config)
        server = serving(config, options.state, port=options.port, lab_controls=options.lab_controls)
        asyncio.run(_until_stopped(server, options.ready))
    except (HomelabError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 -- a process of its own, whose log this is
        return 2
    return 0
