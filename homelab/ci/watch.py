"""``ci watch``: from a commit to its verdict, woken by events, decided by looking.

Layer: ci use case; waits only through ``homelab.poll``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from homelab import poll
from homelab.ci.bell import Bell
from homelab.ci.conclude import conclude, nothing, partly, unseen
from homelab.ci.events import ApprovalAwaited, SightLost, TargetMoved
from homelab.ci.memory import Keeper, NoKeeper
from homelab.ci.port import CiRepository
from homelab.ci.request import CiRequest
from homelab.ci.result import CiResult
from homelab.ci.side import Side
from homelab.ci.survey import Bring, Sight, Survey, together
from homelab.ci.verdict import Stand, Verdict, judge
from homelab.clock import Clock, Wake
from homelab.errors import CertificateRefused, CredentialsError, HomelabError, NothingThere, Unreachable
from homelab.events import Emit
from homelab.git.port import Repository
from homelab.outcome import Outcome

#: A server that answered once may be away this long (a restart, a deploy of the server itself).
AWAY = 300.0
#: A token or repository that was good a moment ago may be refused this long: the server's database is.
REFUSED = 60.0
#: One question of a watch that has seen CI before gets this long; the watch itself is the longer patience.
QUESTION = 10.0
#: The client's own patience for a first answer is no longer than this.
FIRST_QUESTION = 60.0
#: Whether the branch moved on is asked this seldom.
MOVED_EVERY = 30.0


def watch(
    ci: CiRepository | Sequence[CiRepository],
    request: CiRequest,
    *,
    repository: Repository,
    clock: Clock,
    emit: Emit,
    keeper: Keeper | None = None,
    bring: Bring | None = None,
) -> CiResult:
    """Watch the runs of ``request.oid`` until they have a verdict; the outcome is from the one table.

    Several servers give one answer: green only when each is green, or known to have nothing to run.
    ``keeper`` carries what was told from a watch that ended at its deadline to the next one; ``bring``
    gets a branch's commits here, where a run was replaced by one whose commit is not.
    Raises CredentialsError, NothingThere and Unreachable where CI cannot be asked at all.
    """
    servers = list(ci) if isinstance(ci, Sequence) else [ci]
    wake = Wake()
    with ExitStack() as stack:
        bells = [stack.enter_context(Bell(server, wake, clock)) for server in servers]
        watching = _Watching(
            servers,
            request,
            repository=repository,
            clock=clock,
            emit=emit,
            bells=bells,
            keeper=keeper or NoKeeper(),
            bring=bring,
        )
        stack.callback(watching.remember)
        result = poll.until(
            watching.look,
            clock=clock,
            emit=emit,
            waiting_for="ci",
            every=lambda: min(bell.every() for bell in bells),
            deadline=request.timeout,
            wake=wake,
        )
        return watching.ended(result) if result is not None else watching.at_deadline()


class _Watching:
    """The state of one watch between looks."""

    def __init__(
        self,
        servers: Sequence[CiRepository],
        request: CiRequest,
        *,
        repository: Repository,
        clock: Clock,
        emit: Emit,
        bells: Sequence[Bell],
        keeper: Keeper,
        bring: Bring | None,
    ) -> None:
        self._servers, self._request, self._clock, self._emit = servers, request, clock, emit
        self._bells, self._keeper = bells, keeper
        self._memory = keeper.load(clock.now())
        self._sides = [
            Side(
                Survey(ci, request, repository=repository, clock=clock, emit=emit, memory=self._memory, bring=bring),
                request,
                repository=repository,
                clock=clock,
                emit=emit,
            )
            for ci in servers
        ]
        self._began = clock.monotonic()
        # A watch that continues another counts its patience for a first run from there.
        self._earlier = max(clock.now() - self._memory.began, 0.0)
        self._sight = Sight()
        self._verdict = Verdict(Stand.WAITING, final=False)
        self._saw_once = False
        self._lost_at: float | None = None
        self._lost: HomelabError | None = None
        self._moved_at = 0.0
        self._over = False

    @property
    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._began

    def look(self) -> CiResult | None:
        """Look once; the answer when there is one."""
        for bell, ci in zip(self._bells, self._servers, strict=True):
            bell.tend()
            ci.budget = self._budget()
        try:
            self._sight = together([side.look() for side in self._sides])
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
            settle=max(ci.settle for ci in self._servers),
            fail_fast=request.fail_fast,
            wait_approval=request.wait_approval,
        )
        if not self._verdict.final:
            self._tell_blocked()
            self._tell_moved()
            return None
        answer = conclude(self._servers, request, self._sight, self._verdict)
        return self._whole(answer) if answer.outcome is Outcome.DONE else answer

    def _whole(self, answer: CiResult) -> CiResult | None:
        """Hold a green answer back while another server may still have something to say."""
        waited = self._elapsed + self._earlier
        silent = [side for side in self._sides if not side.sight.runs and not side.explained(waited)]
        if not silent:
            return answer
        if not all(side.given_up(waited) for side in silent):
            return None
        return partly(answer, self._request, {side.ci.name: side.reasons(waited) for side in silent})

    def _absent(self) -> CiResult | None:
        """Decide whether a run may still come, from the reasons each server gives against it."""
        waited = self._elapsed + self._earlier
        if not all(side.given_up(waited) for side in self._sides):
            return None
        reasons = [reason for side in self._sides for reason in side.reasons(waited)]
        return nothing(self._request, reasons, waited=waited)

    def _tell_blocked(self) -> None:
        if self._verdict.stand is Stand.BLOCKED:
            for run in self._verdict.because:
                if self._memory.once(f"approval {run.key}"):
                    self._emit(ApprovalAwaited(server=run.server, number=run.number, url=run.url))

    def _tell_moved(self) -> None:
        """Say when the target got a newer push meanwhile, and by whom; asked seldom, and never needed."""
        choice, now = self._request.choice, self._clock.monotonic()
        if not choice.landed or now - self._moved_at < MOVED_EVERY:
            return
        self._moved_at = now
        for ci in self._servers:
            newest = ci.latest(choice.target)
            ours = max((run.number for run in self._sight.runs if run.server == ci.name), default=0)
            if newest is None or not ours or newest.number <= ours or newest.commit == self._request.oid:
                continue
            if self._memory.once(f"moved {ci.name} {newest.commit}"):
                self._emit(
                    TargetMoved(
                        server=ci.name,
                        branch=newest.branch,
                        commit=newest.commit,
                        author=newest.author,
                        number=newest.number,
                        url=newest.url,
                    )
                )

    def _endure(self, error: HomelabError) -> None:
        """Ride out a server that answered before; raise what is final, or has lasted too long."""
        now = self._clock.monotonic()
        self._lost = error
        if not self._saw_once or isinstance(error, CertificateRefused):
            raise error
        if self._lost_at is None:
            self._lost_at = now
            self._emit(SightLost(server=self._servers[0].name, reason=error.what))
        allowed = AWAY if isinstance(error, Unreachable) else REFUSED
        if now - self._lost_at >= allowed:
            raise error

    def ended(self, result: CiResult) -> CiResult:
        """Return the verdict; what was told on the way to it is not needed again."""
        self._over = True
        return result

    def remember(self) -> None:
        """Keep what was told, unless there is a verdict."""
        if self._over:
            self._keeper.forget()
        else:
            self._keeper.keep(self._memory, self._clock.now())

    def at_deadline(self) -> CiResult:
        """Return the answer when time is up."""
        if self._sight.runs:
            return conclude(self._servers, self._request, self._sight, self._verdict.still_moving())
        because = f"CI cannot be seen: {self._lost.what}" if self._lost else ""
        return unseen(self._request, waited=self._elapsed + self._earlier, because=because)
