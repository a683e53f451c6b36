"""What a write means, whoever asks: defaults, validation, generations, the status path, deletion, quota.

Layer: between the HTTP server or a controller above and the store below.
Semantics from apiserver ``pkg/registry/generic/registry/store.go`` and the strategies in ``pkg/registry``.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeAlias

from homelab.lab.kubernetes.admission import Admission
from homelab.lab.kubernetes.defaults import apply_defaults
from homelab.lab.kubernetes.kinds import DEPLOYMENT, JOB, NAMESPACE, POD, Kind
from homelab.lab.kubernetes.objects import Object, annotations_of, canonical, copy, deleting, name_of, stamp
from homelab.lab.kubernetes.refusals import bad_request, conflict, forbidden, not_found
from homelab.lab.kubernetes.store import Store, new_uid
from homelab.lab.kubernetes.validation import validate

Edit: TypeAlias = Callable[[Object], Object]

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def random_suffix(length: int = 5) -> str:
    """Return letters as generateName appends them (no vowels, so no words)."""
    return "".join(random.choices(_LETTERS, k=length))


class Api:
    """Creates, changes and deletes objects as the real API server would."""

    def __init__(self, store: Store) -> None:
        """Write into ``store``."""
        self.store = store
        self.admission = Admission(store)

    def create(self, kind: Kind, namespace: str, body: Object, *, dry_run: bool = False) -> Object:
        """Keep a new object and return it; refuses with 400, 403, 404, 409 or 422."""
        item = copy(body)
        self._identify(kind, namespace, item)
        apply_defaults(item)
        if kind.has_status:
            item["status"] = _first_status(kind)
        meta = item["metadata"]
        for key in ("resourceVersion", "uid", "creationTimestamp", "deletionTimestamp", "generation", "selfLink"):
            meta.pop(key, None)
        if "spec" in item:
            meta["generation"] = 1
        if kind == JOB:
            meta["uid"] = new_uid()
            _select_by_uid(item)
        validate(kind, item)
        self.admission.admit(kind, item)
        return item if dry_run else self.store.create(kind, item)

    def replace(
        self, kind: Kind, namespace: str, name: str, body: Object, *, part: str = "", dry_run: bool = False
    ) -> Object:
        """Put ``body`` in place of the object, or of its status when ``part`` is ``status``."""
        return self.change(kind, namespace, name, lambda _: copy(body), part=part, dry_run=dry_run)

    def change(
        self, kind: Kind, namespace: str, name: str, edit: Edit, *, part: str = "", dry_run: bool = False
    ) -> Object:
        """Replace the object by what ``edit`` makes of a copy of it."""
        before = self.store.get(kind, namespace, name)
        item = edit(copy(before))
        self._check_identity(kind, name, namespace, item, before)
        if part == "status":
            item = _with_status_of(item, before)
        else:
            _keep_servers_fields(kind, item, before)
            apply_defaults(item)
            _count_generation(kind, item, before)
            validate(kind, item, before)
        if dry_run:
            return item
        written = self.store.update(kind, item)
        if deleting(written) and not written["metadata"].get("finalizers") and kind != POD:
            return self.store.remove(kind, namespace, name)
        return written

    def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        policy: str = "Background",
        grace: int | None = None,
        preconditions: Object | None = None,
    ) -> Object:
        """Delete the object, or mark it when a finalizer or a grace period keeps it; return its last state."""
        item = self.store.get(kind, namespace, name)
        for key, wanted in (preconditions or {}).items():
            if wanted and item["metadata"].get(key) != wanted:
                raise conflict(kind, name, _unmet(key, wanted, item["metadata"].get(key)))
        if kind == POD:
            return self._delete_pod(item, grace)
        finalizers = _finalizers(item, policy)
        if kind == NAMESPACE:
            return self._mark(kind, item, finalizers, phase="Terminating")
        if finalizers:
            return self._mark(kind, item, finalizers)
        return self.store.remove(kind, namespace, name)

    def _identify(self, kind: Kind, namespace: str, item: Object) -> None:
        meta = item.setdefault("metadata", {})
        item.setdefault("apiVersion", kind.group_version)
        item.setdefault("kind", kind.kind)
        if (item["apiVersion"], item["kind"]) != (kind.group_version, kind.kind):
            raise bad_request(
                f"{kind.kind} in version {kind.group_version} cannot be handled: the object provided is "
                f"{item['kind']} in version {item['apiVersion']}"
            )
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = f"{meta['generateName']}{random_suffix()}"
        if not kind.namespaced:
            meta.pop("namespace", None)
            return
        if meta.setdefault("namespace", namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        home = self.store.find(NAMESPACE, "", namespace)
        if home is None:
            raise not_found(NAMESPACE, namespace)
        if deleting(home):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise forbidden(kind, str(meta.get("name") or ""), why)

    def _check_identity(self, kind: Kind, name: str, namespace: str, item: Object, before: Object) -> None:
        meta = item.setdefault("metadata", {})
        if meta.setdefault("name", name) != name:
            raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
        if kind.namespaced and meta.setdefault("namespace", namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        if meta.get("uid") and meta["uid"] != before["metadata"]["uid"]:
            raise conflict(kind, name, _unmet("UID", meta["uid"], before["metadata"]["uid"]))
        claimed = meta.get("resourceVersion")
        if claimed and claimed != before["metadata"]["resourceVersion"]:
            raise conflict(kind, name)
        item["apiVersion"], item["kind"] = before["apiVersion"], before["kind"]

    def _delete_pod(self, item: Object, grace: int | None) -> Object:
        namespace, name = item["metadata"]["namespace"], name_of(item)
        seconds = int(item["spec"].get("terminationGracePeriodSeconds", 30)) if grace is None else grace
        if seconds == 0 or not item["spec"].get("nodeName"):
            return self.store.remove(POD, namespace, name)
        if deleting(item):
            return item
        marked = copy(item)
        marked["metadata"]["deletionTimestamp"] = stamp(self.store.now() + seconds)
        marked["metadata"]["deletionGracePeriodSeconds"] = seconds
        return self.store.update(POD, marked)

    def _mark(self, kind: Kind, item: Object, finalizers: list[str], phase: str = "") -> Object:
        if deleting(item):
            return item
        marked = copy(item)
        meta = marked["metadata"]
        meta["deletionTimestamp"] = stamp(self.store.now())
        meta["deletionGracePeriodSeconds"] = 0
        if finalizers:
            meta["finalizers"] = finalizers
        if "generation" in meta:
            meta["generation"] += 1
        if phase:
            marked["status"] = {"phase": phase}
        return self.store.update(kind, marked)


def _unmet(field: str, wanted: object, found: object) -> str:
    return f"Precondition failed: {field} in precondition: {wanted}, {field} in object meta: {found}"


def _finalizers(item: Object, policy: str) -> list[str]:
    kept = [name for name in item["metadata"].get("finalizers") or [] if name not in (FOREGROUND, ORPHAN)]
    return kept + {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}.get(policy, [])


def _select_by_uid(item: Object) -> None:
    """Give a Job the selector and labels that only its own pods have."""
    if item["spec"].get("manualSelector"):
        return
    uid, name = item["metadata"]["uid"], item["metadata"].get("name", "")
    item["spec"]["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    meta = item["spec"].setdefault("template", {}).setdefault("metadata", {})
    meta.setdefault("labels", {})
    for prefix in ("", "batch.kubernetes.io/"):
        meta["labels"] |= {f"{prefix}controller-uid": uid, f"{prefix}job-name": name}


def _first_status(kind: Kind) -> Object:
    if kind == POD:
        return {"phase": "Pending", "qosClass": "BestEffort"}
    return {"phase": "Active"} if kind == NAMESPACE else {}


def _with_status_of(item: Object, before: Object) -> Object:
    """A write to the status path changes status, annotations and finalizers, and nothing else."""
    merged = copy(before)
    merged["status"] = item.get("status") or {}
    for key in ("annotations", "resourceVersion", "managedFields"):
        if key in item["metadata"]:
            merged["metadata"][key] = item["metadata"][key]
    return merged


def _keep_servers_fields(kind: Kind, item: Object, before: Object) -> None:
    meta, old = item["metadata"], before["metadata"]
    for key in (
        "uid",
        "creationTimestamp",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generateName",
    ):
        meta.pop(key, None)
        if key in old:
            meta[key] = old[key]
    if kind.has_status:
        item["status"] = copy(before.get("status") or {})


def _count_generation(kind: Kind, item: Object, before: Object) -> None:
    if "generation" not in before["metadata"]:
        return
    # Without a status path of its own, a custom kind's status counts like its spec (apiextensions-apiserver).
    counted = ("spec", "status", "operation") if kind.custom and not kind.has_status else ("spec",)
    changed = any(canonical(item.get(key)) != canonical(before.get(key)) for key in counted)
    # A Deployment's annotations are copied to its ReplicaSets, so they count as well
    # (pkg/registry/apps/deployment/strategy.go).
    annotated = kind == DEPLOYMENT and annotations_of(item) != annotations_of(before)
    if changed or annotated:
        item["metadata"]["generation"] = before["metadata"]["generation"] + 1
