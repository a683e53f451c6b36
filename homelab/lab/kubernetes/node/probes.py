"""When a container's probes begin to pass, and whether they do. Layer: pure.

From ``pkg/kubelet/prober``; liveness probes always pass, as an image has a label for crashing.
"""

from __future__ import annotations

import math
from typing import Protocol

from homelab.lab.kubernetes.node.runs import Run
from homelab.lab.kubernetes.node.speeds import Speeds
from homelab.lab.kubernetes.objects import Object


class Paced(Protocol):
    """Who tells the time and how fast a probe's seconds go."""

    speeds: Speeds

    def now(self) -> float:
        """Return Unix time in seconds."""


def _probes(spec: Object) -> list[Object]:
    return [probe for name in ("startupProbe", "readinessProbe") if (probe := spec.get(name))]


def passes_at(spec: Object, run: Run, pace: float) -> float:
    """Return when every probe has passed for the first time: the start when there is none, infinity for never."""
    moment = run.started
    for probe in _probes(spec):
        first = run.started + float(probe.get("initialDelaySeconds", 0)) * pace
        period = max(float(probe.get("periodSeconds", 10)) * pace, 0.01)
        if run.life.ready_after == math.inf:
            return math.inf
        tries = max(0, math.ceil((run.started + run.life.ready_after - first) / period))
        moment = max(moment, first + (tries + int(probe.get("successThreshold", 1)) - 1) * period)
    return moment


def probes_pass(spec: Object, run: Run, paced: Paced) -> bool:
    """Say whether every probe passes now."""
    if not _probes(spec):
        return True
    return passes_at(spec, run, paced.speeds.probe) <= paced.now() < run.started + run.life.unready_after


def failure(spec: Object) -> str:
    """Return the words for a probe that fails."""
    probe = _probes(spec)[-1]
    kind = "Readiness" if spec.get("readinessProbe") else "Startup"
    text = "HTTP probe failed with statuscode: 503" if "httpGet" in probe else "command exited with 1"
    return f"{kind} probe failed: {text}"
