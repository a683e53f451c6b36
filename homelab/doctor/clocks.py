"""Compare clocks: certificates, tokens and graces all trust that they agree. Pure; layer: doctor."""

from __future__ import annotations

from collections.abc import Iterator

from homelab.doctor.model import Finding, warn

#: A ``Date`` has whole seconds and may have been on its way for some; below this clocks agree.
AGREE = 30.0

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def clock(name: str, whose: str, ahead: float | None) -> Iterator[Finding]:
    """Warn where ``whose`` clock and ours differ by more than half a minute."""
    if ahead is not None and abs(ahead) > AGREE:
        yield warn(
            name,
            f"this machine's clock is {span(abs(ahead))} {'behind' if ahead > 0 else 'ahead of'} {whose}'s",
            why="one of them is wrong; certificates and deadlines go by it",
            fix="compare with: date -u   (then set the wrong one, e.g. timedatectl set-ntp true)",
        )


def span(seconds: float) -> str:
    """Return a length of time as a person says it: ``40 s``, ``12 min``, ``9 h``, ``29 days``."""
    for unit, word in ((DAY, "days"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {word}"
    return f"{max(seconds, 0):.0f} s"
