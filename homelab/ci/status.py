"""``ci status``: one look, answered by the same table as a watch. Layer: ci use case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from homelab.ci.conclude import conclude, nothing, partly
from homelab.ci.port import CiRepository
from homelab.ci.reasons import Reason, Sure, why_none
from homelab.ci.request import CiRequest
from homelab.ci.result import CiResult
from homelab.ci.survey import Sight, Survey, together
from homelab.ci.verdict import KILLED_QUIET, judge
from homelab.clock import Clock
from homelab.events import Event
from homelab.git.port import Repository
from homelab.outcome import Outcome


def status(
    ci: CiRepository | Sequence[CiRepository], request: CiRequest, *, repository: Repository, clock: Clock
) -> CiResult:
    """Return how the commit stands now: pending is 8, no run is 7 with the reasons found."""
    servers = list(ci) if isinstance(ci, Sequence) else [ci]
    surveys = [Survey(one, request, repository=repository, clock=clock, emit=_silent, expect=False) for one in servers]
    sights = [survey.look() for survey in surveys]
    silent = {
        one.name: _why(one, request, repository, sight)
        for one, sight in zip(servers, sights, strict=True)
        if not sight.runs
    }
    sight = together(sights)
    if not sight.runs:
        return nothing(request, [reason for found in silent.values() for reason in found], waited=0)
    # A look says what is now: a killed run is not given time to turn into something else.
    quiet = replace(sight.stamped, states=max(sight.stamped.states, KILLED_QUIET))
    verdict = judge(sight.runs, quiet=quiet, settle=max(one.settle for one in servers))
    answer = conclude(servers, request, sight, verdict if verdict.final else verdict.still_moving())
    missing = {name: found for name, found in silent.items() if max(reason.sure for reason in found) is Sure.NO}
    return partly(answer, request, missing) if missing and answer.outcome is Outcome.DONE else answer


def _why(ci: CiRepository, request: CiRequest, repository: Repository, sight: Sight) -> tuple[Reason, ...]:
    return why_none(ci, ci.facts(), request, repository, others=sight.others, vanished=sight.vanished)


def _silent(event: Event) -> None:
    """A single look has no progress: its answer says all."""
    del event
