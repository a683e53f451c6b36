"""One WATCH: the changes a client has not seen, one JSON line each, until it is over. Layer: between store and server.

From apiserver ``pkg/endpoints/handlers/watch.go`` and ``pkg/storage/cacher``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

from homelab.lab.kubernetes.kinds import Kind
from homelab.lab.kubernetes.objects import Object, copy, namespace_of
from homelab.lab.kubernetes.refusals import Refusal, bad_request
from homelab.lab.kubernetes.requests import Options
from homelab.lab.kubernetes.store import Change, ChangeType, Store, storage_kind

Render: TypeAlias = Callable[[Object], Object]

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
BOOKMARK_EVERY = 30.0
LONGEST = 1800.0


class Watch:
    """One client's watch. ``silenced`` keeps the connection open and says nothing."""

    def __init__(self, store: Store, kind: Kind, namespace: str, options: Options, render: Render) -> None:
        """Start at the version ``options`` name; refuses with 400, and with 410 when that is forgotten."""
        self._store = store
        self._kind = kind
        self._namespace = namespace
        self._options = options
        self._render = render
        self._wanted = options.predicate(kind)
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._version = store.version
        self.silenced = False
        self._start()
        self._unsubscribe = store.subscribe(self._notice)

    def cut(self) -> None:
        """End the stream, as a proxy or a restarted server does."""
        self._queue.put_nowait(None)

    def expire(self) -> None:
        """Tell the client that its version is gone, in the stream, and end it."""
        refusal = Refusal(410, "Expired", f"too old resource version: {self._version} ({self._store.version})")
        self._send({"type": "ERROR", "object": refusal.status()})
        self._queue.put_nowait(None)

    def close(self) -> None:
        """Stop listening."""
        self._unsubscribe()

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield event lines until the client's timeout, a cut, or the longest a watch may last."""
        loop = asyncio.get_running_loop()
        end = loop.time() + min(self._options.timeout or LONGEST, LONGEST)
        while (left := end - loop.time()) > 0:
            try:
                line = await asyncio.wait_for(self._queue.get(), min(left, BOOKMARK_EVERY))
            except TimeoutError:
                if left > BOOKMARK_EVERY and self._options.bookmarks and not self.silenced:
                    yield self._bookmark()
                continue
            if line is None:
                return
            if not self.silenced:
                yield line
        if self._options.bookmarks and not self.silenced:
            yield self._bookmark()

    def _start(self) -> None:
        options = self._options
        if options.initial_events and options.version_match != "NotOlderThan":
            raise bad_request("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
        if options.initial_events or options.version in ("", "0"):
            for item in self._store.list(storage_kind(self._kind), self._namespace):
                if self._wanted(item):
                    self._send({"type": "ADDED", "object": self._render(item)})
            if options.initial_events and options.bookmarks:
                self._queue.put_nowait(self._bookmark(annotations={INITIAL_EVENTS_END: "true"}))
            return
        if not options.version.isdigit():
            raise bad_request(f'resourceVersion: Invalid value: "{options.version}": strconv.ParseUint: invalid syntax')
        for change in self._store.since(int(options.version)):
            self._notice(change)

    def _notice(self, change: Change) -> None:
        if change.kind != storage_kind(self._kind) or self._namespace not in ("", namespace_of(change.item)):
            return
        self._version = change.version
        now = change.type is not ChangeType.DELETED and self._wanted(change.item)
        before = change.before is not None and self._wanted(change.before)
        if now:
            self._send({"type": "MODIFIED" if before else "ADDED", "object": self._render(change.item)})
        elif before and change.before is not None:
            last = copy(change.item if change.type is ChangeType.DELETED else change.before)
            last["metadata"]["resourceVersion"] = str(change.version)
            self._send({"type": "DELETED", "object": self._render(last)})

    def _send(self, event: Object) -> None:
        self._queue.put_nowait(json.dumps(event, separators=(",", ":")).encode() + b"\n")

    def _bookmark(self, annotations: dict[str, str] | None = None) -> bytes:
        meta: Object = {"resourceVersion": str(self._store.version), "creationTimestamp": None}
        if annotations:
            meta["annotations"] = annotations
        item = {"kind": self._kind.kind, "apiVersion": self._kind.group_version, "metadata": meta}
        return json.dumps({"type": "BOOKMARK", "object": item}).encode() + b"\n"
