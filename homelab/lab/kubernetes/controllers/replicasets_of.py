"""The ReplicaSets of one Deployment: which is new, its revision, its size. Layer: used by the Deployment controller.

From ``pkg/controller/deployment/sync.go`` and ``util/deployment_util.go``.
"""

from __future__ import annotations

from homelab.lab.kubernetes.api import Api
from homelab.lab.kubernetes.controllers import deployment_status as words
from homelab.lab.kubernetes.controllers.rollout_sizes import DESIRED, MAXIMUM, limits, new_size, size, want
from homelab.lab.kubernetes.controllers.templates import TEMPLATE_HASH, same_template, template_hash
from homelab.lab.kubernetes.kinds import DEPLOYMENT, REPLICA_SET
from homelab.lab.kubernetes.objects import (
    Object,
    annotations_of,
    condition,
    controller_of,
    copy,
    deleting,
    labels_of,
    name_of,
    namespace_of,
    owned_by,
    owner_reference,
    uid_of,
)
from homelab.lab.kubernetes.recorder import Recorder
from homelab.lab.kubernetes.refusals import Refusal
from homelab.lab.kubernetes.selectors import matches_selector

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
_OWN = ("kubectl.kubernetes.io/last-applied-configuration", REVISION, REVISION_HISTORY, DESIRED, MAXIMUM)


def revision(item: Object) -> int:
    """Return the revision annotation as a number, 0 when absent."""
    return int(annotations_of(item).get(REVISION) or 0)


class ReplicaSetsOf:
    """Finds, makes and sizes the ReplicaSets of Deployments."""

    def __init__(self, api: Api) -> None:
        """Read and write through ``api``."""
        self._api = api
        self._store = api.store
        self._events = Recorder(api.store, "deployment-controller")

    def owned(self, item: Object) -> list[Object]:
        """Return the Deployment's ReplicaSets, oldest first."""
        owned = self._store.dependents(uid_of(item))
        found = [one for kind, one in owned if kind == REPLICA_SET and owned_by(one, item)]
        return sorted(found, key=lambda one: (one["metadata"]["creationTimestamp"], name_of(one)))

    def adopt(self, item: Object) -> None:
        """Take in ReplicaSets that the selector matches and nobody owns."""
        for one in self._store.list(REPLICA_SET, namespace_of(item)):
            if controller_of(one) or deleting(one) or not matches_selector(item["spec"]["selector"], labels_of(one)):
                continue
            adopted = copy(one)
            adopted["metadata"].setdefault("ownerReferences", []).append(owner_reference(item))
            self._store.update(REPLICA_SET, adopted)

    def split(self, item: Object) -> tuple[Object | None, list[Object]]:
        """Return the ReplicaSet of the live template (None before it exists) and the others."""
        owned = self.owned(item)
        new = next((one for one in owned if same_template(one["spec"]["template"], item["spec"]["template"])), None)
        return new, [one for one in owned if new is None or name_of(one) != name_of(new)]

    def desired(self, replica_set: Object) -> int | None:
        """Return how many replicas the Deployment wanted when this ReplicaSet was last sized."""
        text = annotations_of(replica_set).get(DESIRED)
        return int(text) if text else None

    def ensure_new(self, item: Object) -> tuple[Object, Object, list[Object]]:
        """Return (Deployment, new ReplicaSet, old ones), with the new one made and the revision counted."""
        new, old = self.split(item)
        if new is None:
            item, new = self._create(item, old)
        else:
            item = self.sync_revision(item, new, old)
            new = self._store.get(REPLICA_SET, namespace_of(new), name_of(new))
        return item, new, old

    def sync_revision(self, item: Object, new: Object, old: list[Object]) -> Object:
        """Give the new ReplicaSet the highest revision and copy it to the Deployment."""
        number = max([revision(one) for one in old], default=0) + 1
        number = max(number, revision(new))
        self._annotate(item, new, number)
        status = copy(item["status"])
        if words.has_deadline(item) and condition(item, "Progressing") is None:
            text = f'Found new replica set "{name_of(new)}"'
            words.set_condition(
                status, self._store.now(), "Progressing", "True", reason="FoundNewReplicaSet", message=text
            )
        return self._write(item, status, number)

    def _annotate(self, item: Object, new: Object, number: int) -> None:
        changed = copy(new)
        annotations = changed["metadata"].setdefault("annotations", {})
        inherited = {key: value for key, value in annotations_of(item).items() if key not in _OWN}
        annotations |= inherited
        if revision(new) != number:
            earlier = [text for text in (annotations.get(REVISION_HISTORY), annotations.get(REVISION)) if text]
            if earlier:
                annotations[REVISION_HISTORY] = ",".join(earlier)
            annotations[REVISION] = str(number)
        wait = item["spec"].get("minReadySeconds", 0)
        if changed["spec"].get("minReadySeconds", 0) != wait:
            changed["spec"]["minReadySeconds"] = wait
            changed["metadata"]["generation"] += 1
        self._store.update(REPLICA_SET, changed)

    def _create(self, item: Object, old: list[Object]) -> tuple[Object, Object]:
        body = self._replica_set(item, old)
        status = copy(item["status"])
        try:
            new = self._api.create(REPLICA_SET, namespace_of(item), body)
        except Refusal as refusal:
            if refusal.reason == "AlreadyExists":
                status["collisionCount"] = int(status.get("collisionCount", 0)) + 1
                self._write(item, status, revision(item))
                raise
            text = f'Failed to create new replica set "{name_of(body)}": {refusal.message}'
            if words.has_deadline(item):
                words.set_condition(
                    status, self._store.now(), "Progressing", "False", reason="ReplicaSetCreateError", message=text
                )
                self._write(item, status, revision(item))
            self._events.warning(item, "ReplicaSetCreateError", text)
            raise
        if size(new):
            text = f"Scaled up replica set {name_of(new)} from 0 to {size(new)}"
            self._events.normal(item, "ScalingReplicaSet", text)
        if words.has_deadline(item):
            text = f'Created new replica set "{name_of(new)}"'
            words.set_condition(
                status, self._store.now(), "Progressing", "True", reason="NewReplicaSetCreated", message=text
            )
        return self._write(item, status, revision(new)), new

    def _replica_set(self, item: Object, old: list[Object]) -> Object:
        template = copy(item["spec"]["template"])
        hashed = template_hash(template, int(item["status"].get("collisionCount", 0)))
        template["metadata"].setdefault("labels", {})[TEMPLATE_HASH] = hashed
        selector = copy(item["spec"]["selector"])
        selector.setdefault("matchLabels", {})[TEMPLATE_HASH] = hashed
        annotations = {key: value for key, value in annotations_of(item).items() if key not in _OWN}
        annotations[REVISION] = str(max([revision(one) for one in old], default=0) + 1)
        surge, _ = limits(item)
        annotations |= {DESIRED: str(want(item)), MAXIMUM: str(want(item) + surge)}
        return {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{name_of(item)}-{hashed}",
                "namespace": namespace_of(item),
                "labels": copy(template["metadata"]["labels"]),
                "annotations": annotations,
                "ownerReferences": [owner_reference(item)],
            },
            "spec": {
                "replicas": new_size(item, old, 0),
                "selector": selector,
                "template": template,
                **({"minReadySeconds": wait} if (wait := item["spec"].get("minReadySeconds", 0)) else {}),
            },
        }

    def resize(self, item: Object, replica_set: Object, replicas: int) -> None:
        """Ask a ReplicaSet for so many pods and note what the Deployment wants."""
        surge, _ = limits(item)
        changed = copy(self._store.get(REPLICA_SET, namespace_of(replica_set), name_of(replica_set)))
        before = size(changed)
        changed["metadata"].setdefault("annotations", {}).update(
            {DESIRED: str(want(item)), MAXIMUM: str(want(item) + surge)}
        )
        changed["spec"]["replicas"] = replicas
        if before != replicas:
            changed["metadata"]["generation"] += 1
        self._store.update(REPLICA_SET, changed)
        if before != replicas:
            direction = "up" if replicas > before else "down"
            text = f"Scaled {direction} replica set {name_of(changed)} from {before} to {replicas}"
            self._events.normal(item, "ScalingReplicaSet", text)

    def prune(self, item: Object, old: list[Object]) -> None:
        """Delete empty old ReplicaSets beyond ``revisionHistoryLimit``, once the rollout is complete."""
        if not words.complete(item, item["status"]):
            return
        too_many = len(old) - int(item["spec"].get("revisionHistoryLimit", 10))
        for one in sorted(old, key=revision)[: max(0, too_many)]:
            settled = one["status"].get("observedGeneration", 0) >= one["metadata"]["generation"]
            if size(one) == 0 and one["status"].get("replicas", 0) == 0 and settled and not deleting(one):
                self._api.delete(REPLICA_SET, namespace_of(one), name_of(one))

    def _write(self, item: Object, status: Object, number: int) -> Object:
        changed = copy(item)
        changed["status"] = status
        changed["metadata"].setdefault("annotations", {})[REVISION] = str(number)
        changed["metadata"].pop("resourceVersion")
        return self._api.replace(DEPLOYMENT, namespace_of(item), name_of(item), changed, part="status")
