"""Event objects as components record them: repeated ones are counted, not multiplied. Layer: above the store.

Correlation as in client-go ``tools/record/events_cache.go``: same source, object, type, reason and message are one.
"""

from __future__ import annotations

from dataclasses import dataclass

from homelab.lab.kubernetes.kinds import EVENT
from homelab.lab.kubernetes.objects import Object, copy, stamp
from homelab.lab.kubernetes.store import Store


@dataclass(frozen=True, slots=True)
class Note:
    """One thing worth recording: ``severity`` is Normal or Warning, ``field`` a path inside ``about``."""

    severity: str
    about: Object
    reason: str
    message: str
    field: str
    host: str


class Recorder:
    """Records events in the name of one component."""

    def __init__(self, store: Store, component: str) -> None:
        """Write into ``store`` as ``component``, e.g. ``kubelet``."""
        self._store = store
        self._component = component
        self._seen: dict[tuple[str, ...], str] = {}

    def normal(self, about: Object, reason: str, message: str, *, field: str = "", host: str = "") -> None:
        """Record an event of type Normal."""
        self._record(Note("Normal", about, reason, message, field, host))

    def warning(self, about: Object, reason: str, message: str, *, field: str = "", host: str = "") -> None:
        """Record an event of type Warning."""
        self._record(Note("Warning", about, reason, message, field, host))

    def _record(self, note: Note) -> None:
        meta = note.about["metadata"]
        namespace = meta.get("namespace") or "default"
        key = (note.severity, str(meta.get("uid")), note.reason, note.message, note.field)
        known = self._store.find(EVENT, namespace, self._seen.get(key, ""))
        if known:
            counted = copy(known)
            counted["count"] += 1
            counted["lastTimestamp"] = stamp(self._store.now())
            self._store.update(EVENT, counted)
            return
        created = self._store.create(EVENT, self._event(note))
        self._seen[key] = created["metadata"]["name"]

    def _event(self, note: Note) -> Object:
        meta, now = note.about["metadata"], self._store.now()
        involved = {
            "kind": note.about["kind"],
            "namespace": meta.get("namespace"),
            "name": meta["name"],
            "uid": meta.get("uid"),
            "apiVersion": note.about["apiVersion"],
            "resourceVersion": meta.get("resourceVersion"),
            "fieldPath": note.field,
        }
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{meta['name']}.{int(now * 1e9) + self._store.version:x}",
                "namespace": meta.get("namespace") or "default",
            },
            "involvedObject": {key: value for key, value in involved.items() if value},
            "reason": note.reason,
            "message": note.message,
            "source": {"component": self._component, **({"host": note.host} if note.host else {})},
            "firstTimestamp": stamp(now),
            "lastTimestamp": stamp(now),
            "count": 1,
            "type": note.severity,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": note.host,
        }
