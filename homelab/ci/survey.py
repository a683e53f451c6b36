"""One commit's runs on one server over repeated looks: what is there, what changed, for how long nothing did.

Remembers what it saw, so that a run that vanishes, moves backwards or is replaced is noticed.
Tells of changes by event. Layer: ci, above the ports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from homelab.ci.changes import tell
from homelab.ci.choice import PUSH, choose
from homelab.ci.events import PipelineReplaced, PipelineVanished
from homelab.ci.expectation import usual
from homelab.ci.memory import Memory
from homelab.ci.model import Pipeline, State
from homelab.ci.port import CiRepository
from homelab.ci.request import CiRequest
from homelab.ci.verdict import Quiet, Stand, stand_of
from homelab.clock import Clock
from homelab.errors import UsageError
from homelab.events import Emit
from homelab.git.port import Repository

#: Gets a branch's commits from the remote into the local repository; tells of no failure.
Bring = Callable[[str], None]

#: Chains of replaced runs are followed this far.
FOLLOWED = 10
#: No two clocks differ by more, so stamps this old prove quiet that we did not watch ourselves.
CLOCKS_DIFFER = 600.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look saw."""

    #: The runs that count, newest first, with workflows; a replaced one that was followed is not among them.
    runs: tuple[Pipeline, ...] = ()
    #: Runs of the commit that were not asked for.
    others: tuple[Pipeline, ...] = ()
    #: Numbers that were seen and are gone.
    vanished: tuple[int, ...] = ()
    #: Replaced runs that were followed, each with the run in its place.
    followed: tuple[tuple[Pipeline, Pipeline], ...] = ()
    #: For how long it stayed the same: watched ourselves, and by the server's stamps.
    quiet: Quiet = field(default_factory=Quiet)
    stamped: Quiet = field(default_factory=Quiet)


def together(sights: Sequence[Sight]) -> Sight:
    """Return several servers' sights as one: its quiet is that of the least quiet one with runs."""
    seen = [sight for sight in sights if sight.runs]
    return Sight(
        runs=tuple(run for sight in sights for run in sight.runs),
        others=tuple(run for sight in sights for run in sight.others),
        vanished=tuple(number for sight in sights for number in sight.vanished),
        followed=tuple(pair for sight in sights for pair in sight.followed),
        quiet=_least([sight.quiet for sight in seen]),
        stamped=_least([sight.stamped for sight in seen]),
    )


def _least(quiets: Sequence[Quiet]) -> Quiet:
    if not quiets:
        return Quiet()
    return Quiet(members=min(quiet.members for quiet in quiets), states=min(quiet.states for quiet in quiets))


class Survey:
    """The looks at one commit on one server."""

    def __init__(
        self,
        ci: CiRepository,
        request: CiRequest,
        *,
        repository: Repository,
        clock: Clock,
        emit: Emit,
        memory: Memory | None = None,
        expect: bool = True,
        bring: Bring | None = None,
    ) -> None:
        """``repository`` answers which commit holds which; ``memory`` is what an earlier watch told.

        ``expect`` asks the server once, per kind of run, how long it usually takes. ``bring`` gets a
        branch's commits here, for a run whose commit we do not have.
        """
        self._bring = bring
        self._brought: set[str] = set()
        self.ci = ci
        self.memory = memory or Memory()
        self._request, self._repository, self._clock, self._emit = request, repository, clock, emit
        self._since = _committed(repository, request.oid)
        self._expect = expect
        self._vanished: dict[int, None] = {}
        self._members: tuple[object, float] = ((), 0.0)
        self._states: tuple[object, float] = ((), 0.0)

    def look(self) -> Sight:
        """Fetch the commit's runs, tell what changed, and return what is there."""
        oid = self._request.oid
        listed = {run.number: run for run in self.ci.runs_of(oid, since=self._since)}
        # Older pages were searched once; from now on only new runs can turn up.
        self._since = max(self._since, int(self._clock.now()))
        known = {run.number: run for run in self.memory.runs.values() if self._ours(run)}
        chosen = choose((known | listed).values(), self._request.choice)
        runs = [run for run in map(self._detailed, chosen) if run is not None]
        followed = [(run, successor) for run in runs if (successor := self._follow(run)) is not None]
        replaced = {run.number: successor for run, successor in followed}
        judged = _distinct(replaced.get(run.number, run) for run in runs)
        numbers = {run.number for run in chosen}
        return Sight(
            runs=judged,
            others=tuple(run for number, run in listed.items() if number not in numbers),
            vanished=tuple(self._vanished),
            followed=tuple(followed),
            quiet=self._quiet(judged),
            stamped=Quiet.stamped(judged, self._clock.now()),
        )

    def _ours(self, run: Pipeline) -> bool:
        return run.server == self.ci.name and run.commit == self._request.oid

    def _detailed(self, row: Pipeline) -> Pipeline | None:
        """Return the run with its workflows; None when it is gone or its number is another run's now."""
        before = self.memory.runs.get(row.key)
        run = self.ci.run(row.number)
        expected = before or row
        if run is None or run.commit != self._request.oid or (expected.id and run.id != expected.id):
            self.memory.runs.pop(row.key, None)
            if row.number not in self._vanished:
                self._emit(PipelineVanished(server=self.ci.name, number=row.number, commit=row.commit))
            self._vanished[row.number] = None
            return None
        return self._told(run, before)

    def _told(self, run: Pipeline, before: Pipeline | None) -> Pipeline:
        """Tell what is new about ``run``, remember it, and return it with how long its like takes."""
        run = replace(run, usual=before.usual if before else usual(self.ci, run) if self._expect else 0)
        tell(self._emit, run, before)
        self.memory.runs[run.key] = run
        return run

    def _follow(self, run: Pipeline) -> Pipeline | None:
        """Return the newest run in place of a replaced one, where its commit is known to hold ours."""
        successor: Pipeline | None = None
        for _ in range(FOLLOWED):
            found = self._successor(successor or run)
            if found is None or not self._holds(found):
                break
            successor = found
        return self._tell_followed(run, successor) if successor is not None else None

    def _holds(self, found: Pipeline) -> bool:
        """Say whether the run's commit is known to hold ours; what is not here is fetched once."""
        held = self._repository.contains(found.commit, self._request.oid)
        if held is None and self._bring is not None and found.commit not in self._brought:
            self._brought.add(found.commit)
            self._bring(found.branch)
            held = self._repository.contains(found.commit, self._request.oid)
        return held is True

    def _successor(self, run: Pipeline) -> Pipeline | None:
        if run.state not in {State.KILLED, State.CANCELED} or stand_of(run, float("inf")) is Stand.RED:
            return None
        if run.superseded_by:
            return self.ci.run(run.superseded_by)
        if run.event != PUSH or stand_of(run, self._unchanged(run)) is not Stand.CANCELLED:
            return None
        # Servers before 3.14 do not say what replaced a run: ask for the branch's newest.
        latest = self.ci.latest(run.branch)
        return self.ci.run(latest.number) if latest is not None and latest.number > run.number else None

    def _unchanged(self, run: Pipeline) -> float:
        seen, since = self._states
        if isinstance(seen, tuple) and state_of(run) in seen:
            return self._clock.monotonic() - since
        return Quiet.stamped([run], self._clock.now()).states

    def _tell_followed(self, run: Pipeline, successor: Pipeline) -> Pipeline:
        if self.memory.once(f"replaced {run.key} {successor.key}"):
            self._emit(
                PipelineReplaced(
                    server=self.ci.name,
                    number=run.number,
                    by=successor.number,
                    by_commit=successor.commit,
                    url=successor.url,
                )
            )
        return self._told(successor, self.memory.runs.get(successor.key) or replace(successor, workflows=()))

    def _quiet(self, runs: Sequence[Pipeline]) -> Quiet:
        now = self._clock.monotonic()
        members = tuple(run.key for run in runs)
        states = tuple(state_of(run) for run in runs)
        self._members = self._members if self._members[0] == members else (members, now)
        self._states = self._states if self._states[0] == states else (states, now)
        watched = Quiet(members=now - self._members[1], states=now - self._states[1])
        return watched.at_least(Quiet.stamped(runs, self._clock.now()), beyond=CLOCKS_DIFFER)


def state_of(run: Pipeline) -> object:
    """Return what makes two looks at one run the same."""
    flows = tuple((workflow.id, workflow.state) for workflow in run.workflows)
    return (run.key, run.attempt, run.state, flows)


def _distinct(runs: Iterable[Pipeline]) -> tuple[Pipeline, ...]:
    """Two replaced runs may be followed to the same one."""
    return tuple({run.key: run for run in runs}.values())


def _committed(repository: Repository, oid: str) -> int:
    """Return when the commit was made; 0 when it is not here, which searches all the server has."""
    try:
        return repository.commit(oid).committed
    except UsageError:
        return 0
