"""Changing an object by a patch: JSON patch, merge patch, strategic merge patch. Layer: pure.

Strategic merge follows apimachinery ``pkg/util/strategicpatch/patch.go``; which lists merge by which key is said by the
``patchMergeKey`` tags of ``k8s.io/api``.
"""

from __future__ import annotations

from typing import Any

from homelab.lab.kubernetes.objects import Object, copy
from homelab.lab.kubernetes.refusals import Refusal, bad_request

_MERGE_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "ports": ("containerPort", "port"),
    "conditions": ("type",),
    "addresses": ("type",),
    "ownerReferences": ("uid",),
    "hostAliases": ("ip",),
    "podIPs": ("ip",),
    "topologySpreadConstraints": ("topologyKey",),
    "resourceClaims": ("name",),
    "taints": ("key",),
}
_PRIMITIVE_SETS = frozenset({"finalizers"})
_DELETE_FROM = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"


def json_patch(item: Object, operations: Any) -> Object:
    """Return ``item`` after RFC 6902 ``operations``; refuses with 422 what does not fit it."""
    import jsonpatch

    if not isinstance(operations, list):
        raise bad_request("error decoding patch: a JSON patch is a list of operations")
    try:
        patched: Object = jsonpatch.apply_patch(item, operations)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise Refusal(
            422, "Invalid", f"the server rejected our request due to an error in our request: {error}"
        ) from error
    return patched


def merge_patch(item: Any, patch: Any) -> Any:
    """Return ``item`` after RFC 7386 ``patch``: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return copy(patch)
    merged = dict(item) if isinstance(item, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def strategic_patch(item: Object, patch: Object) -> Object:
    """Return ``item`` after a strategic merge ``patch``."""
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: a strategic merge patch is an object")
    merged: Object = _merge(item, patch)
    return merged


def _merge(current: Any, patch: Object) -> Any:
    if patch.get("$patch") == "replace":
        return {key: copy(value) for key, value in patch.items() if key != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    merged = dict(current) if isinstance(current, dict) else {}
    if "$retainKeys" in patch:
        merged = {key: value for key, value in merged.items() if key in patch["$retainKeys"]}
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_field(merged, key, value, patch.get(_ORDER + key))
    for key, values in patch.items():
        if key.startswith(_DELETE_FROM):
            field = key.removeprefix(_DELETE_FROM)
            merged[field] = [value for value in merged.get(field) or [] if value not in values]
    _reorder_untouched(merged, patch)
    return merged


def _reorder_untouched(merged: Object, patch: Object) -> None:
    for key, order in patch.items():
        field = key.removeprefix(_ORDER)
        if key.startswith(_ORDER) and field not in patch and merged.get(field):
            merged[field] = _ordered(merged[field], field, order)


def _merge_field(merged: Object, key: str, value: Any, order: list[Any] | None) -> None:
    if value is None:
        merged.pop(key, None)
    elif isinstance(value, dict):
        merged[key] = _merge(merged.get(key), value)
    elif isinstance(value, list):
        merged[key] = _ordered(_merge_list(merged.get(key) or [], value, key), key, order)
    else:
        merged[key] = value


def merge_key(field: str, items: list[Any]) -> str | None:
    """Return the key that tells the elements of list ``field`` apart, None when the list is replaced whole."""
    keys = _MERGE_KEYS.get(field, ())
    return next((key for key in keys if items and all(isinstance(item, dict) and key in item for item in items)), None)


def _merge_list(current: list[Any], patch: list[Any], field: str) -> list[Any]:
    if field in _PRIMITIVE_SETS:
        return current + [value for value in patch if value not in current]
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [copy(item) for item in patch if item.get("$patch") != "replace"]
    key = merge_key(field, patch)
    if key is None:
        return [copy(item) for item in patch]
    merged = list(current)
    for item in patch:
        at = next((n for n, present in enumerate(merged) if present.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            merged = [present for present in merged if present.get(key) != item[key]]
        elif at is None:
            merged.append(_merge({}, item))
        else:
            merged[at] = _merge(merged[at], item)
    return merged


def _ordered(items: list[Any], field: str, order: list[Any] | None) -> list[Any]:
    """Put the elements named in ``order`` into that order; the others keep their place behind."""
    if not order:
        return items
    key = merge_key(field, order)
    names = [entry[key] for entry in order] if key else order

    def place(item: Any) -> int:
        name = item.get(key) if key else item
        return names.index(name) if name in names else len(names)

    return sorted(items, key=place)
