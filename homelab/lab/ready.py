"""What every server of the lab says and hears: it listens now, and it is to stop. Layer: lab; knows no server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

from homelab.whole_file import write_whole


def announce(ready: Path, port: int) -> None:
    """Say in the file ``ready`` that this process serves on ``port``: ``{"port": N, "pid": N}``."""
    write_whole(ready, json.dumps({"port": port, "pid": os.getpid()}))


def read_ready(ready: Path) -> dict[str, Any] | None:
    """Return what :func:`announce` wrote, or None: not yet."""
    try:
        said: dict[str, Any] = json.loads(ready.read_text())
    except (OSError, ValueError):
        return None
    return said


def told_to_stop() -> asyncio.Event:
    """Return what SIGTERM and SIGINT set from now on, in the running loop."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told
