"""Binds pods to nodes, or says why none fits. Layer: a controller.

Messages from ``pkg/scheduler/framework/types.go`` and its plugins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from homelab.lab.kubernetes.controllers.loop import Name
from homelab.lab.kubernetes.controllers.pods import active
from homelab.lab.kubernetes.kinds import CLAIM, NODE, POD
from homelab.lab.kubernetes.node.quantities import lacking
from homelab.lab.kubernetes.node.references import claim_problem
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
    uid_of,
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
        self._running: dict[str, dict[str, Object]] = {}
        for pod in store.list(POD):
            self._track(pod, here=True)

    def concerns(self, change: Change) -> Iterable[Name]:
        """Unbound pods; all of them when a node changed or a pod left."""
        if change.kind == POD:
            self._track(change.item, here=change.type != "DELETED")
        if change.kind == POD and change.type != "DELETED":
            return [] if change.item["spec"].get("nodeName") else [(namespace_of(change.item), name_of(change.item))]
        if change.kind in (NODE, POD, CLAIM):
            return [
                (namespace_of(pod), name_of(pod)) for pod in self._store.list(POD) if not pod["spec"].get("nodeName")
            ]
        return []

    def _track(self, pod: Object, *, here: bool) -> None:
        """Know the active pods of each node without asking for all pods each time."""
        node = pod["spec"].get("nodeName")
        if node:
            pods = self._running.setdefault(node, {})
            pods.pop(uid_of(pod), None)
            if here and active(pod):
                pods[uid_of(pod)] = pod

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
        if problem := claim_problem(self._store, pod):
            self._unschedulable(pod, problem)
            return None
        nodes = self._store.list(NODE)
        running = {name_of(node): list(self._running.get(name_of(node), {}).values()) for node in nodes}
        reasons = {name_of(node): self._objection(pod, node, running[name_of(node)]) for node in nodes}
        fitting = [node for node in nodes if not reasons[name_of(node)]]
        if not fitting:
            counted = Counter(reasons.values())
            self._unschedulable(pod, ", ".join(f"{count} {reason}" for reason, count in sorted(counted.items())))
            return None
        self._bind(pod, min((name_of(node) for node in fitting), key=lambda node: (len(running[node]), node)))
        self._first_seen.pop(pod["metadata"]["uid"], None)
        return None

    def _objection(self, pod: Object, node: Object, others: list[Object]) -> str:
        taint = untolerated(node, pod["spec"].get("tolerations") or [], ("NoSchedule", "NoExecute"))
        if taint and taint["key"] == UNSCHEDULABLE:
            return "node(s) were unschedulable"
        if taint:
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
        wanted = (pod["spec"].get("nodeSelector") or {}).items()
        if not wanted <= labels_of(node).items() or not _affine(pod, node):
            return "node(s) didn't match Pod's node affinity/selector"
        short = lacking(pod, node, others)
        return f"Insufficient {short}" if short else ""

    def _unschedulable(self, pod: Object, why: str) -> None:
        total = len(self._store.list(NODE))
        if not total:
            self._refuse(pod, "Unschedulable", "no nodes available to schedule pods", tell=True)
            return
        tail = f"preemption: 0/{total} nodes are available: {total} Preemption is not helpful for scheduling."
        self._refuse(pod, "Unschedulable", f"0/{total} nodes are available: {why}. {tail}", tell=True)

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
