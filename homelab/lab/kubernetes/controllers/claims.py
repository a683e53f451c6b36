"""Binds claims of a storage class that exists; the others stay pending. Layer: controller.

From ``pkg/controller/volume/persistentvolume/pv_controller.go``.
"""

from __future__ import annotations

from collections.abc import Iterable

from homelab.lab.kubernetes.api import Api
from homelab.lab.kubernetes.controllers.loop import Name
from homelab.lab.kubernetes.kinds import CLAIM
from homelab.lab.kubernetes.objects import copy, name_of, namespace_of
from homelab.lab.kubernetes.recorder import Recorder
from homelab.lab.kubernetes.store import Change

CLASSES = (None, "", "local-path", "standard")


class Claims:
    """The volume binder."""

    name = "persistentvolume"

    def __init__(self, api: Api) -> None:
        """Read and write through ``api``."""
        self._store = api.store
        self._events = Recorder(api.store, "persistentvolume-controller")

    def concerns(self, change: Change) -> Iterable[Name]:
        """Every claim."""
        return [(namespace_of(change.item), name_of(change.item))] if change.kind == CLAIM else []

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Bind the claim, or say that its class is unknown."""
        claim = self._store.find(CLAIM, namespace, name)
        if claim is None or (claim.get("status") or {}).get("phase"):
            return None
        wanted = claim["spec"].get("storageClassName")
        bound = wanted in CLASSES
        changed = copy(claim)
        changed["status"] = {"phase": "Bound" if bound else "Pending"}
        if bound:
            changed["spec"]["volumeName"] = f"pvc-{claim['metadata']['uid']}"
        self._store.update(CLAIM, changed)
        if not bound:
            self._events.warning(claim, "ProvisioningFailed", f'storageclass.storage.k8s.io "{wanted}" not found')
        return None
