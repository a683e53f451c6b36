"""``python -m homelab.lab.woodpecker``: the server in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from homelab.errors import HomelabError
from homelab.lab.woodpecker.config import load
from homelab.lab.woodpecker.server import serve


def main() -> int:
    """Serve until SIGTERM; 2 for a configuration that cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m homelab.lab.woodpecker", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder for the database and the hook's address")
    parser.add_argument("--ready", type=Path, required=True, help="file to write port and pid to when serving")
    parser.add_argument("--config", type=Path, required=True, help="JSON file with users and repositories")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--lab-controls", action="store_true", help="open /_lab/ for tests of clients")
    options = parser.parse_args()
    try:
        config = load(options.config)
        serving = serve(
            config, options.state, port=options.port, ready=options.ready, lab_controls=options.lab_controls
        )
        asyncio.run(serving)
    except (HomelabError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 -- a process of its own, whose log this is
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
