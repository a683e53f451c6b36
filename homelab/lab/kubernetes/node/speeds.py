"""How fast the node lives: everything a real node would spend seconds or minutes on. Layer: pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Speeds:
    """Durations in seconds. The defaults let a small rollout take one to two seconds; a real node's are in brackets."""

    schedule: float = 0.02
    """From a pod's creation to its node [~0]."""
    pull: float = 0.15
    """The least an image pull takes [1-60]."""
    start: float = 0.15
    """Creating and starting a container [0.5]."""
    probe: float = 0.1
    """How long one second of a probe's period and initial delay takes [1]."""
    stop: float = 0.2
    """What a process needs after SIGTERM [up to 30]."""
    pull_back_off: float = 1.0
    """The first wait after a failed pull, doubling [10]."""
    crash_back_off: float = 1.0
    """The wait after the second crash, doubling; the first restart is at once [10]."""
    longest_back_off: float = 20.0
    """Where doubling ends [300]."""
    sync: float = 1.0
    """How often the kubelet looks again at what is missing: a Secret, a volume [60]."""
    steady: float = 60.0
    """How long a container must run for its crash back-off to start over [600]."""


def back_off(first: float, times: int, longest: float) -> float:
    """Return the wait after ``times`` failures (1 for the first)."""
    return float(min(first * 2 ** max(0, times - 1), longest))
