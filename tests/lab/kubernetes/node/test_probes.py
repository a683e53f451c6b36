"""When probes begin to pass."""

from __future__ import annotations

import math

import pytest

from homelab.lab.kubernetes.node.life import Life
from homelab.lab.kubernetes.node.probes import failure, passes_at
from homelab.lab.kubernetes.node.runs import Line, Run


def run(**life: float) -> Run:
    return Run("id", 100.0, Life(**life))


@pytest.mark.parametrize(
    ("probe", "life", "moment"),
    [
        (None, {"ready_after": 7.0}, 100.0),
        ({"periodSeconds": 5}, {}, 100.0),
        ({"periodSeconds": 5, "initialDelaySeconds": 3}, {}, 103.0),
        ({"periodSeconds": 5}, {"ready_after": 7.0}, 110.0),
        ({"periodSeconds": 5, "successThreshold": 2}, {"ready_after": 7.0}, 115.0),
        ({"periodSeconds": 5}, {"ready_after": math.inf}, math.inf),
    ],
)
def test_a_probe_passes_at_its_first_try_after_the_process_is_there(probe, life, moment):
    spec = {"readinessProbe": probe} if probe else {}
    assert passes_at(spec, run(**life), 1.0) == moment


def test_the_pace_makes_seconds_shorter():
    assert passes_at({"readinessProbe": {"periodSeconds": 10}}, run(ready_after=1.5), 0.1) == pytest.approx(102.0)


def test_a_failure_names_the_probe():
    http = {"httpGet": {"port": 80}}
    assert failure({"readinessProbe": http}) == "Readiness probe failed: HTTP probe failed with statuscode: 503"
    assert failure({"startupProbe": {"exec": {}}}) == "Startup probe failed: command exited with 1"


def test_a_run_prints_its_line_as_often_as_it_should():
    chatty = Run("id", 100.0, Life(log=("up",), log_every=2.0, log_line="tick"), lines=[Line(100.0, "up")])
    chatty.print_until(105.0)
    assert [(line.at, line.text) for line in chatty.lines] == [(100.0, "up"), (102.0, "tick"), (104.0, "tick")]
    assert run().next_line() == math.inf
