"""Writing lines to a stream whose reader may leave. Pure but for the stream."""

from __future__ import annotations

import errno
import os
from typing import TextIO

from homelab.errors import OutputLost

#: A reader that is gone wanted no more; a disk that is full has lost what was wanted.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Lines:
    """Whole lines to one stream; a reader that went away (``| head``) ends the writing, not the verb."""

    def __init__(self, stream: TextIO, *, answer: bool = False) -> None:
        """Write to ``stream`` until it breaks; it holds the ``answer``, or what may be lost."""
        self._stream: TextIO | None = stream
        self._answer = answer

    @property
    def gone(self) -> bool:
        """Say whether the reader went away."""
        return self._stream is None

    def write(self, line: str) -> None:
        """Write one line and flush it. Raises OutputLost once, where an answer cannot be kept."""
        if self._stream is None:
            return
        try:
            self._stream.write(self._encodable(line) + "\n")
            self._stream.flush()
        except (ValueError, OSError) as error:
            self._silence()
            if self._answer and isinstance(error, OSError) and error.errno in _FULL:
                raise OutputLost(error.strerror or str(error)) from None

    def _encodable(self, line: str) -> str:
        """Replace what the stream's encoding cannot say: a C locale must not end a verb."""
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        return line.encode(encoding, "backslashreplace").decode(encoding)

    def _silence(self) -> None:
        """Point the broken descriptor at nothing, so that the interpreter's last flush is quiet."""
        stream, self._stream = self._stream, None
        try:
            descriptor = os.open(os.devnull, os.O_WRONLY)
            os.dup2(descriptor, stream.fileno()) if stream is not None else None
            os.close(descriptor)
        except (OSError, ValueError):
            return
