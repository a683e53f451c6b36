"""Server-side apply: what happens when two managers want one field. Layer: pure.

From ``structured-merge-diff`` and apiserver ``fieldmanager``, in the parts clients see: conflicts name the owner and
the field, an applier that leaves out a field it alone owned removes it, ``force`` takes over.
"""

from __future__ import annotations

import json
from typing import Any

from homelab.lab.kubernetes.objects import Object, annotations_of, copy
from homelab.lab.kubernetes.ownership import (
    Path,
    Writer,
    element_is,
    entry_of,
    leaves,
    managers,
    owned,
    value_at,
    without,
)
from homelab.lab.kubernetes.patches import merge_key
from homelab.lab.kubernetes.refusals import Refusal, bad_request

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def applied(item: Object, intent: Any, *, manager: str, force: bool, now: float, part: str) -> Object:
    """Return ``item`` after ``manager`` applied ``intent``; refuses with 409 what others own with another value."""
    if not isinstance(intent, dict):
        raise bad_request("error decoding YAML: expected an object")
    wanted = leaves(intent)
    writer = Writer(manager, "Apply", part)
    others = [entry for entry in managers(item) if not writer.wrote(entry)]
    conflicts = _conflicts(item, intent, wanted, others)
    if not force and any(path not in _handed_over(item, manager) for _, path in conflicts):
        raise _conflict(conflicts)
    merged: Object = _merge(item, intent)
    mine = next((entry for entry in managers(item) if writer.wrote(entry)), None)
    kept = wanted.union(*(owned(entry) for entry in others))
    for path in {_outermost(path, kept) for path in (owned(mine) if mine else set()) - kept}:
        _remove(merged, path)
    taken = {path for _, path in conflicts}
    entries = [entry for entry in (without(entry, taken) for entry in others) if entry["fieldsV1"]]
    version = str(intent.get("apiVersion") or item["apiVersion"])
    entries.append(entry_of(writer, version, now, wanted))
    merged["metadata"]["managedFields"] = entries
    return merged


def _handed_over(item: Object, manager: str) -> set[Path]:
    """Return what kubectl applied on the client's side before: kubectl may take that over without force.

    From apiserver ``fieldmanager/lastappliedmanager.go``.
    """
    text = annotations_of(item).get(_LAST_APPLIED)
    if manager != "kubectl" or not text:
        return set()
    last = json.loads(text)
    return {path for path in leaves(last) if value_at(last, path) == value_at(item, path)}


def _conflicts(item: Object, intent: Object, wanted: set[Path], others: list[Object]) -> list[tuple[Object, Path]]:
    return [
        (entry, path)
        for entry in others
        for path in sorted(owned(entry) & wanted)
        if value_at(item, path) != value_at(intent, path)
    ]


def _conflict(conflicts: list[tuple[Object, Path]]) -> Refusal:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{entry["manager"]}"' + _using(entry),
            "field": _shown(path),
        }
        for entry, path in conflicts
    ]
    lines = "; ".join(f"{cause['message']}: {cause['field']}" for cause in causes)
    plural = "conflict" if len(causes) == 1 else "conflicts"
    return Refusal(409, "Conflict", f"Apply failed with {len(causes)} {plural}: {lines}", {"causes": causes})


def _using(entry: Object) -> str:
    return f" using {entry['apiVersion']}" if entry.get("operation") == "Update" else ""


def _shown(path: Path) -> str:
    text = ""
    for step in path:
        kind, _, rest = step.partition(":")
        if kind == "f":
            text += f".{rest}"
        else:
            text += "[" + rest.strip("{}").replace('"', "", 2).replace(":", "=", 1) + "]"
    return text


def _merge(current: Any, intent: Any, field: str = "") -> Any:
    if isinstance(intent, dict):
        base = dict(current) if isinstance(current, dict) else {}
        return base | {key: _merge(base.get(key), value, key) for key, value in intent.items()}
    key = merge_key(field, intent) if isinstance(intent, list) else None
    if key and isinstance(current, list):
        merged = list(current)
        for item in intent:
            at = next((n for n, one in enumerate(merged) if one.get(key) == item[key]), None)
            if at is None:
                merged.append(copy(item))
            else:
                merged[at] = _merge(merged[at], item)
        return merged
    return copy(intent)


def _outermost(path: Path, kept: set[Path]) -> Path:
    """Return the list element ``path`` lies in if nobody keeps anything of it, else ``path``."""
    for end in range(1, len(path) + 1):
        element = path[:end]
        if element[-1].startswith("k:") and not any(other[:end] == element for other in kept):
            return element
    return path


def _remove(item: Any, path: Path) -> None:
    """Remove a field or a list element, and what only held that."""
    *above, last = path
    holder = value_at(item, tuple(above))
    kind, _, rest = last.partition(":")
    if kind == "f" and isinstance(holder, dict):
        holder.pop(rest, None)
    elif isinstance(holder, list):
        holder[:] = [one for one in holder if not element_is(one, rest)]
    if above and not holder and holder is not None:
        _remove(item, tuple(above))
