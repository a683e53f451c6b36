"""One server's part in a watch: its survey of the commit, and whether its absence of runs is explained.

Layer: ci, above survey and reasons.
"""

from __future__ import annotations

from homelab.ci.events import RunSlow
from homelab.ci.model import Pipeline
from homelab.ci.port import CiRepository
from homelab.ci.reasons import Reason, Sure, why_none
from homelab.ci.request import CiRequest
from homelab.ci.survey import Sight, Survey
from homelab.clock import Clock
from homelab.events import Emit
from homelab.git.port import Repository

#: A run is normally there 1–3 s after the push. With a strong sign against one, wait only this long.
SIGN_GRACE = 15.0
#: A run is far over when it takes this many times its usual, and so much longer at least (seconds).
SLOW_FACTOR, SLOW_MARGIN = 2.0, 60.0


class Side:
    """What one server says about the commit."""

    def __init__(self, survey: Survey, request: CiRequest, *, repository: Repository, clock: Clock, emit: Emit) -> None:
        """``survey`` does the looking."""
        self.survey = survey
        self.sight = Sight()
        self._request, self._repository, self._clock, self._emit = request, repository, clock, emit
        self._found: tuple[int, tuple[Reason, ...]] | None = None

    @property
    def ci(self) -> CiRepository:
        """The server."""
        return self.survey.ci

    def look(self) -> Sight:
        """Look once more, and say when a run takes far longer than usual."""
        self.sight = self.survey.look()
        for run in self.sight.runs:
            self._tell_slow(run)
        return self.sight

    def _tell_slow(self, run: Pipeline) -> None:
        if not run.usual or run.state.finished or not run.started:
            return
        running = self._clock.now() - run.started
        if running <= max(run.usual * SLOW_FACTOR, run.usual + SLOW_MARGIN):
            return
        if self.survey.memory.once(f"slow {run.key}"):
            self._emit(
                RunSlow(server=run.server, number=run.number, seconds=int(running), usual=run.usual, url=run.url)
            )

    def reasons(self, elapsed: float) -> tuple[Reason, ...]:
        """Return why no run is there; asked for again only when a grace has passed or a run vanished."""
        passed = sum(elapsed >= mark for mark in (SIGN_GRACE, self._request.appear_timeout))
        stage = passed + 10 * len(self.sight.vanished)
        if self._found is None or self._found[0] != stage:
            facts = self.ci.facts()
            others, vanished = self.sight.others, self.sight.vanished
            found = why_none(self.ci, facts, self._request, self._repository, others=others, vanished=vanished)
            self._found = (stage, found)
        return self._found[1]

    def explained(self, elapsed: float) -> bool:
        """Say whether it is known, or as good as known, that no run will come."""
        return self._sureness(elapsed) is not Sure.NO and self.given_up(elapsed)

    def given_up(self, elapsed: float) -> bool:
        """Say whether waiting for a first run is over."""
        graces = {Sure.NO: self._request.appear_timeout, Sure.SOON: SIGN_GRACE, Sure.NOW: 0.0}
        return elapsed >= min(graces[self._sureness(elapsed)], self._request.appear_timeout)

    def _sureness(self, elapsed: float) -> Sure:
        return max(reason.sure for reason in self.reasons(elapsed))
