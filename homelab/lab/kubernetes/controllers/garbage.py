"""Removes what its owners left behind, and empties namespaces that are going. Layer: controller.

From ``pkg/controller/garbagecollector`` and ``pkg/controller/namespace``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from homelab.lab.kubernetes.api import FOREGROUND, ORPHAN, Api
from homelab.lab.kubernetes.controllers.loop import Name
from homelab.lab.kubernetes.kinds import NAMESPACE, Kind
from homelab.lab.kubernetes.objects import Object, copy, deleting, name_of, namespace_of, uid_of
from homelab.lab.kubernetes.store import Change

_SEPARATOR = "|"


class Garbage:
    """Owner references, deletion policies, namespaces. Its work is named by uid, as owners are."""

    name = "garbage"

    def __init__(self, api: Api) -> None:
        """Read and write through ``api``."""
        self._api = api
        self._store = api.store

    def concerns(self, change: Change) -> Iterable[Name]:
        """Owners that went or are going, and the owners of what went."""
        names: list[Name] = []
        if change.type == "DELETED" or deleting(change.item):
            names.append((namespace_of(change.item), _address(change.item)))
        if change.type == "DELETED":
            home = namespace_of(change.item)
            owners = change.item["metadata"].get("ownerReferences") or []
            names += [(home, _SEPARATOR.join((owner["name"], owner["uid"]))) for owner in owners]
            namespace = self._store.find(NAMESPACE, "", namespace_of(change.item))
            if namespace and deleting(namespace):
                names.append(("", _address(namespace)))
        return names

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Handle one owner, known by namespace and ``name|uid``."""
        called, uid = name.split(_SEPARATOR)
        found = next((pair for pair in self._store.everything() if uid_of(pair[1]) == uid), None)
        dependents = self._dependents(uid)
        if found is None:
            for kind, item in dependents:
                self._drop_owner(kind, item, uid)
            return None
        kind, item = found
        if not deleting(item):
            return None
        if kind == NAMESPACE:
            self._empty(called, item)
        self._finalize(kind, item, dependents)
        return None

    def _dependents(self, uid: str) -> Sequence[tuple[Kind, Object]]:
        return self._store.dependents(uid)

    def _drop_owner(self, kind: Kind, item: Object, uid: str) -> None:
        others = [owner for owner in item["metadata"]["ownerReferences"] if owner["uid"] != uid]
        if not others:
            self._delete(kind, item)
            return
        self._keep_owners(kind, item, others)

    def _keep_owners(self, kind: Kind, item: Object, owners: list[Object]) -> None:
        changed = copy(item)
        changed["metadata"]["ownerReferences"] = owners
        if not owners:
            del changed["metadata"]["ownerReferences"]
        self._store.update(kind, changed)

    def _delete(self, kind: Kind, item: Object, policy: str = "Background") -> None:
        if self._store.find(kind, namespace_of(item), name_of(item)) and not deleting(item):
            self._api.delete(kind, namespace_of(item), name_of(item), policy=policy)

    def _finalize(self, kind: Kind, item: Object, dependents: Sequence[tuple[Kind, Object]]) -> None:
        finalizers = item["metadata"].get("finalizers") or []
        if ORPHAN in finalizers:
            for dependent_kind, dependent in dependents:
                owners = [owner for owner in dependent["metadata"]["ownerReferences"] if owner["uid"] != uid_of(item)]
                self._keep_owners(dependent_kind, dependent, owners)
            self._release(kind, item, ORPHAN)
        elif FOREGROUND in finalizers:
            for dependent_kind, dependent in dependents:
                self._delete(dependent_kind, dependent, "Foreground")
            if not self._dependents(uid_of(item)):
                self._release(kind, item, FOREGROUND)

    def _release(self, kind: Kind, item: Object, finalizer: str) -> None:
        def without(before: Object) -> Object:
            before["metadata"]["finalizers"] = [name for name in before["metadata"]["finalizers"] if name != finalizer]
            return before

        self._api.change(kind, namespace_of(item), name_of(item), without)

    def _empty(self, namespace: str, item: Object) -> None:
        inside = [(kind, one) for kind, one in list(self._store.everything()) if namespace_of(one) == namespace]
        for kind, one in inside:
            self._delete(kind, one)
        if not any(namespace_of(one) == namespace for _, one in self._store.everything()):
            self._store.remove(NAMESPACE, "", name_of(item))


def _address(item: Object) -> str:
    return _SEPARATOR.join((name_of(item), uid_of(item)))
