"""Who hears of what: pipeline events for the open event streams, lines for the open log streams.

All in memory and lossy, as upstream's: nothing is replayed, a slow log reader loses batches, and
nothing survives the server. Source: woodpecker server/pubsub, server/logging/log.go, server/api/stream.go.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from homelab.lab.woodpecker.records import LogLine

#: Batches a log reader may lag behind before it loses some.
MAX_BATCHES = 30
#: Lines of so many seconds make one batch while the reader has not taken it: an agent sends about once a second.
BATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Message:
    """One payload for the event streams, and whom it concerns."""

    repo_id: int
    public: bool
    payload: bytes


class EventBus:
    """Fan-out of messages to open event streams."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._listeners: dict[asyncio.Queue[bytes], frozenset[int]] = {}

    @contextmanager
    def listen(self, repo_ids: frozenset[int]) -> Iterator[asyncio.Queue[bytes]]:
        """Hear of public repositories and of these, until the block ends."""
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._listeners[queue] = repo_ids
        try:
            yield queue
        finally:
            del self._listeners[queue]

    def publish(self, message: Message) -> None:
        """Hand the payload to everyone it concerns."""
        for queue, repo_ids in self._listeners.items():
            if message.public or message.repo_id in repo_ids:
                queue.put_nowait(message.payload)


#: None ends a stream with eof.
Batch = list[LogLine] | None


@dataclass(slots=True, eq=False)
class Reader:
    """One open log stream: batches that wait for it, the last of which may still grow."""

    queue: asyncio.Queue[Batch] = field(default_factory=asyncio.Queue)
    _last: list[LogLine] = field(default_factory=list)
    _since: float = 0.0

    def offer(self, lines: list[LogLine]) -> None:
        """Hand over lines; they are lost when too many batches wait already."""
        if self.queue.qsize() and monotonic() - self._since < BATCH_SECONDS:
            self._last.extend(lines)
        elif self.queue.qsize() < MAX_BATCHES:
            self._last, self._since = list(lines), monotonic()
            self.queue.put_nowait(self._last)


class LogBus:
    """Fan-out of log lines to open log streams, by step id."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._readers: dict[int, list[Reader]] = defaultdict(list)

    @contextmanager
    def listen(self, step_id: int) -> Iterator[asyncio.Queue[Batch]]:
        """Hear of one step's lines until the block ends."""
        reader = Reader()
        self._readers[step_id].append(reader)
        try:
            yield reader.queue
        finally:
            self._readers[step_id].remove(reader)
            if not self._readers[step_id]:
                del self._readers[step_id]

    def write(self, step_id: int, lines: list[LogLine]) -> None:
        """Hand lines to the readers; one that lags too far behind silently misses them."""
        for reader in self._readers.get(step_id, ()):
            reader.offer(lines)

    def close(self, step_id: int) -> None:
        """End the streams of a step."""
        for reader in self._readers.get(step_id, ()):
            reader.queue.put_nowait(None)
