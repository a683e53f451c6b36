"""What signals do while a child of ours is being started. Layer: the bottom of the git adapter."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def ignoring(*numbers: int) -> Iterator[None]:
    """Ignore these signals inside: what is started there inherits that. Elsewhere than in the main thread: nothing."""
    here = numbers if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, signal.SIG_IGN) for number in here}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class HeldBack:
    """Keeps signals that come while a child is being started until somebody can pass them on to it.

    An exception inside ``Popen`` would leave a child that runs on and that nobody knows.
    """

    def __init__(self) -> None:
        """Begin to keep them, in the main thread; elsewhere none come."""
        self._handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._came: list[int] = []
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._keep)

    def _keep(self, number: int, _frame: FrameType | None) -> None:
        self._came.append(number)

    def release(self) -> None:
        """Put the handlers back; raise what the first signal that came raises. Again: nothing."""
        handlers, self._handlers = self._handlers, {}
        for number, handler in handlers.items():
            signal.signal(number, handler)
        came, self._came = self._came, []
        for number in came:
            handlers[number](number, None)
