from __future__ import annotations

import asyncio

from homelab.lab.woodpecker.bus import MAX_BATCHES, EventBus, LogBus, Message, Reader
from homelab.lab.woodpecker.records import LogLine


def line(number: int) -> LogLine:
    return LogLine(0, 7, number, 0, b"x")


def taken(queue: asyncio.Queue[list[LogLine] | None]) -> list[list[int] | None]:
    found = []
    while not queue.empty():
        batch = queue.get_nowait()
        found.append(None if batch is None else [one.line for one in batch])
    return found


def test_a_message_reaches_those_it_concerns() -> None:
    bus = EventBus()
    with bus.listen(frozenset({1})) as mine, bus.listen(frozenset()) as guest:
        bus.publish(Message(1, public=False, payload=b"private"))
        bus.publish(Message(2, public=False, payload=b"other"))
        bus.publish(Message(2, public=True, payload=b"public"))
        assert [mine.get_nowait(), mine.get_nowait(), mine.empty()] == [b"private", b"public", True]
        assert [guest.get_nowait(), guest.empty()] == [b"public", True]


def test_lines_that_wait_together_are_one_batch() -> None:
    bus = LogBus()
    with bus.listen(7) as queue, bus.listen(8) as other:
        bus.write(7, [line(0)])
        bus.write(7, [line(1), line(2)])
        bus.close(7)
        assert taken(queue) == [[0, 1, 2], None]
        assert other.empty()


def test_a_batch_that_was_taken_does_not_grow() -> None:
    bus = LogBus()
    with bus.listen(7) as queue:
        bus.write(7, [line(0)])
        first = queue.get_nowait()
        bus.write(7, [line(1)])
        assert first == [line(0)]
        assert taken(queue) == [[1]]


def test_a_reader_that_lags_too_far_behind_loses_lines() -> None:
    reader = Reader()
    for number in range(MAX_BATCHES + 5):
        reader._since = 0.0
        reader.offer([line(number)])
    assert taken(reader.queue) == [[number] for number in range(MAX_BATCHES)]


def test_nobody_listens_after_leaving() -> None:
    bus = LogBus()
    with bus.listen(7):
        pass
    bus.write(7, [line(0)])
    assert not bus._readers
