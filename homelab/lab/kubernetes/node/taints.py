"""Taints and tolerations. Layer: pure.

From ``component-helpers/scheduling/corev1/helpers.go``.
"""

from __future__ import annotations

from homelab.lab.kubernetes.objects import Object

UNSCHEDULABLE = "node.kubernetes.io/unschedulable"


def taints_of(node: Object) -> list[Object]:
    """Return the node's taints; a cordoned node has the one its controller gives it."""
    cordon = [{"key": UNSCHEDULABLE, "effect": "NoSchedule"}] if node["spec"].get("unschedulable") else []
    return cordon + list(node["spec"].get("taints") or [])


def untolerated(node: Object, tolerations: list[Object], effects: tuple[str, ...]) -> Object | None:
    """Return the first taint of ``node`` with one of ``effects`` that nothing tolerates."""
    for taint in taints_of(node):
        if taint["effect"] in effects and not any(_tolerates(rule, taint) for rule in tolerations):
            return dict(taint)
    return None


def _tolerates(rule: Object, taint: Object) -> bool:
    if rule.get("effect") and rule["effect"] != taint["effect"]:
        return False
    if rule.get("key") and rule["key"] != taint["key"]:
        return False
    if not rule.get("key") and rule.get("operator") != "Exists":
        return False
    return rule.get("operator") == "Exists" or rule.get("value", "") == taint.get("value", "")
