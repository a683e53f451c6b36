"""StatefulSets: pods with names, one after the other. Layer: controller.

From ``pkg/controller/statefulset/{stateful_set_control,stateful_set_utils}.go``: what blocks there blocks here, such as
a broken pod of an old revision that no new template can replace.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from homelab.lab.kubernetes.api import Api
from homelab.lab.kubernetes.controllers.loop import Name
from homelab.lab.kubernetes.controllers.pod_owner import PodOwner
from homelab.lab.kubernetes.controllers.pods import available, next_availability, ready
from homelab.lab.kubernetes.controllers.revisions import HASH, Revisions
from homelab.lab.kubernetes.controllers.templates import pod_from
from homelab.lab.kubernetes.kinds import CLAIM, POD, STATEFUL_SET
from homelab.lab.kubernetes.objects import (
    Object,
    copy,
    deleting,
    labels_of,
    name_of,
    namespace_of,
)
from homelab.lab.kubernetes.refusals import Refusal
from homelab.lab.kubernetes.store import Change


@dataclass(frozen=True, slots=True)
class Shape:
    """What a StatefulSet asks for, and the revisions it moves between."""

    item: Object
    current: str
    update: str

    @property
    def first(self) -> int:
        """The lowest ordinal."""
        return int((self.item["spec"].get("ordinals") or {}).get("start", 0))

    @property
    def replicas(self) -> int:
        """How many pods are asked for."""
        return int(self.item["spec"].get("replicas", 1))

    @property
    def ordinals(self) -> range:
        """The ordinals that should exist."""
        return range(self.first, self.first + self.replicas)

    @property
    def rolling(self) -> bool:
        """Whether pods are replaced by the controller."""
        return bool(self.item["spec"]["updateStrategy"]["type"] == "RollingUpdate")

    @property
    def partition(self) -> int:
        """The lowest ordinal the update reaches, counted from the first."""
        return int((self.item["spec"]["updateStrategy"].get("rollingUpdate") or {}).get("partition", 0))

    @property
    def ordered(self) -> bool:
        """Whether each pod waits for the one before it."""
        return bool(self.item["spec"].get("podManagementPolicy") != "Parallel")

    @property
    def wait(self) -> float:
        """``minReadySeconds``."""
        return float(self.item["spec"].get("minReadySeconds", 0))

    def revision_for(self, ordinal: int) -> str:
        """Return the revision a pod made now gets."""
        held = self.rolling and ordinal < self.first + self.partition
        return self.current if held else self.update


class StatefulSets:
    """The StatefulSet controller."""

    name = "statefulset"

    def __init__(self, api: Api) -> None:
        """Read and write through ``api``."""
        self._api = api
        self._store = api.store
        self._revisions = Revisions(api)
        self._owner = PodOwner(api, STATEFUL_SET)

    def concerns(self, change: Change) -> Iterable[Name]:
        """Itself, and the owner of a pod."""
        return self._owner.concerns(change)

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Take one step, then count; raises the refusal of a create to be retried."""
        item = self._store.find(STATEFUL_SET, namespace, name)
        if item is None:
            return None
        update = name_of(self._revisions.latest(item))
        shape = Shape(item, item["status"].get("currentRevision") or update, update)
        refusal = None
        try:
            if not deleting(item):
                self._step(shape)
        except Refusal as found:
            refusal = found
        self._count(shape)
        if refusal:
            raise refusal
        return next_availability(self._owner.pods(item), shape.wait, self._store.now())

    def _step(self, shape: Shape) -> None:
        """Scale up, else scale down, else update: the first that has something to do or to wait for ends the step."""
        pods = {ordinal(pod): pod for pod in self._owner.pods(shape.item)}
        for number in shape.ordinals:
            if self._waits_for(shape, number, pods.get(number)) and shape.ordered:
                return
        condemned = sorted((number for number in pods if number not in shape.ordinals), reverse=True)
        for number in condemned:
            if not deleting(pods[number]):
                self._delete(shape.item, pods[number])
            if shape.ordered:
                return
        if not condemned and shape.rolling:
            self._update(shape, pods)

    def _waits_for(self, shape: Shape, number: int, pod: Object | None) -> bool:
        """Make a missing pod; say whether this ordinal is not yet as it should be."""
        if pod is None:
            self._create(shape, number)
            return True
        if pod["status"].get("phase") in ("Failed", "Succeeded") and not deleting(pod):
            self._api.delete(POD, namespace_of(pod), name_of(pod), grace=0)
            return True
        return deleting(pod) or not available(pod, shape.wait, self._store.now())

    def _update(self, shape: Shape, pods: dict[int, Object]) -> None:
        """Delete the highest pod of an old revision, unless a higher one is not healthy yet."""
        lowest = shape.first + shape.partition
        for number in sorted((one for one in pods if one >= lowest), reverse=True):
            pod = pods[number]
            if labels_of(pod).get(HASH) != shape.update and not deleting(pod):
                self._delete(shape.item, pod)
                return
            if deleting(pod) or not available(pod, shape.wait, self._store.now()):
                return

    def _create(self, shape: Shape, number: int) -> None:
        item, revision = shape.item, shape.revision_for(number)
        name = f"{name_of(item)}-{number}"
        pod = pod_from(item, self._revisions.template(item, revision), name)
        pod["metadata"].setdefault("labels", {}).update(
            {HASH: revision, "statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": str(number)}
        )
        pod["spec"] |= {"hostname": name, "subdomain": item["spec"].get("serviceName", "")}
        self._claim(item, pod)
        try:
            self._owner.make(item, pod, said=f"create Pod {{}} in StatefulSet {name_of(item)} successful")
        except Refusal as refusal:
            text = f"create Pod {name} in StatefulSet {name_of(item)} failed error: {refusal.message}"
            self._owner.events.warning(item, "FailedCreate", text)
            raise

    def _claim(self, item: Object, pod: Object) -> None:
        volumes = pod["spec"].setdefault("volumes", [])
        for template in item["spec"].get("volumeClaimTemplates") or []:
            called = template["metadata"]["name"]
            name = f"{called}-{name_of(pod)}"
            volumes.append({"name": called, "persistentVolumeClaim": {"claimName": name}})
            if not self._store.find(CLAIM, namespace_of(item), name):
                body = {"metadata": {"name": name, "labels": labels_of(pod)}, "spec": copy(template["spec"])}
                self._api.create(CLAIM, namespace_of(item), body)

    def _delete(self, item: Object, pod: Object) -> None:
        self._owner.remove(item, pod, said=f"delete Pod {{}} in StatefulSet {name_of(item)} successful")

    def _count(self, shape: Shape) -> None:
        pods = [pod for pod in self._owner.pods(shape.item) if pod["status"].get("phase")]
        kept = [labels_of(pod).get(HASH) for pod in pods if not deleting(pod)]
        status: Object = {
            "observedGeneration": shape.item["metadata"]["generation"],
            "replicas": len(pods),
            "readyReplicas": sum(ready(pod) for pod in pods),
            "availableReplicas": sum(available(pod, shape.wait, self._store.now()) for pod in pods),
            "currentReplicas": kept.count(shape.current),
            "updatedReplicas": kept.count(shape.update),
            "currentRevision": shape.current,
            "updateRevision": shape.update,
            "collisionCount": 0,
        }
        counters = ("updatedReplicas", "readyReplicas", "replicas")
        if shape.rolling and all(status[counter] == shape.replicas for counter in counters):
            status |= {"currentRevision": shape.update, "currentReplicas": status["updatedReplicas"]}
        always = ("replicas", "availableReplicas", "collisionCount")
        self._owner.write_status(shape.item, {key: value for key, value in status.items() if value or key in always})
        self._revisions.prune(shape.item, {shape.current, shape.update, *(name for name in kept if name)})


def ordinal(pod: Object) -> int:
    """Return the number at the end of the pod's name."""
    return int(name_of(pod).rpartition("-")[2])
