"""One server's part in a watch: its survey of the commit, and whether its absence of runs is explained.

Layer: ci, above survey and reasons.
"""

from __future__ import annotations

from homelab.ci.endure import Endurance
from homelab.ci.events import RunSlow, StateUnknown
from homelab.ci.model import Pipeline, State
from homelab.ci.port import CiRepository
from homelab.ci.reasons import Absent, Reason, Sure, why_none
from homelab.ci.request import CiRequest
from homelab.ci.sight import Sight
from homelab.ci.survey import Survey
from homelab.ci.witness import Statement, Witness
from homelab.clock import Clock
from homelab.errors import HomelabError
from homelab.events import Emit
from homelab.git.port import Repository
from homelab.spoken import duration

#: A run is normally there 1–3 s after the push. With a strong sign against one, wait only this long.
SIGN_GRACE = 15.0
#: A run is far over when it takes this many times its usual, and so much longer at least (seconds).
SLOW_FACTOR, SLOW_MARGIN = 2.0, 60.0


class Side:
    """What one server says about the commit."""

    def __init__(
        self,
        survey: Survey,
        request: CiRequest,
        *,
        repository: Repository,
        clock: Clock,
        emit: Emit,
        witness: Witness,
    ) -> None:
        """``survey`` does the looking; ``witness`` is the forge."""
        self.survey = survey
        self.sight = Sight()
        #: The forge named a run that the server's list does not show.
        self.adopted = False
        self._request, self._repository, self._clock, self._emit = request, repository, clock, emit
        self._witness = witness
        self._endurance = Endurance(survey.ci.name, clock=clock, emit=emit)
        self._found: tuple[object, tuple[Reason, ...]] | None = None

    @property
    def ci(self) -> CiRepository:
        """The server."""
        return self.survey.ci

    @property
    def answered(self) -> bool:
        """Say whether it was ever seen."""
        return self._endurance.answered

    @property
    def lost(self) -> HomelabError | None:
        """Why it cannot be seen now, None while it can."""
        return self._endurance.lost

    def blind(self) -> str:
        """Say since when and why it cannot be seen."""
        lost = self._endurance.lost
        return f"{self.ci.name} not seen for {duration(self._endurance.lost_for())}: {lost.what}" if lost else ""

    def look(self) -> Sight | None:
        """Look once more, and say what is odd about a run. None while the server is away; raises when too long."""
        sight = self._endurance.ask(self.survey.look)
        if sight is None:
            return None
        self.sight = sight
        for run in sight.runs:
            self._tell_slow(run)
            self._tell_unknown(run)
        return sight

    def _tell_slow(self, run: Pipeline) -> None:
        if not run.usual or run.state.finished or not run.started:
            return
        running = self._clock.now() + (self.ci.ahead or 0.0) - run.started
        if running <= max(run.usual * SLOW_FACTOR, run.usual + SLOW_MARGIN):
            return
        if self.survey.memory.once(f"slow {run.key}"):
            self._emit(
                RunSlow(server=run.server, number=run.number, seconds=int(running), usual=run.usual, url=run.url)
            )

    def _tell_unknown(self, run: Pipeline) -> None:
        if run.state is State.UNKNOWN and self.survey.memory.once(f"unknown {run.key} {run.said}"):
            self._emit(StateUnknown(server=run.server, number=run.number, state=run.said, url=run.url))

    def reasons(self, elapsed: float) -> tuple[Reason, ...]:
        """Return why no run is there; asked for again only when a grace has passed or what is seen changed."""
        passed = sum(elapsed >= mark for mark in (SIGN_GRACE, self._request.appear_timeout))
        stage = (passed, self.sight.vanished, tuple(run.key for run in self.sight.others))
        if self._found is None or self._found[0] != stage:
            self._found = (stage, self._asked(last=passed > 0))
        return self._found[1]

    def _asked(self, *, last: bool) -> tuple[Reason, ...]:
        """Look for the causes; the forge is asked only when it is ``last`` time, and may name a run after all."""
        statement = self._witness.of(self._request.oid) if last else Statement()
        for number in statement.numbers(self.ci):
            self.adopted = self.survey.adopt(number) is not None or self.adopted
        seen = Absent(others=self.sight.others, vanished=self.sight.vanished, statement=statement)
        return why_none(self.ci, self.ci.facts(), self._request, self._repository, seen)

    def explained(self, elapsed: float) -> bool:
        """Say whether it is known, or as good as known, that no run will come."""
        return self._sureness(elapsed) is not Sure.NO and self.given_up(elapsed)

    def given_up(self, elapsed: float) -> bool:
        """Say whether waiting for a first run is over."""
        graces = {Sure.NO: self._request.appear_timeout, Sure.SOON: SIGN_GRACE, Sure.NOW: 0.0}
        return elapsed >= min(graces[self._sureness(elapsed)], self._request.appear_timeout)

    def patience(self, elapsed: float) -> float:
        """Return the seconds until a grace passes, after which there may be an answer without a run."""
        left = [mark - elapsed for mark in (SIGN_GRACE, self._request.appear_timeout) if mark > elapsed]
        return min(left, default=float("inf"))

    def _sureness(self, elapsed: float) -> Sure:
        return max(reason.sure for reason in self.reasons(elapsed))
