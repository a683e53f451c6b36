"""What the API server refuses with 422, for the mistakes people make. Layer: pure.

Texts follow ``pkg/apis/{core,apps}/validation/validation.go``.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from homelab.lab.kubernetes.kinds import DAEMON_SET, DEPLOYMENT, JOB, NAMESPACE, POD, REPLICA_SET, STATEFUL_SET, Kind
from homelab.lab.kubernetes.objects import Object, canonical
from homelab.lab.kubernetes.refusals import invalid
from homelab.lab.kubernetes.selectors import matches_selector

Cause: TypeAlias = tuple[str, str, str]

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_LABEL = 63
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character"
)
_SELECTING = (DEPLOYMENT, REPLICA_SET, STATEFUL_SET, DAEMON_SET)
_TEMPLATED = (*_SELECTING, JOB)
_STATEFUL_MUTABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)


def validate(kind: Kind, item: Object, before: Object | None = None) -> None:
    """Refuse with 422 and every cause when ``item`` cannot be kept; ``before`` is what it replaces."""
    causes = [*_name(kind, item), *_spec(kind, item), *(_unchanged(kind, item, before) if before else [])]
    if causes:
        raise invalid(kind, str(item["metadata"].get("name") or ""), causes)


def _name(kind: Kind, item: Object) -> list[Cause]:
    name = str(item["metadata"].get("name") or "")
    if not name:
        return [("FieldValueRequired", "metadata.name", "Required value: name or generateName is required")]
    rule, limit = (_LABEL, _LONGEST_LABEL) if kind == NAMESPACE else (_SUBDOMAIN, 253)
    if not rule.fullmatch(name) or len(name) > limit:
        return [("FieldValueInvalid", "metadata.name", f'Invalid value: "{name}": {_RULE}')]
    return []


def _spec(kind: Kind, item: Object) -> list[Cause]:
    if kind.custom:
        return []
    spec = item.get("spec")
    if kind == POD:
        return _pod(spec or {}, "spec")
    if kind not in _TEMPLATED:
        return []
    if not isinstance(spec, dict):
        return [("FieldValueRequired", "spec", "Required value")]
    return [*_counts(spec), *(_selector(spec) if kind in _SELECTING else []), *_template(spec)]


def _counts(spec: Object) -> list[Cause]:
    replicas: Any = spec.get("replicas", 0)
    if not isinstance(replicas, int) or replicas < 0:
        text = "must be greater than or equal to 0"
        return [("FieldValueInvalid", "spec.replicas", f"Invalid value: {replicas}: {text}")]
    return []


def _selector(spec: Object) -> list[Cause]:
    selector = spec.get("selector") or {}
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return [("FieldValueRequired", "spec.selector", "Required value")]
    labels = (spec.get("template", {}).get("metadata") or {}).get("labels") or {}
    if not matches_selector(selector, labels):
        shown = canonical(labels)
        text = f"Invalid value: {shown}: `selector` does not match template `labels`"
        return [("FieldValueInvalid", "spec.template.metadata.labels", text)]
    return []


def _template(spec: Object) -> list[Cause]:
    return _pod((spec.get("template") or {}).get("spec") or {}, "spec.template.spec")


def _pod(spec: Object, path: str) -> list[Cause]:
    containers = spec.get("containers") or []
    if not containers:
        return [("FieldValueRequired", f"{path}.containers", "Required value")]
    causes: list[Cause] = []
    seen: set[str] = set()
    for group in ("containers", "initContainers"):
        for n, container in enumerate(spec.get(group) or []):
            causes += _container(container, f"{path}.{group}[{n}]", seen)
    return causes


def _container(container: Object, path: str, seen: set[str]) -> list[Cause]:
    causes: list[Cause] = []
    name = str(container.get("name") or "")
    if not name:
        causes.append(("FieldValueRequired", f"{path}.name", "Required value"))
    elif name in seen:
        causes.append(("FieldValueDuplicate", f"{path}.name", f'Duplicate value: "{name}"'))
    elif not _LABEL.fullmatch(name) or len(name) > _LONGEST_LABEL:
        causes.append(
            ("FieldValueInvalid", f"{path}.name", f'Invalid value: "{name}": {_RULE.replace("subdomain", "label")}')
        )
    seen.add(name)
    if not container.get("image"):
        causes.append(("FieldValueRequired", f"{path}.image", "Required value"))
    return causes


def _unchanged(kind: Kind, item: Object, before: Object) -> list[Cause]:
    new, old = item.get("spec") or {}, before.get("spec") or {}
    if kind in _SELECTING and new.get("selector") != old.get("selector"):
        return [
            (
                "FieldValueInvalid",
                "spec.selector",
                f"Invalid value: {canonical(new.get('selector'))}: field is immutable",
            )
        ]
    if kind == JOB and canonical(new.get("template")) != canonical(old.get("template")):
        return [("FieldValueInvalid", "spec.template", "Invalid value: field is immutable")]
    if kind == STATEFUL_SET:
        fixed = [
            key for key in {*new, *old} - {*_STATEFUL_MUTABLE} if canonical(new.get(key)) != canonical(old.get(key))
        ]
        if fixed:
            allowed = ", ".join(f"'{name}'" for name in _STATEFUL_MUTABLE)
            text = f"Forbidden: updates to statefulset spec for fields other than {allowed} are forbidden"
            return [("FieldValueForbidden", "spec", text)]
    return []
