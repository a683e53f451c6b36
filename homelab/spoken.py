"""Durations as they are said and typed. Pure. Layer: vocabulary; imports nothing of ours."""

from __future__ import annotations

MINUTE, HOUR, DAY = 60, 3600, 86400


def duration(seconds: float) -> str:
    """Return ``41s``, ``1m12s`` or ``2h05m``."""
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m{whole % MINUTE:02d}s"
    return f"{whole // HOUR}h{whole % HOUR // MINUTE:02d}m"


def ago(seconds: float) -> str:
    """Return how long ago something was, in its largest unit: ``41s ago``, ``5m ago``, ``3h ago``, ``12d ago``."""
    whole = max(int(seconds), 0)
    for unit, letter in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if whole >= unit:
            return f"{whole // unit}{letter} ago"
    return f"{whole}s ago"
