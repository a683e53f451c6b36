"""API dictionaries into the records of :mod:`homelab.deploy.model`. Pure; absent fields mean 0 or "".

Layer: the deploy domain, above its model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

from homelab.deploy.model import (
    Condition,
    Container,
    Counters,
    Revision,
    Workload,
)
from homelab.kube.port import Json

REVISION = "deployment.kubernetes.io/revision"
#: Labels a controller adds to the template it copies.
HASH_LABELS = ("pod-template-hash", "controller-revision-hash", "rollouts-pod-template-hash")
#: Labels and annotations of a template that name its commit: the proof where a tag is used again and again.
MARKS = ("org.opencontainers.image.revision", "app.kubernetes.io/version")
#: Variables by which builders and charts hand the commit to the process.
MARK_VARIABLES = ("GIT_COMMIT", "GIT_SHA", "COMMIT_SHA", "SOURCE_COMMIT", "VCS_REF")
#: progressDeadlineSeconds with this value is switched off.
NO_DEADLINE = 2_147_483_647


def moment(stamp: object, skew: float = 0.0) -> float | None:
    """Return an RFC 3339 stamp as Unix seconds by our clock; None where it is null or malformed."""
    if not isinstance(stamp, str):
        return None
    try:
        return datetime.fromisoformat(stamp).timestamp() - skew
    except ValueError:
        return None


def number(value: object) -> int:
    """Return an integer field, also one written as text; 0 where it is absent or not a number."""
    try:
        return int(str(value))
    except ValueError:
        return 0


def conditions(status: Json, skew: float = 0.0) -> tuple[Condition, ...]:
    """Return ``status.conditions``."""
    return tuple(
        Condition(
            type=str(item.get("type")),
            status=str(item.get("status")),
            reason=str(item.get("reason") or ""),
            message=str(item.get("message") or ""),
            since=moment(item.get("lastTransitionTime"), skew),
        )
        for item in status.get("conditions") or []
    )


def containers(template: Json) -> tuple[Container, ...]:
    """Return the containers of a pod template, init containers after the others."""
    about, spec = template.get("metadata") or {}, template.get("spec") or {}
    told = {**(about.get("labels") or {}), **(about.get("annotations") or {})}
    marks = tuple(str(told[name]) for name in MARKS if name in told)
    both = [(item, False) for item in spec.get("containers") or []]
    both += [(item, True) for item in spec.get("initContainers") or []]
    return tuple(
        Container(str(c.get("name")), str(c.get("image") or ""), init, (*marks, *_told(c))) for c, init in both
    )


def _told(container: Json) -> tuple[str, ...]:
    """Return what a container's own environment says is its commit."""
    stated = {str(one.get("name")): str(one.get("value") or "") for one in container.get("env") or []}
    return tuple(stated[name] for name in MARK_VARIABLES if stated.get(name))


def fingerprint(template: Json) -> str:
    """Return a digest of a pod template that ignores the labels controllers add and the unset."""
    about = template.get("metadata") or {}
    labels = {key: value for key, value in (about.get("labels") or {}).items() if key not in HASH_LABELS}
    same = {"labels": labels, "annotations": about.get("annotations") or {}, "spec": template.get("spec") or {}}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()


def selector(spec: Json) -> str:
    """Return a label selector as the query parameter that narrows a list."""
    chosen = spec.get("selector") or {}
    parts = [f"{key}={value}" for key, value in sorted((chosen.get("matchLabels") or {}).items())]
    for rule in chosen.get("matchExpressions") or []:
        values = f"({','.join(rule.get('values') or [])})"
        parts.append(
            {
                "In": f"{rule['key']} in {values}",
                "NotIn": f"{rule['key']} notin {values}",
                "Exists": rule["key"],
                "DoesNotExist": f"!{rule['key']}",
            }.get(rule.get("operator"), rule["key"])
        )
    return ",".join(parts)


def owned_by(item: Json) -> str:
    """Return the uid of the controller that owns an object, or ""."""
    owners: Iterable[Json] = (item.get("metadata") or {}).get("ownerReferences") or []
    return next((str(owner.get("uid")) for owner in owners if owner.get("controller")), "")


def workload(kind: str, item: Json, skew: float = 0.0, *, facts: Json | None = None) -> Workload:
    """Return a workload that has ``spec.template``."""
    about, spec, status = item.get("metadata") or {}, item.get("spec") or {}, item.get("status") or {}
    template = spec.get("template") or {}
    seconds = spec.get("progressDeadlineSeconds")
    strategy = spec.get("strategy") or spec.get("updateStrategy") or {}
    writer, written = template_writer(about)
    return Workload(
        kind=kind,
        namespace=str(about.get("namespace") or ""),
        name=str(about.get("name") or ""),
        uid=str(about.get("uid") or ""),
        generation=number(about.get("generation")),
        observed=number(status.get("observedGeneration")),
        deleting=bool(about.get("deletionTimestamp")),
        want=1 if spec.get("replicas") is None else number(spec["replicas"]),
        paused=bool(spec.get("paused")),
        containers=containers(template),
        counters=Counters(
            updated=number(status.get("updatedReplicas")),
            ready=number(status.get("readyReplicas")),
            available=number(status.get("availableReplicas")),
            total=number(status.get("replicas")),
        ),
        conditions=conditions(status, skew),
        revision=str((about.get("annotations") or {}).get(REVISION) or ""),
        selector=selector(spec),
        deadline=None if seconds is None or seconds == NO_DEADLINE else float(seconds),
        strategy=str(strategy.get("type") or "RollingUpdate"),
        template=fingerprint(template),
        labels=dict(about.get("labels") or {}),
        annotations=dict(about.get("annotations") or {}),
        managers=frozenset(str(entry.get("manager")) for entry in about.get("managedFields") or []),
        writer=writer,
        written=moment(written, skew),
        min_ready=float(number(spec.get("minReadySeconds"))),
        facts=facts or {},
    )


def template_writer(about: Json) -> tuple[str, str]:
    """Return (manager, stamp) of the entry of managedFields that wrote the pod template last, or ("", "")."""
    wrote = [
        (str(entry.get("time") or ""), str(entry.get("manager") or ""))
        for entry in about.get("managedFields") or []
        if not entry.get("subresource") and "f:template" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
    ]
    time, manager = max(wrote, default=("", ""))
    return manager, time


def replica_set(item: Json, skew: float = 0.0) -> Revision:
    """Return a ReplicaSet as a revision."""
    about, spec, status = item.get("metadata") or {}, item.get("spec") or {}, item.get("status") or {}
    annotations = about.get("annotations") or {}
    template = spec.get("template") or {}
    return Revision(
        name=str(about.get("name") or ""),
        uid=str(about.get("uid") or ""),
        number=number(annotations.get(REVISION)),
        hash=hash_of(about.get("labels") or {}),
        created=moment(about.get("creationTimestamp"), skew),
        generation=number(about.get("generation")),
        observed=number(status.get("observedGeneration")),
        want=1 if spec.get("replicas") is None else number(spec["replicas"]),
        available=number(status.get("availableReplicas")),
        containers=containers(template),
        conditions=conditions(status, skew),
        template=fingerprint(template),
        cause=str(annotations.get("kubernetes.io/change-cause") or ""),
    )


def hash_of(labels: Json) -> str:
    """Return the hash a controller gave to what it made from a template, or ""."""
    return next((str(labels[name]) for name in HASH_LABELS if name in labels), "")
