"""``python -m homelab.lab.registry``: serve a registry until SIGTERM. Layer: entry point."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from pathlib import Path

from aiohttp import web

from homelab.lab.ready import announce, told_to_stop
from homelab.lab.registry.server import Registry
from homelab.lab.registry.storage import Storage


def main(argv: list[str] | None = None) -> int:
    """Serve until told to stop; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m homelab.lab.registry", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder for blobs and manifests")
    parser.add_argument("--ready", type=Path, required=True, help='file that gets {"port": N, "pid": N} when serving')
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--users-file", type=Path, help="JSON object of user names and passwords; then tokens are needed"
    )
    options = parser.parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(_serve(options))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    stopping = told_to_stop()
    users = json.loads(options.users_file.read_text()) if options.users_file else {}
    app = Registry(Storage(options.state), users).application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port).start()
    port = runner.addresses[0][1]
    announce(options.ready, port)
    logging.getLogger(__name__).info("serving http://127.0.0.1:%d", port)
    await stopping.wait()
    await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
