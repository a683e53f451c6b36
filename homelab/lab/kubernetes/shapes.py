"""How stored objects look on the wire: both event APIs, lists, scales. Layer: pure."""

from __future__ import annotations

from homelab.lab.kubernetes.kinds import NEW_EVENT, Kind
from homelab.lab.kubernetes.objects import Object


def shown(kind: Kind, item: Object) -> Object:
    """Return the object as the API ``kind`` shows it."""
    return _new_event(item) if kind == NEW_EVENT else item


def _new_event(item: Object) -> Object:
    """Return a core event as ``events.k8s.io/v1`` (``pkg/apis/events/v1/conversion.go``)."""
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": item["metadata"],
        "eventTime": item.get("eventTime"),
        "reportingController": item.get("reportingComponent", ""),
        "reportingInstance": item.get("reportingInstance", ""),
        "reason": item.get("reason", ""),
        "note": item.get("message", ""),
        "type": item.get("type", ""),
        "regarding": item.get("involvedObject", {}),
        "deprecatedSource": item.get("source", {}),
        "deprecatedFirstTimestamp": item.get("firstTimestamp"),
        "deprecatedLastTimestamp": item.get("lastTimestamp"),
        "deprecatedCount": item.get("count", 1),
    }


def listed(kind: Kind, items: list[Object], version: int) -> Object:
    """Return a list object; its items carry no kind of their own, as the real server leaves them out."""
    bare = [
        {key: value for key, value in shown(kind, item).items() if kind.custom or key not in ("apiVersion", "kind")}
        for item in items
    ]
    return {
        "kind": f"{kind.kind}List",
        "apiVersion": kind.group_version,
        "metadata": {"resourceVersion": str(version)},
        "items": bare,
    }


def scale_of(item: Object) -> Object:
    """Return the Scale of a workload."""
    labels = (item["spec"].get("selector") or {}).get("matchLabels") or {}
    meta = {key: item["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": meta,
        "spec": {"replicas": item["spec"].get("replicas", 1)},
        "status": {
            "replicas": (item.get("status") or {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }
