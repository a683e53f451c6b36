"""Event objects as components record them: repeated ones are counted, not multiplied. Layer: above the store.

Correlation as in client-go ``tools/record/events_cache.go``: same source, object, type, reason and message are one.
"""

from __future__ import annotations

from homelab.lab.kubernetes.kinds import EVENT
from homelab.lab.kubernetes.objects import Object, copy, stamp
from homelab.lab.kubernetes.store import Store

KEPT_SECONDS = 3600.0


class Recorder:
    """Records events in the name of one component."""

    def __init__(self, store: Store, component: str) -> None:
        """Write into ``store`` as ``component``, e.g. ``kubelet``."""
        self._store = store
        self._component = component
        self._seen: dict[tuple[str, ...], str] = {}

    def normal(self, about: Object, reason: str, message: str, *, field: str = "", host: str = "") -> None:
        """Record an event of type Normal."""
        self._record("Normal", about, reason, message, field, host)

    def warning(self, about: Object, reason: str, message: str, *, field: str = "", host: str = "") -> None:
        """Record an event of type Warning."""
        self._record("Warning", about, reason, message, field, host)

    def _record(self, severity: str, about: Object, reason: str, message: str, field: str, host: str) -> None:
        meta = about["metadata"]
        namespace = meta.get("namespace") or "default"
        key = (severity, str(meta.get("uid")), reason, message, field)
        known = self._store.find(EVENT, namespace, self._seen.get(key, ""))
        if known:
            counted = copy(known)
            counted["count"] += 1
            counted["lastTimestamp"] = stamp(self._store.now())
            self._store.update(EVENT, counted)
            return
        created = self._store.create(EVENT, self._event(severity, about, reason, message, field, host))
        self._seen[key] = created["metadata"]["name"]

    def _event(self, severity: str, about: Object, reason: str, message: str, field: str, host: str) -> Object:
        meta, now = about["metadata"], self._store.now()
        involved = {
            "kind": about["kind"],
            "namespace": meta.get("namespace"),
            "name": meta["name"],
            "uid": meta.get("uid"),
            "apiVersion": about["apiVersion"],
            "resourceVersion": meta.get("resourceVersion"),
            "fieldPath": field,
        }
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{meta['name']}.{int(now * 1e9) + self._store.version:x}",
                "namespace": meta.get("namespace") or "default",
            },
            "involvedObject": {key: value for key, value in involved.items() if value},
            "reason": reason,
            "message": message,
            "source": {"component": self._component, **({"host": host} if host else {})},
            "firstTimestamp": stamp(now),
            "lastTimestamp": stamp(now),
            "count": 1,
            "type": severity,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": host,
        }
