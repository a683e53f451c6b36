"""ReplicaSets: as many pods as asked for, and counters that say so. Layer: controller.

From ``pkg/controller/replicaset/replica_set.go``.
"""

from __future__ import annotations

from collections.abc import Iterable

from homelab.lab.kubernetes.api import Api
from homelab.lab.kubernetes.controllers.loop import Name
from homelab.lab.kubernetes.controllers.pod_owner import PodOwner
from homelab.lab.kubernetes.controllers.pods import (
    active,
    available,
    dispensability,
    next_availability,
    ready,
)
from homelab.lab.kubernetes.controllers.templates import pod_from
from homelab.lab.kubernetes.kinds import REPLICA_SET
from homelab.lab.kubernetes.objects import (
    Object,
    deleting,
    labels_of,
    stamp,
)
from homelab.lab.kubernetes.refusals import Refusal
from homelab.lab.kubernetes.store import Change


class ReplicaSets:
    """The ReplicaSet controller."""

    name = "replicaset"

    def __init__(self, api: Api) -> None:
        """Read and write through ``api``."""
        self._store = api.store
        self._owner = PodOwner(api, REPLICA_SET)

    def concerns(self, change: Change) -> Iterable[Name]:
        """Itself, and the owner of a pod."""
        return self._owner.concerns(change)

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Create or delete what is missing or too much, then count; raises the refusal of a create to be retried."""
        item = self._store.find(REPLICA_SET, namespace, name)
        if item is None:
            return None
        refusal = None if deleting(item) else self._scale(item)
        self._count(item, refusal)
        if refusal:
            raise refusal
        pods = [pod for pod in self._owner.pods(item) if active(pod)]
        return next_availability(pods, item["spec"].get("minReadySeconds", 0), self._store.now())

    def _scale(self, item: Object) -> Refusal | None:
        pods = [pod for pod in self._owner.pods(item) if active(pod)]
        missing = item["spec"].get("replicas", 1) - len(pods)
        if missing < 0:
            for pod in sorted(pods, key=dispensability)[:-missing]:
                self._owner.remove(item, pod)
        try:
            for _ in range(missing):
                self._owner.make(item, pod_from(item, item["spec"]["template"]))
        except Refusal as refusal:
            self._owner.events.warning(item, "FailedCreate", f"Error creating: {refusal.message}")
            return refusal
        return None

    def _count(self, item: Object, refusal: Refusal | None) -> None:
        now, wait = self._store.now(), item["spec"].get("minReadySeconds", 0)
        owned = self._owner.pods(item)
        pods = [pod for pod in owned if active(pod)]
        wanted = (item["spec"]["template"]["metadata"].get("labels") or {}).items()
        status: Object = {
            "replicas": len(pods),
            "fullyLabeledReplicas": sum(wanted <= labels_of(pod).items() for pod in pods),
            "readyReplicas": sum(ready(pod) for pod in pods),
            "availableReplicas": sum(available(pod, wait, now) for pod in pods),
            "terminatingReplicas": sum(
                deleting(pod) and pod["status"]["phase"] in ("Pending", "Running") for pod in owned
            ),
            "observedGeneration": item["metadata"]["generation"],
        }
        if refusal:
            status["conditions"] = [self._failure(item, refusal)]
        always = ("replicas", "observedGeneration")
        self._owner.write_status(item, {key: value for key, value in status.items() if value or key in always})

    def _failure(self, item: Object, refusal: Refusal) -> Object:
        known = next(iter(item["status"].get("conditions") or []), None)
        if known and known["reason"] == "FailedCreate":
            return {**known, "message": known["message"]}
        return {
            "type": "ReplicaFailure",
            "status": "True",
            "reason": "FailedCreate",
            "message": refusal.message,
            "lastTransitionTime": stamp(self._store.now()),
        }
