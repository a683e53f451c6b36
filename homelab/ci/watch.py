"""``ci watch``: from a commit to its verdict, woken by events, decided by looking.

Layer: ci use case; waits only through ``homelab.poll``.
"""

from __future__ import annotations

from homelab import poll
from homelab.ci.bell import Bell
from homelab.ci.conclude import conclude, nothing, unseen
from homelab.ci.events import ApprovalAwaited, SightLost
from homelab.ci.port import CiRepository
from homelab.ci.reasons import Reason, Sure, why_none
from homelab.ci.request import CiRequest
from homelab.ci.result import CiResult
from homelab.ci.survey import Sight, Survey
from homelab.ci.verdict import Stand, Verdict, judge
from homelab.clock import Clock, Wake
from homelab.errors import CertificateRefused, CredentialsError, HomelabError, NothingThere, Unreachable
from homelab.events import Emit
from homelab.git.port import Repository

#: A run is normally there 1–3 s after the push. With a certain reason against one, wait only this long.
CERTAIN_GRACE = 15.0
#: A server that answered once may be away this long (a restart, a deploy of the server itself).
AWAY = 300.0
#: A token or repository that was good a moment ago may be refused this long: the server's database is.
REFUSED = 60.0
#: One question of a watch that has seen CI before gets this long; the watch itself is the longer patience.
QUESTION = 10.0
#: The client's own patience for a first answer is no longer than this.
FIRST_QUESTION = 60.0


def watch(ci: CiRepository, request: CiRequest, *, repository: Repository, clock: Clock, emit: Emit) -> CiResult:
    """Watch the runs of ``request.oid`` until they have a verdict; the outcome is from the one table.

    Raises CredentialsError, NothingThere and Unreachable where CI cannot be asked at all.
    """
    wake = Wake()
    with Bell(ci, wake, clock) as bell:
        watching = _Watching(ci, request, repository=repository, clock=clock, emit=emit, bell=bell)
        result = poll.until(
            watching.look,
            clock=clock,
            emit=emit,
            waiting_for="ci",
            every=bell.every,
            deadline=request.timeout,
            wake=wake,
        )
        return result or watching.at_deadline()


class _Watching:
    """The state of one watch between looks."""

    def __init__(
        self, ci: CiRepository, request: CiRequest, *, repository: Repository, clock: Clock, emit: Emit, bell: Bell
    ) -> None:
        self._ci, self._request, self._repository, self._clock, self._emit = ci, request, repository, clock, emit
        self._bell = bell
        self._survey = Survey(ci, request, repository=repository, clock=clock, emit=emit)
        self._began = clock.monotonic()
        self._sight = Sight()
        self._verdict = Verdict(Stand.WAITING, final=False)
        self._saw_once = False
        self._lost_at: float | None = None
        self._lost: HomelabError | None = None
        self._reasons: tuple[float, tuple[Reason, ...]] | None = None
        self._awaited: set[int] = set()

    @property
    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._began

    def look(self) -> CiResult | None:
        """Look once; the answer when there is one."""
        self._bell.tend()
        self._ci.budget = self._budget()
        try:
            self._sight = self._survey.look()
            self._saw_once, self._lost_at, self._lost = True, None, None
            return self._decide() if self._sight.runs else self._absent()
        except (Unreachable, CredentialsError, NothingThere) as error:
            self._endure(error)
            return None

    def _budget(self) -> float | None:
        """Bound one question by what is left: a server that is away must not outlast the deadline."""
        left = max(self._request.timeout - self._elapsed, 1.0)
        return min(QUESTION, left) if self._saw_once else left if left < FIRST_QUESTION else None

    def _decide(self) -> CiResult | None:
        request = self._request
        self._verdict = judge(
            self._sight.runs,
            quiet=self._sight.quiet,
            settle=self._ci.settle,
            fail_fast=request.fail_fast,
            wait_approval=request.wait_approval,
        )
        if self._verdict.final:
            return conclude(self._ci, request, self._sight, self._verdict)
        if self._verdict.stand is Stand.BLOCKED:
            self._tell_blocked()
        return None

    def _tell_blocked(self) -> None:
        for run in self._verdict.because:
            if run.number not in self._awaited:
                self._awaited.add(run.number)
                self._emit(ApprovalAwaited(server=run.server, number=run.number, url=run.url))

    def _absent(self) -> CiResult | None:
        """Decide whether a run may still come: look for reasons at once, after the short grace, and at the end."""
        elapsed = self._elapsed
        if not (reasons := self._why(elapsed)):
            return None
        sureness = max(reason.sure for reason in reasons)
        patience = {Sure.NO: self._request.appear_timeout, Sure.SOON: CERTAIN_GRACE, Sure.NOW: 0.0}[sureness]
        return (
            nothing(self._request, reasons, waited=elapsed)
            if elapsed >= min(patience, self._request.appear_timeout)
            else None
        )

    def _why(self, elapsed: float) -> tuple[Reason, ...]:
        """Return the reasons, asked for again only when a grace has passed or something vanished."""
        moment = sum(elapsed >= mark for mark in (CERTAIN_GRACE, self._request.appear_timeout))
        stage = moment + 10 * len(self._sight.vanished)
        if self._reasons is None or self._reasons[0] != stage:
            reasons = why_none(
                self._ci,
                self._ci.facts(),
                self._request,
                self._repository,
                others=self._sight.others,
                vanished=self._sight.vanished,
            )
            self._reasons = (stage, reasons)
        return self._reasons[1]

    def _endure(self, error: HomelabError) -> None:
        """Ride out a server that answered before; raise what is final, or has lasted too long."""
        now = self._clock.monotonic()
        self._lost = error
        if not self._saw_once or isinstance(error, CertificateRefused):
            raise error
        if self._lost_at is None:
            self._lost_at = now
            self._emit(SightLost(server=self._ci.name, reason=error.what))
        allowed = AWAY if isinstance(error, Unreachable) else REFUSED
        if now - self._lost_at >= allowed:
            raise error

    def at_deadline(self) -> CiResult:
        """Return the answer when time is up."""
        if self._sight.runs:
            return conclude(self._ci, self._request, self._sight, self._verdict.still_moving())
        because = f"CI cannot be seen: {self._lost.what}" if self._lost else ""
        return unseen(self._request, waited=self._elapsed, because=because)
