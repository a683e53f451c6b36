"""Server-side Tables: the columns kubectl shows. Layer: pure.

Columns from ``pkg/printers/internalversion/printers.go``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from homelab.lab.kubernetes.ages import age
from homelab.lab.kubernetes.kinds import (
    CONFIG_MAP,
    DAEMON_SET,
    DEPLOYMENT,
    EVENT,
    JOB,
    NAMESPACE,
    NEW_EVENT,
    NODE,
    POD,
    REPLICA_SET,
    REVISION,
    SERVICE,
    STATEFUL_SET,
    Kind,
)
from homelab.lab.kubernetes.objects import Object, condition, controller_of, deleting, name_of, seconds

Column: TypeAlias = tuple[str, str, int]
"""Name, type, and priority: 0 always shown, 1 with ``-o wide``."""
Cells: TypeAlias = Callable[[Object, float], list[Any]]


def wants_table(accept: str) -> bool:
    """Say whether an Accept header prefers a Table."""
    return "as=Table" in accept.split(",", maxsplit=1)[0]


def render_table(kind: Kind, items: list[Object], now: float, *, version: int, headed: bool = True) -> Object:
    """Return a Table of ``items``; rows carry the metadata of their object, as clients ask by default."""
    columns, cells = _BY_KIND.get(kind, _OTHER)
    rows = [
        {
            "cells": cells(item, now),
            "object": {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": item["metadata"],
            },
        }
        for item in items
    ]
    body: Object = {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": str(version)} if version else {},
        "columnDefinitions": [_definition(*column) for column in columns] if headed else None,
        "rows": rows,
    }
    return body


def _definition(name: str, kind: str, priority: int) -> Object:
    shape = "name" if name == "Name" else ""
    return {"name": name, "type": kind, "format": shape, "description": name, "priority": priority}


def _age(item: Object, now: float) -> str:
    return age(item["metadata"].get("creationTimestamp"), now)


def _containers(item: Object) -> list[str]:
    found = item["spec"]["template"]["spec"]["containers"]
    return [",".join(one["name"] for one in found), ",".join(one["image"] for one in found)]


def _selector(item: Object) -> str:
    labels = (item["spec"].get("selector") or {}).get("matchLabels") or {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _count(item: Object, name: str) -> int:
    return int((item.get("status") or {}).get(name, 0))


def _deployment(item: Object, now: float) -> list[Any]:
    wanted = item["spec"].get("replicas", 1)
    counters = [
        f"{_count(item, 'readyReplicas')}/{wanted}",
        _count(item, "updatedReplicas"),
        _count(item, "availableReplicas"),
    ]
    return [name_of(item), *counters, _age(item, now), *_containers(item), _selector(item)]


def _replica_set(item: Object, now: float) -> list[Any]:
    counters = [item["spec"].get("replicas", 1), _count(item, "replicas"), _count(item, "readyReplicas")]
    return [name_of(item), *counters, _age(item, now), *_containers(item), _selector(item)]


def _stateful_set(item: Object, now: float) -> list[Any]:
    ready = f"{_count(item, 'readyReplicas')}/{item['spec'].get('replicas', 1)}"
    return [name_of(item), ready, _age(item, now), *_containers(item)]


def _daemon_set(item: Object, now: float) -> list[Any]:
    names = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    nodes = item["spec"]["template"]["spec"].get("nodeSelector") or {}
    shown = ",".join(f"{key}={value}" for key, value in sorted(nodes.items())) or "<none>"
    return [
        name_of(item),
        *(_count(item, name) for name in names),
        shown,
        _age(item, now),
        *_containers(item),
        _selector(item),
    ]


def pod_reason(pod: Object) -> str:
    """Return the word of the STATUS column."""
    status = pod.get("status") or {}
    if deleting(pod):
        return "Terminating"
    inits = status.get("initContainerStatuses") or []
    for n, one in enumerate(inits):
        state = one["state"]
        if state.get("terminated", {}).get("exitCode") == 0:
            continue
        if "terminated" in state:
            return f"Init:{state['terminated'].get('reason') or 'Error'}"
        reason = state.get("waiting", {}).get("reason", "")
        return f"Init:{reason}" if reason and reason != "PodInitializing" else f"Init:{n}/{len(inits)}"
    reason = str(status.get("reason") or status.get("phase") or "Unknown")
    for one in reversed(status.get("containerStatuses") or []):
        found = one["state"].get("waiting") or one["state"].get("terminated") or {}
        reason = str(found.get("reason") or reason)
    return reason


def _pod(item: Object, now: float) -> list[Any]:
    statuses = (item.get("status") or {}).get("containerStatuses") or []
    total = len(item["spec"]["containers"])
    restarts = sum(one["restartCount"] for one in statuses)
    ends = [one["lastState"]["terminated"]["finishedAt"] for one in statuses if one["lastState"].get("terminated")]
    shown: Any = f"{restarts} ({age(max(ends), now)} ago)" if restarts and ends else str(restarts)
    ready = sum(one["ready"] for one in statuses)
    where = [item["status"].get("podIP") or "<none>", item["spec"].get("nodeName") or "<none>", "<none>", "<none>"]
    return [name_of(item), f"{ready}/{total}", pod_reason(item), shown, _age(item, now), *where]


def _event(item: Object, now: float) -> list[Any]:
    about = item.get("involvedObject") or {}
    last = item.get("lastTimestamp") or item.get("eventTime")
    source = (item.get("source") or {}).get("component") or item.get("reportingComponent") or ""
    first = item.get("firstTimestamp") or item.get("eventTime")
    return [
        age(last, now),
        item.get("type", ""),
        item.get("reason", ""),
        f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}",
        about.get("fieldPath", ""),
        source,
        str(item.get("message", "")).strip(),
        age(first, now),
        item.get("count", 1),
        name_of(item),
    ]


def _node(item: Object, now: float) -> list[Any]:
    found = condition(item, "Ready")
    words = ["Ready" if found and found["status"] == "True" else "NotReady"]
    if item["spec"].get("unschedulable"):
        words.append("SchedulingDisabled")
    facts = (item.get("status") or {}).get("nodeInfo") or {}
    prefix = "node-role.kubernetes.io/"
    labels = item["metadata"].get("labels") or {}
    roles = ",".join(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))) or "<none>"
    wide = [
        "127.0.0.1",
        "<none>",
        facts.get("osImage"),
        facts.get("kernelVersion"),
        facts.get("containerRuntimeVersion"),
    ]
    return [name_of(item), ",".join(words), roles, _age(item, now), facts.get("kubeletVersion"), *wide]


def _service(item: Object, now: float) -> list[Any]:
    spec = item.get("spec") or {}
    ports = ",".join(f"{one['port']}/{one.get('protocol', 'TCP')}" for one in spec.get("ports") or []) or "<none>"
    chosen = ",".join(f"{key}={value}" for key, value in sorted((spec.get("selector") or {}).items())) or "<none>"
    return [name_of(item), spec.get("type"), spec.get("clusterIP") or "None", "<none>", ports, _age(item, now), chosen]


def _job(item: Object, now: float) -> list[Any]:
    done = _count(item, "succeeded")
    status = "Running"
    for name, word in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")):
        if (found := condition(item, name)) and found["status"] == "True":
            status = word
    start, end = item.get("status", {}).get("startTime"), item.get("status", {}).get("completionTime")
    took = age(start, seconds(end) if end else now) if start else ""
    wanted = f"{done}/{item['spec'].get('completions', 1)}"
    return [name_of(item), status, wanted, took, _age(item, now), *_containers(item), _selector(item)]


def _revision(item: Object, now: float) -> list[Any]:
    owner = controller_of(item)
    shown = f"{owner['kind'].lower()}.apps/{owner['name']}" if owner else "<none>"
    return [name_of(item), shown, item.get("revision", 0), _age(item, now)]


def _columns(always: str, wide: str = "") -> list[Column]:
    numbers = {"Up-to-date", "Available", "Desired", "Current", "Count", "Revision", "Data"}

    def kind(name: str) -> str:
        return "integer" if name in numbers else "string"

    shown = [(name.replace("_", " "), kind(name), 0) for name in always.split()]
    return shown + [(name.replace("_", " "), kind(name), 1) for name in wide.split()]


_EVENTS = (
    [
        ("Last Seen", "string", 0),
        ("Type", "string", 0),
        ("Reason", "string", 0),
        ("Object", "string", 0),
        ("Subobject", "string", 1),
        ("Source", "string", 1),
        ("Message", "string", 0),
        ("First Seen", "string", 1),
        ("Count", "string", 1),
        ("Name", "string", 1),
    ],
    _event,
)

_OTHER: tuple[list[Column], Cells] = (_columns("Name Age"), lambda item, now: [name_of(item), _age(item, now)])
_BY_KIND: dict[Kind, tuple[list[Column], Cells]] = {
    DEPLOYMENT: (_columns("Name Ready Up-to-date Available Age", "Containers Images Selector"), _deployment),
    REPLICA_SET: (_columns("Name Desired Current Ready Age", "Containers Images Selector"), _replica_set),
    STATEFUL_SET: (_columns("Name Ready Age", "Containers Images"), _stateful_set),
    DAEMON_SET: (
        _columns("Name Desired Current Ready Up-to-date Available Node_Selector Age", "Containers Images Selector"),
        _daemon_set,
    ),
    POD: (_columns("Name Ready Status Restarts Age", "IP Node Nominated_Node Readiness_Gates"), _pod),
    EVENT: _EVENTS,
    NEW_EVENT: _EVENTS,
    NODE: (
        _columns("Name Status Roles Age Version", "Internal-IP External-IP OS-Image Kernel-Version Container-Runtime"),
        _node,
    ),
    NAMESPACE: (
        _columns("Name Status Age"),
        lambda item, now: [name_of(item), (item.get("status") or {}).get("phase"), _age(item, now)],
    ),
    SERVICE: (_columns("Name Type Cluster-IP External-IP Port(s) Age", "Selector"), _service),
    CONFIG_MAP: (
        _columns("Name Data Age"),
        lambda item, now: [
            name_of(item),
            len(item.get("data") or {}) + len(item.get("binaryData") or {}),
            _age(item, now),
        ],
    ),
    JOB: (_columns("Name Status Completions Duration Age", "Containers Images Selector"), _job),
    REVISION: (_columns("Name Controller Revision Age"), _revision),
}
