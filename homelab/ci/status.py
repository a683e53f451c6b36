"""``ci status``: one look, answered by the same table as a watch. Layer: ci use case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from homelab.ci.conclude import conclude, nothing, partly, unseen
from homelab.ci.port import CiRepository
from homelab.ci.reasons import Absent, Reason, Sure, why_none
from homelab.ci.request import CiRequest
from homelab.ci.result import CiResult
from homelab.ci.sight import Sight, together
from homelab.ci.survey import Survey
from homelab.ci.verdict import KILLED_QUIET, judge
from homelab.ci.witness import Witness
from homelab.clock import Clock
from homelab.errors import UsageError
from homelab.events import Event
from homelab.git.port import Repository
from homelab.outcome import Outcome


def status(
    ci: CiRepository | Sequence[CiRepository],
    request: CiRequest,
    *,
    repository: Repository,
    clock: Clock,
    witness: Witness | None = None,
) -> CiResult:
    """Return how the commit stands now: pending is 8, no run is 7 with the reasons found."""
    servers = list(ci) if isinstance(ci, Sequence) else [ci]
    looking = _Looking(servers, request, repository, clock, witness or Witness())
    sight, silent = looking.look()
    if not sight.runs:
        reasons = [reason for found in silent.values() for reason in found]
        if sight.hidden or looking.too_young(reasons):
            return unseen(request, waited=0, because=[reason.sentence for reason in reasons if not reason.guess])
        return nothing(request, reasons, waited=0)
    # A look says what is now: a killed run is not given time to turn into something else.
    quiet = replace(sight.stamped, states=max(sight.stamped.states, KILLED_QUIET))
    verdict = judge(sight.runs, quiet=quiet, settle=max(one.settle for one in servers))
    final = verdict.final and not sight.hidden
    answer = conclude(servers, request, sight, verdict if final else verdict.still_moving(), clock=clock)
    if answer.outcome is not Outcome.DONE:
        return answer
    missing = {name: found for name, found in silent.items() if max(reason.sure for reason in found) is Sure.NO}
    return partly(answer, request, missing) if missing else looking.witness.named(answer, request.oid, servers)


@dataclass(frozen=True, slots=True)
class _Looking:
    """One look at every server, and at the forge where one is silent."""

    servers: Sequence[CiRepository]
    request: CiRequest
    repository: Repository
    clock: Clock
    witness: Witness

    def look(self) -> tuple[Sight, dict[str, tuple[Reason, ...]]]:
        """Return what is there, and why not, by the name of each server without a run."""
        sights: list[Sight] = []
        silent: dict[str, tuple[Reason, ...]] = {}
        for ci in self.servers:
            survey = Survey(ci, self.request, repository=self.repository, clock=self.clock, emit=_silent, expect=False)
            sight = survey.look()
            if not sight.runs and not sight.hidden:
                sight, silent[ci.name] = self._why(survey, sight)
            if sight.runs:
                silent.pop(ci.name, None)
            sights.append(sight)
        return together(sights), silent

    def _why(self, survey: Survey, sight: Sight) -> tuple[Sight, tuple[Reason, ...]]:
        """Ask the forge; where it names a run of this commit, look again."""
        ci, statement = survey.ci, self.witness.of(self.request.oid)
        if [number for number in statement.numbers(ci) if survey.adopt(number) is not None]:
            sight = survey.look()
        seen = Absent(others=sight.others, vanished=sight.vanished, statement=statement)
        return sight, why_none(ci, ci.facts(), self.request, self.repository, seen)

    def too_young(self, reasons: Sequence[Reason]) -> bool:
        """Say whether a run may still come: nothing speaks against one, and the commit is fresh."""
        if any(reason.sure is not Sure.NO for reason in reasons):
            return False
        try:
            committed = self.repository.commit(self.request.oid).committed
        except UsageError:
            return False
        return 0 <= self.clock.now() - committed < self.request.appear_timeout


def _silent(event: Event) -> None:
    """A single look has no progress: its answer says all."""
    del event
