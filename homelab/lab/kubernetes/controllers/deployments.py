"""Deployments: one ReplicaSet per template, rolled from the old to the new. Layer: controller.

From ``pkg/controller/deployment/{deployment_controller,sync,rolling,recreate}.go``.
"""

from __future__ import annotations

from collections.abc import Iterable

from homelab.lab.kubernetes.api import Api
from homelab.lab.kubernetes.controllers import deployment_status as words
from homelab.lab.kubernetes.controllers.loop import Name
from homelab.lab.kubernetes.controllers.pods import pods_of
from homelab.lab.kubernetes.controllers.replicasets_of import ReplicaSetsOf, revision
from homelab.lab.kubernetes.controllers.rollout_sizes import (
    limits,
    new_size,
    proportional_sizes,
    rolling,
    size,
    want,
)
from homelab.lab.kubernetes.kinds import DEPLOYMENT, POD, REPLICA_SET
from homelab.lab.kubernetes.objects import (
    Object,
    condition,
    controller_of,
    copy,
    deleting,
    name_of,
    namespace_of,
)
from homelab.lab.kubernetes.store import Change


class Deployments:
    """The Deployment controller."""

    name = "deployment"

    def __init__(self, api: Api) -> None:
        """Read and write through ``api``."""
        self._api = api
        self._store = api.store
        self._sets = ReplicaSetsOf(api)

    def concerns(self, change: Change) -> Iterable[Name]:
        """Itself, the owner of a ReplicaSet, and for Recreate the owner of a pod that went."""
        if change.kind == DEPLOYMENT:
            return [(namespace_of(change.item), name_of(change.item))]
        owner = controller_of(change.item)
        if change.kind == REPLICA_SET and owner and owner["kind"] == "Deployment":
            return [(namespace_of(change.item), owner["name"])]
        if change.kind == POD and owner and change.type == "DELETED":
            parent = self._store.find(REPLICA_SET, namespace_of(change.item), owner["name"])
            above = controller_of(parent) if parent else None
            return [(namespace_of(change.item), above["name"])] if above else []
        return []

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Take one step of the rollout, then write the status."""
        item = self._store.find(DEPLOYMENT, namespace, name)
        if item is None:
            return None
        if deleting(item):
            return self._settle(item, timed=False)
        item = self._mark_paused(item)
        self._sets.adopt(item)
        if item["spec"].get("paused") or self._scaling(item):
            return self._resize(item)
        if rolling(item):
            return self._roll(item)
        return self._recreate(item)

    def _mark_paused(self, item: Object) -> Object:
        found = condition(item, "Progressing")
        if not words.has_deadline(item) or (found and found["reason"] == "ProgressDeadlineExceeded"):
            return item
        marked = found is not None and found["reason"] == "DeploymentPaused"
        status = copy(item["status"])
        if item["spec"].get("paused") and not marked:
            text = "Deployment is paused"
            words.set_condition(
                status, self._store.now(), "Progressing", "Unknown", reason="DeploymentPaused", message=text
            )
        elif not item["spec"].get("paused") and marked:
            text = "Deployment is resumed"
            words.set_condition(
                status, self._store.now(), "Progressing", "Unknown", reason="DeploymentResumed", message=text
            )
        else:
            return item
        return self._write(item, status)

    def _scaling(self, item: Object) -> bool:
        """Say whether ``replicas`` moved since the active ReplicaSets were last sized."""
        return any(
            (asked := self._sets.desired(replica_set)) is not None and asked != want(item)
            for replica_set in self._sets.owned(item)
            if size(replica_set) > 0
        )

    def _resize(self, item: Object) -> float | None:
        new, old = self._sets.split(item)
        if new:
            item = self._sets.sync_revision(item, new, old)
        current = [replica_set for replica_set in [*old, *([new] if new else [])] if size(replica_set) > 0]
        latest = new or (max(old, key=revision) if old else None)
        if len(current) <= 1:
            only = current[0] if current else latest
            if only:
                self._sets.resize(item, only, want(item))
        elif new and size(new) == want(item) == new["status"].get("availableReplicas", 0):
            for replica_set in old:
                self._sets.resize(item, replica_set, 0)
        elif rolling(item):
            sizes = proportional_sizes(item, current)
            for replica_set in current:
                self._sets.resize(item, replica_set, sizes[name_of(replica_set)])
        self._sets.prune(item, old)
        return self._settle(item, timed=False)

    def _roll(self, item: Object) -> float | None:
        item, new, old = self._sets.ensure_new(item)
        grown = size(new)
        if grown > want(item):
            grown = want(item)
        elif grown < want(item):
            grown = new_size(item, [*old, new], grown)
        if grown != size(new):
            self._sets.resize(item, new, grown)
        elif not self._shrink_old(item, new, old):
            self._sets.prune(item, old)
        return self._settle(item)

    def _shrink_old(self, item: Object, new: Object, old: list[Object]) -> bool:
        active = sorted((one for one in old if size(one) > 0), key=lambda one: one["metadata"]["creationTimestamp"])
        _, unavailable = limits(item)
        floor = want(item) - unavailable
        not_there = size(new) - new["status"].get("availableReplicas", 0)
        room = sum(map(size, [*active, new])) - floor - not_there
        if not active or room <= 0:
            return False
        sizes = {name_of(one): size(one) for one in active}
        for one in active:
            unhealthy = size(one) - one["status"].get("availableReplicas", 0)
            cut = max(0, min(room, unhealthy))
            sizes[name_of(one)] -= cut
            room -= cut
        spare = sum(one["status"].get("availableReplicas", 0) for one in [*active, new]) - floor
        for one in active:
            cut = max(0, min(sizes[name_of(one)], spare))
            sizes[name_of(one)] -= cut
            spare -= cut
        changed = [one for one in active if sizes[name_of(one)] != size(one)]
        for one in changed:
            self._sets.resize(item, one, sizes[name_of(one)])
        return bool(changed)

    def _recreate(self, item: Object) -> float | None:
        new, old = self._sets.split(item)
        active = [one for one in old if size(one) > 0]
        for one in active:
            self._sets.resize(item, one, 0)
        if active or any(self._still_running(one) for one in old):
            return self._settle(item)
        item, new, old = self._sets.ensure_new(item)
        self._sets.resize(item, new, want(item))
        self._sets.prune(item, old)
        return self._settle(item)

    def _still_running(self, replica_set: Object) -> bool:
        return any(pod["status"]["phase"] not in ("Failed", "Succeeded") for pod in pods_of(self._store, replica_set))

    def _settle(self, item: Object, *, timed: bool = True) -> float | None:
        """Write counters and conditions; return when the progress deadline has to be looked at."""
        now = self._store.now()
        new, old = self._sets.split(item)
        sets = [*old, *([new] if new else [])]
        status = words.counted(item, sets, new, now)
        if timed:
            words.judge_progress(item, status, new, now)
            words.copy_failure(status, sets, new, now)
        self._write(item, status)
        left = words.deadline_in(item, status, now)
        # A stamp has whole seconds: look a moment after the second has passed.
        return None if left is None or not timed or item["spec"].get("paused") else left + 0.05

    def _write(self, item: Object, status: Object) -> Object:
        changed = copy(item)
        changed["status"] = status
        changed["metadata"].pop("resourceVersion")
        return self._api.replace(DEPLOYMENT, namespace_of(item), name_of(item), changed, part="status")
