"""managedFields: which writer owns which field of an object. Layer: pure.

From ``structured-merge-diff`` ``fieldpath`` and apiserver ``pkg/endpoints/handlers/fieldmanager``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from homelab.lab.kubernetes.objects import Object, stamp
from homelab.lab.kubernetes.patches import merge_key

Path: TypeAlias = tuple[str, ...]
"""Steps as managedFields write them: ``f:spec`` for a field, ``k:{"name":"app"}`` for a list element."""

_NOBODYS = {("f:apiVersion",), ("f:kind",)}
_SERVERS = {
    ("f:metadata", f"f:{name}")
    for name in (
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
    )
}


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: ``operation`` is Apply or Update, ``part`` the subresource."""

    name: str
    operation: str
    part: str = ""

    def wrote(self, entry: Object) -> bool:
        """Say whether an entry is this writer's."""
        return (entry.get("manager"), entry.get("operation"), entry.get("subresource", "")) == (
            self.name,
            self.operation,
            self.part,
        )


def updated(before: Object, after: Object, writer: Writer, now: float) -> Object:
    """Return ``after`` with ``writer`` as the owner of what differs from ``before``.

    Who changes managedFields by hand has the last word; who leaves them out changes nothing about them.
    """
    entries = after["metadata"].get("managedFields")
    if entries is not None and entries != managers(before):
        return after
    new = leaves(after)
    changed = {path for path in new if _within(path, writer.part) and value_at(before, path) != value_at(after, path)}
    gone = {path for path in leaves(before) if _within(path, writer.part)} - new
    kept = managers(before)
    if changed or gone:
        mine = next((entry for entry in kept if writer.wrote(entry)), None)
        owns = ((owned(mine) if mine else set()) | changed) - gone
        others = [without(entry, changed | gone) for entry in kept if not writer.wrote(entry)]
        kept = [entry for entry in others if entry["fieldsV1"]]
        kept += [entry_of(writer, str(after.get("apiVersion") or before.get("apiVersion")), now, owns)] if owns else []
    after["metadata"]["managedFields"] = kept
    if not kept:
        del after["metadata"]["managedFields"]
    return after


def _within(path: Path, part: str) -> bool:
    """Say whether a write to ``part`` can change ``path``: status only through its own subresource."""
    return (path[0] == "f:status") == (part == "status")


def entry_of(writer: Writer, version: str, now: float, paths: set[Path]) -> Object:
    """Return a fresh entry."""
    return {
        "manager": writer.name,
        "operation": writer.operation,
        "apiVersion": version,
        "time": stamp(now),
        "fieldsType": "FieldsV1",
        "fieldsV1": fields_v1(paths),
        **({"subresource": writer.part} if writer.part else {}),
    }


def managers(item: Object) -> list[Object]:
    """Return the entries of managedFields."""
    return item["metadata"].get("managedFields") or []


def owned(entry: Object) -> set[Path]:
    """Return the paths an entry owns."""
    found: set[Path] = set()

    def walk(fields: Object, at: Path) -> None:
        """Collect the leaves below ``at``."""
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


def leaves(item: Object) -> set[Path]:
    """Return the paths of everything set in an object that can be owned; a list replaced whole is one leaf."""
    return {path for path in _leaves(item) if path not in _NOBODYS and path[:2] not in _SERVERS}


def _leaves(value: Any, at: Path = (), field: str = "") -> set[Path]:
    if isinstance(value, dict) and value:
        return {path for key, below in value.items() for path in _leaves(below, (*at, f"f:{key}"), key)}
    if isinstance(value, list) and value:
        key = merge_key(field, value)
        if key:
            return {path for item in value for path in _leaves(item, (*at, _step(key, item[key])))}
    return {at} if at else set()


def _step(key: str, value: Any) -> str:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return f'k:{{"{key}":{shown}}}'


def value_at(item: Any, path: Path) -> Any:
    """Return what stands at ``path``, None when nothing does."""
    for step in path:
        item = _below(item, step)
        if item is None:
            return None
    return item


def _below(item: Any, step: str) -> Any:
    kind, _, rest = step.partition(":")
    if kind == "f":
        return item.get(rest) if isinstance(item, dict) else None
    found = [one for one in item if element_is(one, rest)] if isinstance(item, list) else []
    return found[0] if found else None


def element_is(item: Any, key_text: str) -> bool:
    """Say whether a list element has the key ``{"name":"app"}``."""
    key, _, value = key_text.strip("{}").partition(":")
    found = item.get(key.strip('"')) if isinstance(item, dict) else None
    return found is not None and (f'"{found}"' if isinstance(found, str) else str(found)) == value


def without(entry: Object, paths: set[Path]) -> Object:
    """Return an entry that no longer owns ``paths``."""
    return {**entry, "fieldsV1": fields_v1(owned(entry) - paths)}
