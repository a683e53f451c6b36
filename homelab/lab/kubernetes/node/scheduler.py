"""Binds pods to nodes, or says why none fits. Layer: a controller.

Messages from ``pkg/scheduler/framework/types.go`` and its plugins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from homelab.lab.kubernetes.controllers.loop import Name
from homelab.lab.kubernetes.kinds import NODE, POD
from homelab.lab.kubernetes.node.taints import UNSCHEDULABLE, untolerated
from homelab.lab.kubernetes.objects import (
    Object,
    condition,
    copy,
    deleting,
    labels_of,
    name_of,
    namespace_of,
    seconds,
    stamp,
)
from homelab.lab.kubernetes.recorder import Recorder
from homelab.lab.kubernetes.store import Change, Store


class Scheduler:
    """The scheduler; ``delay`` is the seconds from a pod's creation to its binding."""

    name = "scheduler"

    def __init__(self, store: Store, delay: float) -> None:
        """Bind the pods of ``store``."""
        self._store = store
        self._delay = delay
        self._events = Recorder(store, "default-scheduler")
        self._first_seen: dict[str, float] = {}

    def concerns(self, change: Change) -> Iterable[Name]:
        """Unbound pods; all of them when a node changed or a pod left."""
        if change.kind == POD and change.type != "DELETED":
            return [] if change.item["spec"].get("nodeName") else [(namespace_of(change.item), name_of(change.item))]
        if change.kind in (NODE, POD):
            return [
                (namespace_of(pod), name_of(pod)) for pod in self._store.list(POD) if not pod["spec"].get("nodeName")
            ]
        return []

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Bind the pod or say why not."""
        pod = self._store.find(POD, namespace, name)
        if pod is None or pod["spec"].get("nodeName") or deleting(pod):
            return None
        now = self._store.now()
        left = self._first_seen.setdefault(pod["metadata"]["uid"], now) + self._delay - now
        if left > 0:
            return left
        if pod["spec"].get("schedulingGates"):
            text = "Scheduling is blocked due to non-empty scheduling gates"
            self._refuse(pod, "SchedulingGated", text)
            return None
        nodes = self._store.list(NODE)
        reasons = {name_of(node): self._objection(pod, node) for node in nodes}
        fitting = [node for node in nodes if not reasons[name_of(node)]]
        if not fitting:
            self._unschedulable(pod, [reason for reason in reasons.values() if reason])
            return None
        load = Counter(str(one["spec"].get("nodeName")) for one in self._store.list(POD))
        self._bind(pod, min((name_of(node) for node in fitting), key=lambda node: (load[node], node)))
        self._first_seen.pop(pod["metadata"]["uid"], None)
        return None

    def _objection(self, pod: Object, node: Object) -> str:
        taint = untolerated(node, pod["spec"].get("tolerations") or [], ("NoSchedule", "NoExecute"))
        if taint and taint["key"] == UNSCHEDULABLE:
            return "node(s) were unschedulable"
        if taint:
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
        wanted = (pod["spec"].get("nodeSelector") or {}).items()
        if not wanted <= labels_of(node).items() or not _affine(pod, node):
            return "node(s) didn't match Pod's node affinity/selector"
        return ""

    def _unschedulable(self, pod: Object, reasons: list[str]) -> None:
        total = len(self._store.list(NODE))
        if not total:
            self._refuse(pod, "Unschedulable", "no nodes available to schedule pods", tell=True)
            return
        counted = ", ".join(f"{count} {reason}" for reason, count in sorted(Counter(reasons).items()))
        tail = f"preemption: 0/{total} nodes are available: {total} Preemption is not helpful for scheduling."
        self._refuse(pod, "Unschedulable", f"0/{total} nodes are available: {counted}. {tail}", tell=True)

    def _refuse(self, pod: Object, reason: str, message: str, *, tell: bool = False) -> None:
        now = self._store.now()
        before = condition(pod, "PodScheduled")
        if before and (before.get("reason"), before.get("message")) == (reason, message):
            return
        changed = copy(pod)
        made = {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": before["lastTransitionTime"] if before else stamp(now),
            "reason": reason,
            "message": message,
        }
        changed["status"]["conditions"] = [made]
        self._store.update(POD, changed)
        if tell:
            self._events.warning(pod, "FailedScheduling", message)

    def _bind(self, pod: Object, node: str) -> None:
        changed = copy(pod)
        changed["spec"]["nodeName"] = node
        now = max(self._store.now(), seconds(pod["metadata"]["creationTimestamp"]))
        changed["status"]["conditions"] = [
            {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": stamp(now)}
        ]
        self._store.update(POD, changed)
        text = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {node}"
        self._events.normal(pod, "Scheduled", text)


def _affine(pod: Object, node: Object) -> bool:
    """Judge required node affinity by node name only: what the DaemonSet controller asks for."""
    required = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    terms = (required or {}).get("nodeSelectorTerms") or []
    names = [
        value
        for term in terms
        for field in term.get("matchFields") or []
        if field.get("key") == "metadata.name"
        for value in field.get("values") or []
    ]
    return not names or name_of(node) in names
