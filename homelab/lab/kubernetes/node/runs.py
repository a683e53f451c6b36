"""One start of a container: its times, its end, what it printed. Layer: state of the kubelet."""

from __future__ import annotations

import hashlib
import math
import uuid
from dataclasses import dataclass, field

from homelab.lab.kubernetes.node.life import Life
from homelab.lab.kubernetes.objects import Object, seconds, stamp


@dataclass(slots=True)
class Line:
    """One line of output: when (Unix seconds) and what."""

    at: float
    text: str


@dataclass(slots=True)
class Run:
    """One start of the container; times are Unix seconds."""

    container_id: str
    started: float
    life: Life
    lines: list[Line] = field(default_factory=list)
    ended: float | None = None
    exit_code: int = 0
    reason: str = ""
    message: str = ""

    def print_until(self, now: float) -> None:
        """Print the lines that are due by ``now``."""
        while self.next_line() <= now:
            self.lines.append(Line(self.next_line(), self.life.log_line))

    def next_line(self) -> float:
        """Return when the next repeated line is due, infinity when none is."""
        every = self.life.log_every
        if not every:
            return math.inf
        printed = len(self.lines) - len(self.life.log)
        return self.started + (printed + 1) * every


def ended_run(ended: Object, life: Life) -> Run:
    """Return the run a ``terminated`` state tells of."""
    run = Run(ended.get("containerID", ""), seconds(ended["startedAt"]), life)
    run.ended, run.exit_code, run.reason = seconds(ended["finishedAt"]), int(ended["exitCode"]), ended["reason"]
    run.message = ended.get("message", "")
    return run


def new_container_id() -> str:
    """Return an id as containerd makes them."""
    return f"containerd://{hashlib.sha256(uuid.uuid4().bytes).hexdigest()}"


def terminated(run: Run) -> Object:
    """Return the ``terminated`` state of an ended run."""
    return {
        "exitCode": run.exit_code,
        "reason": run.reason,
        **({"message": run.message} if run.message else {}),
        "startedAt": stamp(run.started),
        "finishedAt": stamp(run.ended or run.started),
        "containerID": run.container_id,
    }
