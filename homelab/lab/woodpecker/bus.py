"""Who hears of what: pipeline events for the open event streams, lines for the open log streams.

All in memory and lossy, as upstream's: nothing is replayed, a slow log reader loses batches, and
nothing survives the server. Source: woodpecker server/pubsub, server/logging/log.go, server/api/stream.go.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from homelab.lab.woodpecker.records import LogLine

#: Batches a log reader may lag behind before it loses some.
MAX_BATCHES = 30


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


class LogBus:
    """Fan-out of log lines to open log streams, by step id."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._listeners: dict[int, list[asyncio.Queue[Batch]]] = defaultdict(list)

    @contextmanager
    def listen(self, step_id: int) -> Iterator[asyncio.Queue[Batch]]:
        """Hear of one step's lines until the block ends."""
        queue: asyncio.Queue[Batch] = asyncio.Queue()
        self._listeners[step_id].append(queue)
        try:
            yield queue
        finally:
            self._listeners[step_id].remove(queue)
            if not self._listeners[step_id]:
                del self._listeners[step_id]

    def write(self, step_id: int, lines: list[LogLine]) -> None:
        """Hand lines to the readers; one that lags too far behind silently misses them."""
        for queue in self._listeners.get(step_id, ()):
            if queue.qsize() < MAX_BATCHES:
                queue.put_nowait(lines)

    def close(self, step_id: int) -> None:
        """End the streams of a step."""
        for queue in self._listeners.get(step_id, ()):
            queue.put_nowait(None)
