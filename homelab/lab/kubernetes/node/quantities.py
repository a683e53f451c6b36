"""Resource quantities and what a pod asks for. Layer: pure.

Grammar from apimachinery ``pkg/api/resource/quantity.go``.
"""

from __future__ import annotations

from homelab.lab.kubernetes.objects import Object

_SUFFIXES = {
    "": 1.0,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}


def amount(text: object) -> float:
    """Return a quantity (``100m``, ``1Gi``, 2) as a number; ValueError when it is none."""
    shown = str(text)
    digits = shown.rstrip("mkKMGTi")
    suffix = shown[len(digits) :]
    if suffix not in _SUFFIXES:
        raise ValueError(f"{shown!r} is not a quantity")
    return float(digits) * _SUFFIXES[suffix]


def requests(pod: Object) -> dict[str, float]:
    """Return what the pod's containers ask for together, and one pod."""
    total = {"pods": 1.0}
    for container in pod["spec"].get("containers") or []:
        resources = container.get("resources") or {}
        asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
        for name, text in asked.items():
            total[name] = total.get(name, 0.0) + amount(text)
    return total


def lacking(pod: Object, node: Object, others: list[Object]) -> str:
    """Return the first resource ``node`` has too little of for ``pod`` beside ``others``, empty when it fits."""
    room = {name: amount(text) for name, text in (node["status"].get("allocatable") or {}).items()}
    wanted = requests(pod)
    if len(wanted) == 1:
        return "pods" if len(others) + 1 > room.get("pods", 0.0) else ""
    for other in others:
        for name, used in requests(other).items():
            room[name] = room.get(name, 0.0) - used
    return next((name for name, asked in wanted.items() if asked > room.get(name, 0.0)), "")
