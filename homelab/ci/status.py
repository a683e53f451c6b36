"""``ci status``: one look, answered by the same table as a watch. Layer: ci use case."""

from __future__ import annotations

from dataclasses import replace

from homelab.ci.conclude import conclude, nothing
from homelab.ci.port import CiRepository
from homelab.ci.reasons import why_none
from homelab.ci.request import CiRequest
from homelab.ci.result import CiResult
from homelab.ci.survey import Survey
from homelab.ci.verdict import KILLED_QUIET, judge
from homelab.clock import Clock
from homelab.events import Event
from homelab.git.port import Repository


def status(ci: CiRepository, request: CiRequest, *, repository: Repository, clock: Clock) -> CiResult:
    """Return how the commit stands now: pending is 8, no run is 7 with the reasons found."""
    sight = Survey(ci, request, repository=repository, clock=clock, emit=_silent).look()
    if sight.runs:
        # A look says what is now: a killed run is not given time to turn into something else.
        quiet = replace(sight.stamped, states=max(sight.stamped.states, KILLED_QUIET))
        verdict = judge(sight.runs, quiet=quiet, settle=ci.settle)
        if not verdict.final:
            verdict = verdict.still_moving()
        return conclude(ci, request, sight, verdict)
    reasons = why_none(ci, ci.facts(), request, repository, others=sight.others, vanished=sight.vanished)
    return nothing(request, reasons, waited=0)


def _silent(event: Event) -> None:
    """A single look has no progress: its answer says all."""
    del event
