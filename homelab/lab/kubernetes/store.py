"""The objects, one counter of versions, and the log of changes that watches read. Layer: state of the lab cluster.

Knows no HTTP and no meaning of a kind. Single-threaded: whoever holds it runs on one event loop. What it hands out
is shared and must not be changed in place; copy first.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from homelab.lab.kubernetes.kinds import EVENT, NEW_EVENT, Kind
from homelab.lab.kubernetes.objects import Object, canonical, copy, name_of, namespace_of, stamp
from homelab.lab.kubernetes.refusals import already_exists, conflict, gone, not_found

REMEMBERED = 5000


class ChangeType(StrEnum):
    """What happened, in the words of a watch."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Change:
    """One write: the object after it, and before it (None when it is new)."""

    type: ChangeType
    kind: Kind
    item: Object
    before: Object | None
    version: int


Key: TypeAlias = tuple[Kind, str, str]
Listener: TypeAlias = Callable[[Change], None]


def storage_kind(kind: Kind) -> Kind:
    """Return the kind under which objects are kept: both event APIs show one store."""
    return EVENT if kind == NEW_EVENT else kind


def new_uid() -> str:
    """Return a uid nobody else has."""
    return str(uuid.uuid4())


class Store:
    """Every object of the cluster. ``now`` is Unix time in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Start empty, at version 1."""
        self.now = now
        self.version = 1
        self.oldest = 1
        self._items: dict[Kind, dict[tuple[str, str], Object]] = {}
        self._dependents: dict[str, dict[Key, None]] = {}
        self._log: deque[Change] = deque(maxlen=REMEMBERED)
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` on every change; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Return the object, or None."""
        return self._items.get(kind, {}).get((namespace, name))

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """Return the object; refuses with 404."""
        found = self.find(kind, namespace, name)
        if found is None:
            raise not_found(kind, name)
        return found

    def list(self, kind: Kind, namespace: str = "") -> list[Object]:
        """Return the objects of a namespace, of all when empty, in order of namespace and name."""
        items = self._items.get(kind, {})
        return [items[key] for key in sorted(items) if namespace in ("", key[0])]

    def dependents(self, uid: str) -> Sequence[tuple[Kind, Object]]:
        """Return the objects with an owner reference to ``uid``, each with its kind."""
        keys = self._dependents.get(uid, {})
        return [(kind, self._items[kind][namespace, name]) for kind, namespace, name in keys]

    def everything(self) -> Iterator[tuple[Kind, Object]]:
        """Yield each object with its kind."""
        for kind, items in self._items.items():
            for item in items.values():
                yield kind, item

    def create(self, kind: Kind, item: Object) -> Object:
        """Keep a new object, under a new uid unless it has one; refuses with 409 when the name is taken."""
        item = copy(item)
        meta = item["metadata"]
        key = (namespace_of(item), name_of(item))
        if key in self._items.get(kind, {}):
            raise already_exists(kind, key[1])
        meta["uid"] = meta.get("uid") or new_uid()
        meta["creationTimestamp"] = stamp(self.now())
        return self._write(ChangeType.ADDED, kind, item, None)

    def update(self, kind: Kind, item: Object) -> Object:
        """Replace an object. A ``resourceVersion`` in it must be the current one (409); an equal object is no write."""
        before = self.get(kind, namespace_of(item), name_of(item))
        claimed = item["metadata"].get("resourceVersion")
        if claimed and claimed != before["metadata"]["resourceVersion"]:
            raise conflict(kind, name_of(item))
        item = copy(item)
        item["metadata"] |= {key: before["metadata"][key] for key in ("uid", "creationTimestamp", "resourceVersion")}
        if canonical(item) == canonical(before):
            return before
        return self._write(ChangeType.MODIFIED, kind, item, before)

    def remove(self, kind: Kind, namespace: str, name: str) -> Object:
        """Take the object out; refuses with 404."""
        before = self.get(kind, namespace, name)
        return self._write(ChangeType.DELETED, kind, copy(before), before)

    def restore(self, kind: Kind, item: Object) -> None:
        """Put back an object from an earlier run as it was, without telling anyone."""
        self._items.setdefault(kind, {})[namespace_of(item), name_of(item)] = item
        self._index(kind, None, item)

    def start_at(self, version: int) -> None:
        """Go on from the version an earlier run ended at; everything before it is forgotten."""
        self.version = self.oldest = version

    def since(self, version: int) -> Sequence[Change]:
        """Return the changes after ``version``; refuses with 410 when they are no longer remembered."""
        if version < self.oldest:
            raise gone(f"too old resource version: {version} ({self.oldest})")
        return [change for change in self._log if change.version > version]

    def forget(self) -> None:
        """Forget every past change, as etcd does when it compacts: older versions are gone (410)."""
        self._log.clear()
        self.version += 1
        self.oldest = self.version

    def _write(self, kind_of_change: ChangeType, kind: Kind, item: Object, before: Object | None) -> Object:
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        items = self._items.setdefault(kind, {})
        key = (namespace_of(item), name_of(item))
        if kind_of_change is ChangeType.DELETED:
            items.pop(key)
        else:
            items[key] = item
        self._index(kind, before, None if kind_of_change is ChangeType.DELETED else item)
        change = Change(kind_of_change, kind, item, before, self.version)
        if len(self._log) == REMEMBERED:
            self.oldest = self._log[0].version
        self._log.append(change)
        for listener in tuple(self._listeners):
            listener(change)
        return item

    def _index(self, kind: Kind, before: Object | None, after: Object | None) -> None:
        for item, keep in ((before, False), (after, True)):
            for owner in (item["metadata"].get("ownerReferences") or []) if item else []:
                keys = self._dependents.setdefault(owner["uid"], {})
                key = (kind, namespace_of(item), name_of(item)) if item else None
                if keep and key:
                    keys[key] = None
                elif key:
                    keys.pop(key, None)
                if not keys:
                    del self._dependents[owner["uid"]]
