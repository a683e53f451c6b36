"""Plain dictionaries, and the readings every part of the lab makes of them. Layer: vocabulary of the lab cluster."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

Object: TypeAlias = dict[str, Any]
"""A Kubernetes object as JSON decoded it."""


T = TypeVar("T")


def copy(value: T) -> T:
    """Return a deep copy of JSON-shaped ``value``; several times faster than ``copy.deepcopy``."""
    found: Any = value
    if isinstance(value, dict):
        found = {key: copy(item) for key, item in value.items()}
    elif isinstance(value, list):
        found = [copy(item) for item in value]
    return found  # type: ignore[no-any-return]


def canonical(value: Any) -> str:
    """Return one text for equal JSON values, for hashing and comparing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def stamp(seconds: float) -> str:
    """Return ``metav1.Time``: RFC 3339 in UTC with whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp(seconds: float) -> str:
    """Return ``metav1.MicroTime``: exactly six fractional digits."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(text: str | None) -> float:
    """Return the Unix time of a stamp, 0.0 for none."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def name_of(item: Object) -> str:
    """Return ``metadata.name``."""
    return str(item["metadata"]["name"])


def namespace_of(item: Object) -> str:
    """Return ``metadata.namespace``, empty for cluster-wide objects."""
    return str(item["metadata"].get("namespace") or "")


def uid_of(item: Object) -> str:
    """Return ``metadata.uid``."""
    return str(item["metadata"].get("uid") or "")


def labels_of(item: Object) -> dict[str, str]:
    """Return ``metadata.labels``, empty when absent."""
    return item["metadata"].get("labels") or {}


def annotations_of(item: Object) -> dict[str, str]:
    """Return ``metadata.annotations``, empty when absent."""
    return item["metadata"].get("annotations") or {}


def controller_of(item: Object) -> Object | None:
    """Return the owner reference that controls ``item``."""
    return next((owner for owner in item["metadata"].get("ownerReferences") or [] if owner.get("controller")), None)


def owned_by(item: Object, owner: Object) -> bool:
    """Say whether ``owner`` controls ``item``, by uid."""
    reference = controller_of(item)
    return reference is not None and reference["uid"] == owner["metadata"]["uid"]


def owner_reference(owner: Object) -> Object:
    """Return the controlling owner reference that points at ``owner``."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def deleting(item: Object) -> bool:
    """Say whether the object is on its way out."""
    return bool(item["metadata"].get("deletionTimestamp"))


def condition(item: Object, name: str) -> Object | None:
    """Return the status condition of type ``name``."""
    return next((found for found in item.get("status", {}).get("conditions") or [] if found["type"] == name), None)
