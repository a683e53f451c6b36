"""Label and field selectors: parsed once, then asked. Layer: pure.

Grammar as in apimachinery ``pkg/labels/selector.go`` and ``pkg/fields/selector.go``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from homelab.lab.kubernetes.objects import Object, labels_of
from homelab.lab.kubernetes.refusals import bad_request

Predicate: TypeAlias = Callable[[Object], bool]
_Labels: TypeAlias = Mapping[str, str]

_SET = re.compile(r"^\s*(?P<key>[^\s!=,()]+)\s+(?P<word>in|notin)\s*\((?P<values>[^()]*)\)\s*$")
_EQUAL = re.compile(r"^\s*(?P<key>[^\s!=,()]+)\s*(?P<sign>!=|==|=)\s*(?P<value>[^\s,()=!]*)\s*$")
_ALONE = re.compile(r"^\s*(?P<no>!?)\s*(?P<key>[^\s!=,()]+)\s*$")
_COMMA = re.compile(r",(?![^()]*\))")


def label_selector(text: str) -> Callable[[_Labels], bool]:
    """Return what ``text`` (``a=b,c in (d,e),!f``) asks of a set of labels; raises a 400 refusal when malformed."""
    tests = [_label_test(part) for part in _COMMA.split(text) if part.strip()]
    return lambda labels: all(test(labels) for test in tests)


def _label_test(part: str) -> Callable[[_Labels], bool]:
    if found := _SET.match(part):
        key, values = found["key"], {value.strip() for value in found["values"].split(",")}
        if found["word"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.match(part):
        key, value = found["key"], found["value"]
        if found["sign"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _ALONE.match(part):
        key = found["key"]
        if found["no"]:
            return lambda labels: key not in labels
        return lambda labels: key in labels
    raise bad_request(
        f"unable to parse requirement: found '{part.strip()}', expected: !, identifier, or 'end of string'"
    )


def matches_selector(selector: Object, labels: _Labels) -> bool:
    """Say whether ``labels`` meet a workload's ``spec.selector`` (matchLabels and matchExpressions)."""
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_meets(rule, labels) for rule in selector.get("matchExpressions") or [])


def _meets(rule: Object, labels: _Labels) -> bool:
    key, values = rule["key"], rule.get("values") or []
    match rule["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def field_selector(text: str, allowed: frozenset[str]) -> Predicate:
    """Return what ``text`` (``metadata.name=x,status.phase!=Running``) asks of an object.

    Raises a 400 refusal for a field outside ``allowed``, as the real server does.
    """
    tests = [_field_test(part, allowed) for part in text.split(",") if part.strip()]
    return lambda item: all(test(item) for test in tests)


def _field_test(part: str, allowed: frozenset[str]) -> Predicate:
    found = _EQUAL.match(part)
    if not found:
        raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
    path, value, negated = found["key"], found["value"], found["sign"] == "!="
    if path not in allowed:
        raise bad_request(f"field label not supported: {path}")
    return lambda item: (_field(item, path) == value) != negated


def _field(item: Object, path: str) -> str:
    value: Any = item
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return "" if value is None else str(value)


_META = frozenset({"metadata.name", "metadata.namespace"})
_BY_PLURAL = {
    "pods": _META | {"status.phase", "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "status.podIP"},
    "events": _META
    | {
        f"involvedObject.{name}"
        for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    }
    | {"reason", "reportingComponent", "source", "type"},
    "nodes": _META | {"spec.unschedulable"},
    "namespaces": _META | {"status.phase"},
    "replicasets": _META | {"status.replicas"},
    "secrets": _META | {"type"},
    "jobs": _META | {"status.successful"},
}


def selectable_fields(plural: str) -> frozenset[str]:
    """Return the fields a LIST of ``plural`` may select on."""
    return _BY_PLURAL.get(plural, _META)


def selection(labels: str, fields: str, plural: str) -> Predicate:
    """Return the predicate of one request's ``labelSelector`` and ``fieldSelector``."""
    by_label = label_selector(labels)
    by_field = field_selector(fields, selectable_fields(plural))
    return lambda item: by_label(labels_of(item)) and by_field(item)
