"""Writes a file so that a reader sees the old one or the new one, never a part. Layer: the ground; knows only files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: str | bytes, *, mode: int = 0o600, durable: bool = False) -> None:
    """Put ``content`` in ``path``'s place at once; missing folders are made, open to their owner alone.

    ``durable``: it is on the disk before this returns, for what a crash of the machine must not
    take. Raises OSError, with nothing left behind and the old file as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # a name of its own: others may write too
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content.encode() if isinstance(content, str) else content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
