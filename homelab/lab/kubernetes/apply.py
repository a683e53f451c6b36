"""Server-side apply: who owns which field, and what happens when two want one. Layer: pure.

From ``structured-merge-diff`` and apiserver ``fieldmanager``, in the parts clients see: conflicts name the owner and
the field, an applier that leaves out a field it alone owned removes it, ``force`` takes over.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from homelab.lab.kubernetes.objects import Object, copy, stamp
from homelab.lab.kubernetes.patches import merge_key
from homelab.lab.kubernetes.refusals import Refusal, bad_request

Path: TypeAlias = tuple[str, ...]
"""Steps as managedFields write them: ``f:spec`` for a field, ``k:{"name":"app"}`` for a list element."""

_IGNORED = (("f:apiVersion",), ("f:kind",), ("f:metadata", "f:name"), ("f:metadata", "f:namespace"))


def applied(item: Object, intent: Any, *, manager: str, force: bool, now: float, part: str) -> Object:
    """Return ``item`` after ``manager`` applied ``intent``; refuses with 409 what others own with another value."""
    if not isinstance(intent, dict):
        raise bad_request("error decoding YAML: expected an object")
    wanted = {path for path in leaves(intent) if path not in _IGNORED}
    others = [entry for entry in managers(item) if not _is(entry, manager, part)]
    conflicts = _conflicts(item, intent, wanted, others)
    if conflicts and not force:
        raise _conflict(conflicts)
    merged: Object = _merge(item, intent)
    mine = next((entry for entry in managers(item) if _is(entry, manager, part)), None)
    kept = wanted.union(_IGNORED, *(owned(entry) for entry in others))
    for path in {_outermost(path, kept) for path in (owned(mine) if mine else set()) - kept}:
        _remove(merged, path)
    taken = {path for _, path in conflicts}
    entries = [entry for entry in (_without(entry, taken) for entry in others) if entry["fieldsV1"]]
    entries.append(
        {
            "manager": manager,
            "operation": "Apply",
            "apiVersion": intent.get("apiVersion") or item["apiVersion"],
            "time": stamp(now),
            "fieldsType": "FieldsV1",
            "fieldsV1": fields_v1(wanted),
            **({"subresource": part} if part else {}),
        }
    )
    merged["metadata"]["managedFields"] = entries
    return merged


def managers(item: Object) -> list[Object]:
    """Return the entries of managedFields."""
    return item["metadata"].get("managedFields") or []


def owned(entry: Object) -> set[Path]:
    """Return the paths an entry owns."""
    found: set[Path] = set()

    def walk(fields: Object, at: Path) -> None:
        for step, below in fields.items():
            if step == ".":
                continue
            if below and set(below) != {"."}:
                walk(below, (*at, step))
            else:
                found.add((*at, step))

    walk(entry.get("fieldsV1") or {}, ())
    return found


def fields_v1(paths: set[Path]) -> Object:
    """Return the nested form of a set of paths."""
    root: Object = {}
    for path in sorted(paths):
        node = root
        for step in path:
            node = node.setdefault(step, {})
    return root


def leaves(value: Any, at: Path = (), field: str = "") -> set[Path]:
    """Return the paths of everything set in ``value``; a list that is replaced whole is one leaf."""
    if isinstance(value, dict) and value:
        return {path for key, below in value.items() for path in leaves(below, (*at, f"f:{key}"), key)}
    if isinstance(value, list) and value:
        key = merge_key(field, value)
        if key:
            return {path for item in value for path in leaves(item, (*at, _step(key, item[key])))}
    return {at} if at else set()


def _step(key: str, value: Any) -> str:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return f'k:{{"{key}":{shown}}}'


def _is(entry: Object, manager: str, part: str) -> bool:
    return (entry.get("manager"), entry.get("operation"), entry.get("subresource", "")) == (manager, "Apply", part)


def _conflicts(item: Object, intent: Object, wanted: set[Path], others: list[Object]) -> list[tuple[Object, Path]]:
    return [
        (entry, path)
        for entry in others
        for path in sorted(owned(entry) & wanted)
        if _value(item, path) != _value(intent, path)
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


def _value(item: Any, path: Path) -> Any:
    for step in path:
        item = _below(item, step)
        if item is None:
            return None
    return item


def _below(item: Any, step: str) -> Any:
    kind, _, rest = step.partition(":")
    if kind == "f":
        return item.get(rest) if isinstance(item, dict) else None
    found = [one for one in item if _matches(one, rest)] if isinstance(item, list) else []
    return found[0] if found else None


def _matches(item: Any, key_text: str) -> bool:
    key, _, value = key_text.strip("{}").partition(":")
    found = item.get(key.strip('"')) if isinstance(item, dict) else None
    return found is not None and (f'"{found}"' if isinstance(found, str) else str(found)) == value


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
    holder = _value(item, tuple(above))
    kind, _, rest = last.partition(":")
    if kind == "f" and isinstance(holder, dict):
        holder.pop(rest, None)
    elif isinstance(holder, list):
        holder[:] = [one for one in holder if not _matches(one, rest)]
    if above and not holder and holder is not None:
        _remove(item, tuple(above))


def _without(entry: Object, paths: set[Path]) -> Object:
    return {**entry, "fieldsV1": fields_v1(owned(entry) - paths)}
