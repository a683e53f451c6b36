"""The verdict: from every run of a commit to one outcome. Pure; the most careful page of the domain.

Each run gets a :class:`Stand`; the stands fold into one :class:`Verdict`. Nothing is green by
default: blocked, skipped, unknown, vanished and absent runs each have their own answer.
Facts on Woodpecker's states: server/pipeline/status.go, agent/rpc, web states of 2.8–3.17.
Layer: ci, above model and choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from homelab.ci.model import Pipeline, State, Workflow
from homelab.outcome import Outcome

#: A killed run is judged again when its agents report; this long without change and it stays so.
KILLED_QUIET = 2.0
#: The same while its workflows still run: an agent that never reports must not hold the verdict.
ABANDONED_QUIET = 30.0
#: ``created`` lasts while the configuration is fetched, at most two minutes; later it is stranded. So is a restart
#: that nothing in its configuration matched: it stays pending, without a workflow, for ever.
STRANDED_QUIET = 180.0


class Stand(StrEnum):
    """How one run stands, for a commit that wants to be green."""

    GREEN = "green"
    RED = "red"
    DECLINED = "declined"
    BLOCKED = "blocked"
    STRANDED = "stranded"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    SKIPPED = "skipped"
    WAITING = "waiting"


#: From the word that decides first to the one that decides last, with its outcome.
_OUTCOMES = {
    Stand.RED: Outcome.RED,
    Stand.DECLINED: Outcome.RED,
    Stand.BLOCKED: Outcome.PERSON,
    Stand.WAITING: Outcome.PENDING,
    Stand.UNKNOWN: Outcome.PERSON,
    Stand.STRANDED: Outcome.PERSON,
    Stand.SUPERSEDED: Outcome.SUPERSEDED,
    Stand.CANCELLED: Outcome.SUPERSEDED,
    Stand.GREEN: Outcome.DONE,
    Stand.SKIPPED: Outcome.NOTHING,
}


@dataclass(frozen=True, slots=True)
class Quiet:
    """For how many seconds what was fetched has stayed the same. One look alone takes it as settled."""

    #: The set of run numbers.
    members: float = float("inf")
    #: Everything that is known of the runs.
    states: float = float("inf")

    @classmethod
    def stamped(cls, runs: Sequence[Pipeline], now: float) -> Quiet:
        """Read it from the server's stamps; ``now`` is Unix time by the server's clock, as far as that is known."""
        created = max((run.created for run in runs), default=0)
        touched = max((max(run.created, run.updated, run.started, run.finished) for run in runs), default=0)
        return cls(members=max(now - created, 0.0), states=max(now - touched, 0.0))

    def at_least(self, other: Quiet, *, beyond: float) -> Quiet:
        """Take ``other`` where it is longer than ``beyond`` seconds, which the two clocks may differ by."""
        return Quiet(
            members=other.members if other.members > max(self.members, beyond) else self.members,
            states=other.states if other.states > max(self.states, beyond) else self.states,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for now. ``final`` says that waiting will not change it."""

    stand: Stand
    final: bool
    #: The runs that decided it.
    because: tuple[Pipeline, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """Return the exit code of this answer: nothing but green is 0."""
        return _OUTCOMES[self.stand]

    def still_moving(self) -> Verdict:
        """Return it as an answer for now: what may still change is pending, whatever it looks like."""
        return Verdict(Stand.WAITING, final=False, because=self.because)


def judge(
    runs: Sequence[Pipeline],
    *,
    quiet: Quiet,
    settle: float = 0.0,
    fail_fast: bool = False,
    wait_approval: bool = False,
) -> Verdict:
    """Fold the runs that count into one verdict.

    ``settle`` is how long the set must have been the same before it is complete. A red run waits
    for its siblings unless ``fail_fast``; a blocked one ends the wait unless ``wait_approval``.
    """
    stands = [(stand_of(run, quiet.states), run) for run in runs]
    if fail_fast and (broken := [run for stand, run in stands if stand in _BROKEN or _already_red(run)]):
        return Verdict(Stand.RED, final=True, because=tuple(broken))
    present = {stand for stand, _ in stands}
    if not present:
        return Verdict(Stand.WAITING, final=False)
    blocked = Stand.BLOCKED in present
    if blocked and wait_approval:
        return Verdict(Stand.BLOCKED, final=False, because=_those(stands, Stand.BLOCKED))
    if Stand.WAITING in present and not blocked:
        return Verdict(Stand.WAITING, final=False, because=_those(stands, Stand.WAITING))
    decided = next(stand for stand in _OUTCOMES if stand in present)
    return Verdict(decided, final=blocked or quiet.members >= settle, because=_those(stands, decided))


_BROKEN = {Stand.RED, Stand.DECLINED}


def _those(stands: Sequence[tuple[Stand, Pipeline]], wanted: Stand) -> tuple[Pipeline, ...]:
    return tuple(run for stand, run in stands if stand is wanted)


_PLAIN = {
    State.BLOCKED: Stand.BLOCKED,
    State.PENDING: Stand.WAITING,
    State.RUNNING: Stand.WAITING,
    State.DECLINED: Stand.DECLINED,
}


def stand_of(run: Pipeline, quiet: float) -> Stand:
    """Return how one run stands; ``quiet`` is for how long it has not changed, in seconds."""
    if run.state is State.UNKNOWN:
        return Stand.UNKNOWN if run.finished else Stand.WAITING
    if run.state is State.CREATED or (run.state is State.PENDING and run.parent and not run.workflows):
        return Stand.STRANDED if quiet >= STRANDED_QUIET else Stand.WAITING
    if run.state in _PLAIN:
        return _PLAIN[run.state]
    if _moving(run) and quiet < ABANDONED_QUIET:
        return Stand.WAITING
    return _stopped(run, quiet) if run.state in {State.KILLED, State.CANCELED} else _ended(run)


def _ended(run: Pipeline) -> Stand:
    if run.state.failing or any(workflow.state.failing for workflow in run.workflows):
        # A server's own "success" above a failed workflow is believed for neither.
        return Stand.RED
    if _moving(run):
        return Stand.UNKNOWN
    return Stand.SKIPPED if run.state is State.SKIPPED else Stand.GREEN


def _stopped(run: Pipeline, quiet: float) -> Stand:
    """Judge a killed run: it may hide a workflow that failed before, and may still change."""
    if run.killed_by_step or _failed_workflows(run):
        return Stand.RED
    if quiet < KILLED_QUIET:
        return Stand.WAITING
    return Stand.SUPERSEDED if run.superseded_by else Stand.CANCELLED


def _failed_workflows(run: Pipeline) -> list[Workflow]:
    # A killed workflow proves nothing: steps of one skipped by its dependency are "killed" with exit 0.
    return [workflow for workflow in run.workflows if workflow.state in {State.FAILURE, State.ERROR}]


def _moving(run: Pipeline) -> bool:
    return any(not workflow.state.finished for workflow in run.workflows)


def _already_red(run: Pipeline) -> bool:
    return not run.state.finished and bool(_failed_workflows(run))
