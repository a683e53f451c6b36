"""API objects as a cluster answers them, with the fields the rules read. Stamps count from ``T0``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

T0 = 1_700_000_000.0
FULL = "0123456789abcdef0123456789abcdef01234567"
OTHER = "fedcba9876543210fedcba9876543210fedcba98"
NEWER = "abcabcabcabcabcabcabcabcabcabcabcabcabca"
REPOSITORY = "reg.example/t/app"


def image(oid: str) -> str:
    return f"{REPOSITORY}:{oid[:12]}"


WANTED, OLD = image(FULL), image(OTHER)


def stamp(seconds: float) -> str:
    """``seconds`` after T0, as the API writes it."""
    return datetime.fromtimestamp(T0 + seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def progressing(reason: str = "NewReplicaSetAvailable", message: str = "", status: str = "True") -> Json:
    return {"type": "Progressing", "status": status, "reason": reason, "message": message}


def template(img: str, *, name: str = "app") -> Json:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": name, "image": img}]}}


def deployment(
    img: str = WANTED,
    *,
    want: int | None = 1,
    counts: tuple[int, int, int, int] = (1, 1, 1, 1),
    generation: int = 5,
    observed: int | None = None,
    revision: str = "2",
    conditions: list[Json] | None = None,
    uid: str = "dep",
    **spec: Any,
) -> Json:
    """A Deployment; ``counts`` are updated, ready, available, total."""
    updated, ready, available, total = counts
    status = {
        "observedGeneration": generation if observed is None else observed,
        "replicas": total,
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": available,
        "unavailableReplicas": max(total - available, 0),
        "conditions": [progressing()] if conditions is None else conditions,
    }
    body = {"selector": {"matchLabels": {"app": "web"}}, "progressDeadlineSeconds": 600, "template": template(img)}
    if want is not None:
        body["replicas"] = want
    return {
        "metadata": {
            "name": "web",
            "namespace": "t",
            "uid": uid,
            "generation": generation,
            "annotations": {"deployment.kubernetes.io/revision": revision},
        },
        "spec": {**body, **spec},
        "status": status,
    }


def owner(kind: str, name: str, uid: str) -> list[Json]:
    return [{"kind": kind, "name": name, "uid": uid, "controller": True}]


def replica_set(
    img: str = WANTED,
    *,
    name: str = "web-new",
    revision: str = "2",
    want: int = 1,
    available: int | None = None,
    conditions: list[Json] | None = None,
    owned: str = "dep",
) -> Json:
    return {
        "metadata": {
            "name": name,
            "namespace": "t",
            "uid": name,
            "generation": 1,
            "labels": {"app": "web", "pod-template-hash": name.removeprefix("web-")},
            "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": owner("Deployment", "web", owned),
            "creationTimestamp": stamp(-3600),
        },
        "spec": {"replicas": want, "selector": {"matchLabels": {"app": "web"}}, "template": template(img)},
        "status": {
            "observedGeneration": 1,
            "availableReplicas": want if available is None else available,
            "conditions": conditions or [],
        },
    }


def old_replica_set(*, want: int = 0, available: int = 0) -> Json:
    return replica_set(OLD, name="web-old", revision="1", want=want, available=available)


def running(*, restarts: int = 0, ready: bool = True, image_id: str = f"{REPOSITORY}@sha256:{'c' * 64}") -> Json:
    return {
        "ready": ready,
        "restartCount": restarts,
        "imageID": image_id,
        "state": {"running": {"startedAt": stamp(-60)}},
    }


def waiting(reason: str, message: str = "", *, restarts: int = 0, last: Json | None = None) -> Json:
    return {
        "ready": False,
        "restartCount": restarts,
        "imageID": "",
        "state": {"waiting": {"reason": reason, "message": message}},
        "lastState": {"terminated": last} if last else {},
    }


def pod(
    name: str = "web-new-1",
    *,
    owned: str = "web-new",
    img: str = WANTED,
    container: Json | None = None,
    init: dict[str, Json] | None = None,
    ready_since: float | None = -60,
    phase: str = "Running",
    deleting: bool = False,
    created: float = -120,
    scheduled: Json | None = None,
    labels: Json | None = None,
    restart_policy: str = "Always",
    owner_kind: str = "ReplicaSet",
    volumes: list[Json] | None = None,
) -> Json:
    """A pod; ``ready_since`` None: not Ready."""
    status = {"name": "app", **(container or running())}
    ready = {"type": "Ready", "status": "True" if ready_since is not None else "False"}
    if ready_since is not None:
        ready["lastTransitionTime"] = stamp(ready_since)
    metadata: Json = {
        "name": name,
        "namespace": "t",
        "uid": name,
        "labels": {"app": "web", **(labels or {})},
        "ownerReferences": owner(owner_kind, owned, owned),
        "creationTimestamp": stamp(created),
    }
    if deleting:
        metadata["deletionTimestamp"] = stamp(0)
    spec: Json = {
        "containers": [{"name": "app", "image": img}],
        "initContainers": [{"name": key, "image": img} for key in init or {}],
        "nodeName": "node-1",
        "restartPolicy": restart_policy,
        "volumes": volumes or [],
    }
    return {
        "metadata": metadata,
        "spec": spec,
        "status": {
            "phase": phase,
            "conditions": [ready, *([scheduled] if scheduled else [])],
            "containerStatuses": [status],
            "initContainerStatuses": [{"name": key, **value} for key, value in (init or {}).items()],
        },
    }


def old_pod(name: str = "web-old-1", **fields: Any) -> Json:
    return pod(name, owned="web-old", img=OLD, **fields)


def event(
    about: str, reason: str, message: str, *, at: float = 0.0, type_: str = "Warning", count: int = 1, kind: str = "Pod"
) -> Json:
    return {
        "metadata": {"creationTimestamp": stamp(at)},
        "involvedObject": {"kind": kind, "name": about, "uid": about},
        "type": type_,
        "reason": reason,
        "message": message,
        "count": count,
        "firstTimestamp": stamp(at),
        "lastTimestamp": stamp(at),
    }
