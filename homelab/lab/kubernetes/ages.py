"""Ages as kubectl writes them. Layer: pure.

From apimachinery ``pkg/util/duration/duration.go`` (``HumanDuration``).
"""

from __future__ import annotations

from homelab.lab.kubernetes.objects import seconds

_AGES = (
    (120, 1, "s", 0, ""),
    (600, 60, "m", 1, "s"),
    (3 * 3600, 60, "m", 0, ""),
    (8 * 3600, 3600, "h", 60, "m"),
    (2 * 86400, 3600, "h", 0, ""),
    (8 * 86400, 86400, "d", 3600, "h"),
)
"""Below so many seconds: the unit, its letter, and the smaller unit that may follow."""


def age(stamped: str | None, now: float) -> str:
    """Return the time since a stamp as kubectl writes it."""
    if not stamped:
        return "<unknown>"
    total = int(max(0.0, now - seconds(stamped)))
    for below, unit, letter, smaller, small_letter in _AGES:
        if total < below:
            rest = total % unit // smaller if smaller else 0
            return f"{total // unit}{letter}" + (f"{rest}{small_letter}" if rest else "")
    return f"{total // 86400}d"
