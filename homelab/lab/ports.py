"""Which port each part of a lab listens on, so that one started again is found where it was. Layer: lab."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from homelab.errors import Unreachable
from homelab.whole_file import write_whole


class Ports:
    """The ports by part, in one JSON file."""

    def __init__(self, path: Path) -> None:
        """``path`` need not exist yet."""
        self._path = path

    def of(self, name: str) -> int:
        """Return the port the part listens on, or did last; 0 for a part that was never started."""
        return self._all().get(name, 0)

    def again(self, name: str) -> int:
        """Return the port for starting the part: the one it had, or 0 (any) where another process took it."""
        port = self.of(name)
        return port if port and is_free(port) else 0

    def keep(self, name: str, port: int) -> int:
        """Remember ``port`` as the part's; return it."""
        write_whole(self._path, json.dumps({**self._all(), name: port}, indent=1))
        return port

    def _all(self) -> dict[str, int]:
        try:
            return {str(name): int(port) for name, port in json.loads(self._path.read_text()).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}


def is_free(port: int) -> bool:
    """Say whether a server may listen on this loopback port now."""
    with socket.socket() as probe:
        # Connections of an earlier server that are still fading do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def claim_port(port: int) -> int:
    """Return ``port``, or a free one for 0. Raises Unreachable when another process listens there."""
    if port and not is_free(port):
        raise Unreachable(
            f"port {port} of this machine is taken",
            why="another process listens there, so a server of the lab cannot",
            fix="homelab lab down, then: homelab lab up",
        )
    return port or free_port()


def free_port() -> int:
    """Return a loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
