"""Secrets, ConfigMaps and claims a pod needs before it can run. Layer: reads the store.

Messages from ``pkg/kubelet/kubelet_pods.go`` (environment), ``pkg/volume`` (mounts) and the attach/detach controller.
"""

from __future__ import annotations

from homelab.lab.kubernetes.kinds import CLAIM, CONFIG_MAP, POD, SECRET, Kind
from homelab.lab.kubernetes.objects import Object, name_of, namespace_of, uid_of
from homelab.lab.kubernetes.store import Store


def environment_problem(store: Store, namespace: str, container: Object) -> str:
    """Return why the container's environment cannot be made, empty when it can."""
    for variable in container.get("env") or []:
        source = variable.get("valueFrom") or {}
        for field, kind in (("secretKeyRef", SECRET), ("configMapKeyRef", CONFIG_MAP)):
            if problem := _missing(store, namespace, kind, source.get(field)):
                return problem
    for group in container.get("envFrom") or []:
        for field, kind in (("secretRef", SECRET), ("configMapRef", CONFIG_MAP)):
            if problem := _missing(store, namespace, kind, group.get(field)):
                return problem
    return ""


def _missing(store: Store, namespace: str, kind: Kind, reference: Object | None) -> str:
    if not reference or reference.get("optional"):
        return ""
    name, key = reference.get("name", ""), reference.get("key")
    found = store.find(kind, namespace, name)
    if found is None:
        return f'{kind.singular} "{name}" not found'
    held = {**(found.get("data") or {}), **(found.get("stringData") or {}), **(found.get("binaryData") or {})}
    if key is not None and key not in held:
        return f"couldn't find key {key} in {kind.kind} {namespace}/{name}"
    return ""


def mount_problem(store: Store, pod: Object) -> tuple[str, str] | None:
    """Return (event reason, message) for the first volume that cannot be mounted, None when all can."""
    for volume in pod["spec"].get("volumes") or []:
        for field, kind, key in (("secret", SECRET, "secretName"), ("configMap", CONFIG_MAP, "name")):
            source = volume.get(field)
            if source and not source.get("optional") and not store.find(kind, namespace_of(pod), source.get(key, "")):
                why = f'{kind.singular} "{source.get(key)}" not found'
                return "FailedMount", f'MountVolume.SetUp failed for volume "{volume["name"]}" : {why}'
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim and (users := _attached_elsewhere(store, pod, claim)):
            shown = ", ".join(users)
            text = f'Multi-Attach error for volume "{claim}" Volume is already used by pod(s) {shown}'
            return "FailedAttachVolume", text
    return None


def _attached_elsewhere(store: Store, pod: Object, claim: str) -> list[str]:
    """Return the pods on other nodes that hold a claim only one node may hold."""
    found = store.find(CLAIM, namespace_of(pod), claim)
    if found is None or set(found["spec"].get("accessModes") or []) != {"ReadWriteOnce"}:
        return []
    return [
        name_of(other)
        for other in store.list(POD, namespace_of(pod))
        if uid_of(other) != uid_of(pod)
        and other["spec"].get("nodeName") not in (None, pod["spec"].get("nodeName"))
        and other["status"].get("phase") == "Running"
        and claim in claims_of(other)
    ]


def claims_of(pod: Object) -> list[str]:
    """Return the names of the claims a pod mounts."""
    volumes = pod["spec"].get("volumes") or []
    return [volume["persistentVolumeClaim"]["claimName"] for volume in volumes if volume.get("persistentVolumeClaim")]


def claim_problem(store: Store, pod: Object) -> str:
    """Return why the pod's claims keep it from being scheduled, empty when they do not."""
    for name in claims_of(pod):
        found = store.find(CLAIM, namespace_of(pod), name)
        if found is None:
            return f'persistentvolumeclaim "{name}" not found'
        if (found.get("status") or {}).get("phase") != "Bound":
            return "pod has unbound immediate PersistentVolumeClaims"
    return ""
