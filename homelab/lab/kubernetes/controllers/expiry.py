"""Forgets events an hour after they were last seen, as the real server does (``--event-ttl``). Layer: controller."""

from __future__ import annotations

from collections.abc import Iterable

from homelab.lab.kubernetes.controllers.loop import Name
from homelab.lab.kubernetes.kinds import EVENT
from homelab.lab.kubernetes.objects import name_of, namespace_of, seconds
from homelab.lab.kubernetes.store import Change, Store

KEPT = 3600.0


class Expiry:
    """The event time-out."""

    name = "expiry"

    def __init__(self, store: Store) -> None:
        """Forget events of ``store``."""
        self._store = store

    def concerns(self, change: Change) -> Iterable[Name]:
        """New events; seen ones are looked at when their time comes."""
        new = change.kind == EVENT and change.type == "ADDED"
        return [(namespace_of(change.item), name_of(change.item))] if new else []

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Remove the event or wait for its time."""
        event = self._store.find(EVENT, namespace, name)
        if event is None:
            return None
        last = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]
        left = seconds(last) + KEPT - self._store.now()
        if left > 0:
            return left
        self._store.remove(EVENT, namespace, name)
        return None
