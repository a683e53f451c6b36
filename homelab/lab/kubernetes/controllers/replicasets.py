"""ReplicaSets: as many pods as asked for, and counters that say so. Layer: controller.

From ``pkg/controller/replicaset/replica_set.go``.
"""

from __future__ import annotations

from collections.abc import Iterable

from homelab.lab.kubernetes.api import Api
from homelab.lab.kubernetes.controllers.loop import Name
from homelab.lab.kubernetes.controllers.pods import (
    active,
    available,
    dispensability,
    next_availability,
    pods_of,
    ready,
)
from homelab.lab.kubernetes.controllers.templates import pod_from
from homelab.lab.kubernetes.kinds import POD, REPLICA_SET
from homelab.lab.kubernetes.objects import (
    Object,
    controller_of,
    copy,
    deleting,
    labels_of,
    name_of,
    namespace_of,
    stamp,
)
from homelab.lab.kubernetes.recorder import Recorder
from homelab.lab.kubernetes.refusals import Refusal
from homelab.lab.kubernetes.store import Change


class ReplicaSets:
    """The ReplicaSet controller."""

    name = "replicaset"

    def __init__(self, api: Api) -> None:
        """Read and write through ``api``."""
        self._api = api
        self._store = api.store
        self._events = Recorder(api.store, "replicaset-controller")

    def concerns(self, change: Change) -> Iterable[Name]:
        """Itself, and the owner of a pod."""
        if change.kind == REPLICA_SET:
            return [(namespace_of(change.item), name_of(change.item))]
        if change.kind == POD and (owner := controller_of(change.item)) and owner["kind"] == "ReplicaSet":
            return [(namespace_of(change.item), owner["name"])]
        return []

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Create or delete what is missing or too much, then count; raises the refusal of a create to be retried."""
        item = self._store.find(REPLICA_SET, namespace, name)
        if item is None:
            return None
        refusal = None if deleting(item) else self._scale(item)
        self._count(item, refusal)
        if refusal:
            raise refusal
        pods = [pod for pod in pods_of(self._store, item) if active(pod)]
        return next_availability(pods, item["spec"].get("minReadySeconds", 0), self._store.now())

    def _scale(self, item: Object) -> Refusal | None:
        pods = [pod for pod in pods_of(self._store, item) if active(pod)]
        missing = item["spec"].get("replicas", 1) - len(pods)
        if missing < 0:
            for pod in sorted(pods, key=dispensability)[:-missing]:
                self._delete(item, pod)
        try:
            for _ in range(missing):
                self._create(item)
        except Refusal as refusal:
            self._events.warning(item, "FailedCreate", f"Error creating: {refusal.message}")
            return refusal
        return None

    def _create(self, item: Object) -> None:
        pod = self._api.create(POD, namespace_of(item), pod_from(item, item["spec"]["template"]))
        self._events.normal(item, "SuccessfulCreate", f"Created pod: {name_of(pod)}")

    def _delete(self, item: Object, pod: Object) -> None:
        self._api.delete(POD, namespace_of(pod), name_of(pod))
        self._events.normal(item, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    def _count(self, item: Object, refusal: Refusal | None) -> None:
        now, wait = self._store.now(), item["spec"].get("minReadySeconds", 0)
        owned = pods_of(self._store, item)
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
        changed = copy(item)
        changed["status"] = {
            key: value for key, value in status.items() if value or key in ("replicas", "observedGeneration")
        }
        changed["metadata"].pop("resourceVersion")
        self._api.replace(REPLICA_SET, namespace_of(item), name_of(item), changed, part="status")

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
