"""``ci watch``: from a commit to its verdict, woken by events, decided by looking.

Layer: ci use case; waits only through ``homelab.poll``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from homelab import poll
from homelab.ci.bell import Bell
from homelab.ci.choice import ANY
from homelab.ci.conclude import conclude, nothing, partly, unseen
from homelab.ci.endure import Endurance
from homelab.ci.events import ApprovalAwaited
from homelab.ci.memory import Keeper, NoKeeper
from homelab.ci.moved import Moved
from homelab.ci.port import CiRepository
from homelab.ci.request import CiRequest
from homelab.ci.result import CiResult
from homelab.ci.side import Side
from homelab.ci.sight import Sight, together
from homelab.ci.survey import Bring, Survey
from homelab.ci.verdict import Stand, Verdict, judge
from homelab.ci.witness import Witness
from homelab.clock import Clock, Wake
from homelab.errors import HomelabError
from homelab.events import Emit
from homelab.git.port import Repository
from homelab.outcome import Outcome

#: One question of a watch that has seen CI before gets this long; the watch itself is the longer patience.
QUESTION = 10.0
#: The client's own patience for a first answer is no longer than this.
FIRST_QUESTION = 60.0
#: The set of runs must have stayed the same for so long (seconds) before it is believed to be green: a push
#: makes one run, but a delivery may come twice; of any event, the runs come one by one.
COMPLETE, COMPLETE_ANY = 1.0, 5.0
#: What was told is kept when it changes, and for how long it was watched at least so often (seconds).
KEEP_EVERY = 5.0
#: How soon to look again where only time must pass.
SOON = 0.25


def watch(
    ci: CiRepository | Sequence[CiRepository],
    request: CiRequest,
    *,
    repository: Repository,
    clock: Clock,
    emit: Emit,
    keeper: Keeper | None = None,
    bring: Bring | None = None,
    witness: Witness | None = None,
) -> CiResult:
    """Watch the runs of ``request.oid`` until they have a verdict; the outcome is from the one table.

    Several servers give one answer: green only when each is green, or known to have nothing to run.
    ``keeper`` carries what was told from a watch that ended at its deadline to the next one; ``bring``
    gets a branch's commits here, where a run was replaced by one whose commit is not; ``witness`` is
    the forge, asked for the commit's statuses before it is said that there is no run.
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
            witness=witness or Witness(),
        )
        stack.callback(watching.remember)
        result = poll.until(
            watching.look,
            clock=clock,
            emit=emit,
            waiting_for="ci",
            every=watching.every,
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
        witness: Witness,
    ) -> None:
        self._servers, self._request, self._clock, self._emit = servers, request, clock, emit
        self._bells, self._keeper, self._witness = bells, keeper, witness
        self._memory = keeper.load(clock.now())
        self._sides = [
            Side(
                Survey(ci, request, repository=repository, clock=clock, emit=emit, memory=self._memory, bring=bring),
                request,
                repository=repository,
                clock=clock,
                emit=emit,
                witness=witness,
            )
            for ci in servers
        ]
        # What is asked after the looks is ridden out like they are.
        self._beyond = Endurance(servers[0].name, clock=clock, emit=emit)
        self._beyond.answered = True
        self._moved = Moved(servers, request.choice, request.oid, clock=clock, emit=emit, memory=self._memory)
        self._began = clock.monotonic()
        # A watch that continues another counts its patience for a first run from there.
        self._earlier = self._memory.watched
        self._kept: object = None
        self._kept_at = 0.0
        self._sight = Sight()
        self._verdict = Verdict(Stand.WAITING, final=False)
        #: All runs have ended, only time must pass.
        self._settling = False
        self._over = False

    @property
    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._began

    @property
    def _waited(self) -> float:
        return self._elapsed + self._earlier

    def every(self) -> float:
        """Return the seconds until the next look, unless an event rings before."""
        if self._settling:
            return SOON
        patience = [] if self._sight.runs else [side.patience(self._waited) for side in self._sides]
        return max(min([bell.every() for bell in self._bells] + patience), SOON)

    def look(self) -> CiResult | None:
        """Look once; the answer when there is one."""
        self._settling = False
        for side in self._sides:
            side.ci.budget = self._budget(side)
        try:
            answer = self._looked()
        except HomelabError as error:
            if any(side.answered for side in self._sides):
                error.details += (f"go on: {self._request.command()}",)
            raise
        self._keep_up()
        return answer

    def _looked(self) -> CiResult | None:
        sights = [sight for side in self._sides if (sight := side.look()) is not None]
        # Only now: a server that does not answer has no stream either, and would be waited for twice.
        for bell in self._bells:
            bell.tend()
        if len(sights) < len(self._sides):
            return None
        self._sight = together(sights)
        if self._sight.hidden:
            return None
        return self._beyond.ask(self._decide if self._sight.runs else self._absent)

    def _budget(self, side: Side) -> float | None:
        """Bound one question by what is left: a server that is away must not outlast the deadline."""
        left = max(self._request.timeout - self._elapsed, 1.0)
        return min(QUESTION, left) if side.answered else left if left < FIRST_QUESTION else None

    def _decide(self) -> CiResult | None:
        request = self._request
        self._verdict = judge(
            self._sight.runs,
            quiet=self._sight.quiet,
            settle=max(ci.settle for ci in self._servers),
            fail_fast=request.fail_fast,
            wait_approval=request.wait_approval,
        )
        if not self._verdict.final or not self._complete():
            self._settling = self._verdict.stand not in {Stand.WAITING, Stand.BLOCKED}
            self._tell_blocked()
            self._moved.tell(self._sight.runs)
            return None
        answer = conclude(self._servers, request, self._sight, self._verdict, clock=self._clock)
        return self._whole(answer) if answer.outcome is Outcome.DONE else answer

    def _complete(self) -> bool:
        """Say whether a green set is whole; another run can make no other answer better."""
        enough = COMPLETE_ANY if self._request.choice.event == ANY else COMPLETE
        return self._verdict.outcome is not Outcome.DONE or self._sight.quiet.members >= enough

    def _whole(self, answer: CiResult) -> CiResult | None:
        """Hold a green answer back while another server may still have something to say."""
        silent = [side for side in self._sides if not side.sight.runs and not side.explained(self._waited)]
        if not silent:
            return self._witness.named(answer, self._request.oid, self._servers)
        if not all(side.given_up(self._waited) for side in silent) or self._adopted():
            return None
        return partly(answer, self._request, {side.ci.name: side.reasons(self._waited) for side in silent})

    def _absent(self) -> CiResult | None:
        """Decide whether a run may still come, from the reasons each server gives against it."""
        self._verdict = Verdict(Stand.WAITING, final=False)
        if not all(side.given_up(self._waited) for side in self._sides):
            return None
        if self._adopted():
            return self._looked()
        reasons = [reason for side in self._sides for reason in side.reasons(self._waited)]
        return nothing(self._request, reasons, waited=self._waited)

    def _adopted(self) -> bool:
        """Say, once, whether the forge named a run that a server's list does not show: it counts from the next look."""
        found = any(side.adopted for side in self._sides)
        for side in self._sides:
            side.adopted = False
        return found

    def _tell_blocked(self) -> None:
        if self._verdict.stand is Stand.BLOCKED:
            for run in self._verdict.because:
                if self._memory.once(f"approval {run.key}"):
                    self._emit(ApprovalAwaited(server=run.server, number=run.number, url=run.url))

    def _keep_up(self) -> None:
        """Keep what was told as it is told: a caller may end this process without a word."""
        told = (len(self._memory.said), tuple(self._memory.runs.values()))
        if told != self._kept or self._elapsed - self._kept_at >= KEEP_EVERY:
            self._kept, self._kept_at = told, self._elapsed
            self._keep()

    def _keep(self) -> None:
        self._memory.watched = self._waited
        self._keeper.keep(self._memory, self._clock.now())

    def ended(self, result: CiResult) -> CiResult:
        """Return the verdict; what was told on the way to it is not needed again."""
        self._over = True
        return result

    def remember(self) -> None:
        """Keep what was told, unless there is a verdict."""
        if self._over:
            self._keeper.forget()
        else:
            self._keep()

    def at_deadline(self) -> CiResult:
        """Return the answer when time is up."""
        blind = tuple(side.blind() for side in self._sides if side.lost is not None)
        if not self._sight.runs:
            return unseen(self._request, waited=self._waited, because=blind)
        return conclude(self._servers, self._request, self._sight, self._verdict.still_moving(), because=blind)
