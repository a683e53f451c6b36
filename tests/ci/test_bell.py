"""The event stream as a bell: what it opens, what it rings for, and what it costs when there is none."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Queue

import pytest

from homelab.ci.bell import PROVEN, UNPROVEN, Bell
from homelab.ci.port import Changes, Hint
from homelab.clock import SystemClock, Wake


class Told:
    """A stream that a test feeds; None ends it."""

    def __init__(self) -> None:
        self.hints: Queue[Hint | None] = Queue()

    def __iter__(self) -> Iterator[Hint]:
        while (hint := self.hints.get()) is not None:
            yield hint

    def close(self) -> None:
        self.hints.put(None)


class Server:
    def __init__(self) -> None:
        self.opened: list[Told] = []

    def changes(self) -> Changes | None:
        self.opened.append(Told())
        return self.opened[-1]


@pytest.fixture
def server() -> Server:
    return Server()


def test_nothing_is_opened_before_the_first_look(server: Server) -> None:
    with Bell(server, Wake(), SystemClock()) as bell:  # type: ignore[arg-type]
        before = len(server.opened)
        bell.tend()
        bell.tend()

    assert (before, len(server.opened)) == (0, 1)


def test_an_open_stream_asks_for_a_look_at_once_and_has_proven_nothing(server: Server) -> None:
    wake = Wake()
    with Bell(server, wake, SystemClock()) as bell:  # type: ignore[arg-type]
        bell.tend()
        server.opened[0].hints.put(Hint(0))
        rung = wake.wait(5)
        opened = bell.every()
        server.opened[0].hints.put(Hint(12))
        again = wake.wait(5)
        proven = bell.every()

    assert (rung, opened, again, proven) == (True, UNPROVEN, True, PROVEN)


def test_a_stream_that_ended_is_opened_again_only_after_a_pause(server: Server) -> None:
    with Bell(server, Wake(), SystemClock()) as bell:  # type: ignore[arg-type]
        bell.tend()
        server.opened[0].hints.put(None)
        for _ in range(5):
            bell.tend()

        assert len(server.opened) == 1
