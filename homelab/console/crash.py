"""Our own bugs: the traceback goes to a file the user can send, never to the terminal."""

from __future__ import annotations

import os
import platform
import time
import traceback
from pathlib import Path

from homelab import __version__
from homelab.errors import OurBug
from homelab.world import World


def crash_log(error: BaseException, world: World) -> OurBug:
    """Write the traceback (no local values) to the state folder; return the error that names it."""
    name = type(error).__name__
    try:
        path: Path | None = _write(error, world.state_home / "crashes")
    except OSError:
        path = None
    return OurBug(
        f"homelab failed: {name}",
        why="this is a bug in homelab, not in your repository or servers",
        fix=f"report it with the file {path}" if path else "run again with a writable HOME to keep the details",
    )


def _write(error: BaseException, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.txt"
    head = f"homelab {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(head + "".join(traceback.format_exception(error)))
    return path
