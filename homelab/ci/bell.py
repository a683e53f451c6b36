"""The event stream as a bell: a thread reads it and rings a :class:`~homelab.clock.Wake`.

What a hint says is never believed: the woken poll looks for itself. A stream that breaks, stays
mute behind a buffering proxy or does not exist changes nothing but the rhythm. Layer: ci.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from homelab.ci.port import Changes, CiRepository
from homelab.clock import Clock, Wake
from homelab.errors import HomelabError

#: Seconds between looks: before a stream has proven itself by an event, and after.
UNPROVEN, PROVEN = 3.0, 10.0
#: Seconds before a broken stream is opened again, doubling up to the largest.
REOPEN_FIRST, REOPEN_LARGEST = 1.0, 60.0
JOIN = 1.0


class Bell:
    """Rings ``wake`` on every hint while the ``with`` block lasts."""

    def __init__(self, ci: CiRepository, wake: Wake, clock: Clock) -> None:
        """Open nothing yet."""
        self._ci, self._wake, self._clock = ci, wake, clock
        self._changes: Changes | None = None
        self._thread: threading.Thread | None = None
        self._proven = False
        self._pause = REOPEN_FIRST
        self._reopen_at = 0.0

    def __enter__(self) -> Self:
        """Listen from the first :meth:`tend` on."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening; the thread is waited for only briefly and never keeps the process."""
        if self._changes is not None:
            self._changes.close()
        if self._thread is not None:
            self._thread.join(JOIN)

    def every(self) -> float:
        """Return the seconds until the next look, rung or not."""
        return PROVEN if self._proven and self._listening() else UNPROVEN

    def tend(self) -> None:
        """Open the stream where none is being read and it is time. Call it at each look."""
        if self._listening() or self._clock.monotonic() < self._reopen_at:
            return
        self._reopen_at = self._clock.monotonic() + self._pause
        self._pause = min(self._pause * 2, REOPEN_LARGEST)
        try:
            self._changes = self._ci.changes()
        except HomelabError:
            return
        if self._changes is not None:
            self._thread = threading.Thread(target=self._listen, args=(self._changes,), name="ci-bell", daemon=True)
            self._thread.start()

    def _listening(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _listen(self, changes: Changes) -> None:
        try:
            for hint in changes:
                if hint.number:
                    self._proven, self._pause = True, REOPEN_FIRST
                self._wake.ring()
        except Exception:  # noqa: BLE001, S110 -- the poll is the truth; a broken stream is only a slower one
            pass
        finally:
            changes.close()
