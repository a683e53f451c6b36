"""What a container of an image does once it runs, read from the image's labels. Layer: pure.

A real image is its programs; an image here is its labels, in seconds and plain words:

- ``homelab.lab/start-delay``: how long creating and starting the container takes
- ``homelab.lab/ready-after``: how long after the start readiness and startup probes begin to pass; ``never``
- ``homelab.lab/unready-after``: how long after the start they begin to fail
- ``homelab.lab/crash-after``: how long after the start the process ends, with ``homelab.lab/exit-code`` (1)
- ``homelab.lab/crashes``: how many starts end so; later ones keep running (every one)
- ``homelab.lab/oom-killed``: ``true`` when it is the kernel that ends it (exit code 137)
- ``homelab.lab/start-error``: the runtime cannot start it, with this message (exit code 128)
- ``homelab.lab/stop-after``: how long it needs after SIGTERM
- ``homelab.lab/log``: the lines it prints when it starts
- ``homelab.lab/last-log``: the lines it prints before it ends by itself
- ``homelab.lab/log-every``: prints ``homelab.lab/log-line`` this often while it runs
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "homelab.lab/"


@dataclass(frozen=True, slots=True)
class Life:
    """One image's behaviour; durations in seconds, None for what never happens or is left to the node's speed."""

    start_delay: float | None = None
    ready_after: float = 0.0
    unready_after: float = math.inf
    crash_after: float | None = None
    exit_code: int = 1
    crashes: float = math.inf
    oom_killed: bool = False
    start_error: str = ""
    stop_after: float | None = None
    log: tuple[str, ...] = ()
    last_log: tuple[str, ...] = ()
    log_every: float | None = None
    log_line: str = "still here"


def read_life(labels: Mapping[str, str]) -> Life:
    """Return the life an image's labels describe; a label that makes no sense counts as absent."""
    oom = labels.get(f"{PREFIX}oom-killed") == "true"
    return Life(
        start_delay=_optional(labels, "start-delay"),
        ready_after=_seconds(labels, "ready-after", 0.0),
        unready_after=_seconds(labels, "unready-after", math.inf),
        crash_after=_optional(labels, "crash-after") if not oom else _seconds(labels, "crash-after", 0.0),
        exit_code=137 if oom else int(_seconds(labels, "exit-code", 1.0)),
        crashes=_seconds(labels, "crashes", math.inf),
        oom_killed=oom,
        start_error=labels.get(f"{PREFIX}start-error", ""),
        stop_after=_optional(labels, "stop-after"),
        log=_lines(labels, "log"),
        last_log=_lines(labels, "last-log"),
        log_every=_optional(labels, "log-every"),
        log_line=labels.get(f"{PREFIX}log-line", "still here"),
    )


def _optional(labels: Mapping[str, str], name: str) -> float | None:
    text = labels.get(PREFIX + name, "")
    if text == "never":
        return math.inf
    try:
        return float(text)
    except ValueError:
        return None


def _seconds(labels: Mapping[str, str], name: str, default: float) -> float:
    found = _optional(labels, name)
    return default if found is None else found


def _lines(labels: Mapping[str, str], name: str) -> tuple[str, ...]:
    text = labels.get(PREFIX + name, "")
    return tuple(text.splitlines())
