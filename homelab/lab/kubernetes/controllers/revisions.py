"""ControllerRevisions: the history of a StatefulSet's or DaemonSet's template. Layer: used by their controllers.

From ``pkg/controller/history/controller_history.go``.
"""

from __future__ import annotations

from homelab.lab.kubernetes.api import Api
from homelab.lab.kubernetes.controllers.templates import template_hash
from homelab.lab.kubernetes.kinds import REVISION
from homelab.lab.kubernetes.objects import (
    Object,
    canonical,
    copy,
    labels_of,
    name_of,
    namespace_of,
    owned_by,
    owner_reference,
    uid_of,
)

HASH = "controller-revision-hash"
_STATEFUL_HASH = "controller.kubernetes.io/hash"


class Revisions:
    """Finds, makes and forgets the revisions of workloads."""

    def __init__(self, api: Api) -> None:
        """Read and write through ``api``."""
        self._api = api
        self._store = api.store

    def of(self, owner: Object) -> list[Object]:
        """Return the revisions of a workload, oldest first."""
        owned = self._store.dependents(uid_of(owner))
        found = [one for kind, one in owned if kind == REVISION and owned_by(one, owner)]
        return sorted(found, key=lambda one: int(one["revision"]))

    def latest(self, owner: Object) -> Object:
        """Return the revision of the live template: made, or an equal old one brought to the front."""
        known = self.of(owner)
        number = int(known[-1]["revision"]) + 1 if known else 1
        content = _content(owner)
        same = next((one for one in known if canonical(one["data"]) == canonical(content)), None)
        if same is None:
            return self._create(owner, content, number)
        if same is known[-1]:
            return same
        moved = copy(same)
        moved["revision"] = number
        return self._store.update(REVISION, moved)

    def _create(self, owner: Object, content: Object, number: int) -> Object:
        """Make a revision under a name that no other workload of this name and template has taken."""
        collisions = 0
        while True:
            made = _revision(owner, content, number, collisions)
            if self._store.find(REVISION, namespace_of(owner), name_of(made)) is None:
                return self._api.create(REVISION, namespace_of(owner), made)
            collisions += 1

    def template(self, owner: Object, name: str) -> Object:
        """Return the pod template of the revision called ``name``, the live one when it is gone."""
        found = next((one for one in self.of(owner) if name_of(one) == name), None)
        template: Object = copy((found["data"]["spec"] if found else owner["spec"])["template"])
        template.pop("$patch", None)
        return template

    def prune(self, owner: Object, in_use: set[str]) -> None:
        """Forget revisions beyond ``revisionHistoryLimit``, except those ``in_use``."""
        unused = [one for one in self.of(owner) if name_of(one) not in in_use]
        too_many = len(unused) - int(owner["spec"].get("revisionHistoryLimit", 10))
        for one in unused[: max(0, too_many)]:
            self._store.remove(REVISION, namespace_of(one), name_of(one))


def _content(owner: Object) -> Object:
    return {"spec": {"template": {**copy(owner["spec"]["template"]), "$patch": "replace"}}}


def _revision(owner: Object, content: Object, number: int, collisions: int) -> Object:
    hashed = template_hash(content, collisions)
    labels = copy((owner["spec"]["template"].get("metadata") or {}).get("labels") or {})
    labels[HASH if owner["kind"] == "DaemonSet" else _STATEFUL_HASH] = hashed
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{name_of(owner)}-{hashed}",
            "namespace": namespace_of(owner),
            "labels": labels,
            "ownerReferences": [owner_reference(owner)],
        },
        "data": content,
        "revision": number,
    }


def hash_of(revision: Object) -> str:
    """Return the hash a DaemonSet's revision and its pods are labelled with."""
    return labels_of(revision)[HASH]
