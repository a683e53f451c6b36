"""One commit's runs over repeated looks: what is there now, what changed, and for how long nothing did.

Remembers what it saw, so that a run that vanishes, moves backwards or is replaced is noticed.
Tells of changes by event. Layer: ci, above the ports.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from homelab.ci.changes import tell
from homelab.ci.choice import choose
from homelab.ci.events import PipelineReplaced, PipelineVanished
from homelab.ci.model import Pipeline, State
from homelab.ci.port import CiRepository
from homelab.ci.request import CiRequest
from homelab.ci.verdict import Quiet, Stand, stand_of
from homelab.clock import Clock
from homelab.errors import UsageError
from homelab.events import Emit
from homelab.git.port import Repository

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
    quiet: Quiet = Quiet()  # noqa: RUF009 -- frozen
    stamped: Quiet = Quiet()  # noqa: RUF009 -- frozen


class Survey:
    """The looks at one commit."""

    def __init__(
        self, ci: CiRepository, request: CiRequest, *, repository: Repository, clock: Clock, emit: Emit
    ) -> None:
        """``repository`` answers which commit holds which; it need not know them."""
        self._ci, self._request, self._repository, self._clock, self._emit = ci, request, repository, clock, emit
        self._since = _committed(repository, request.oid)
        self._known: dict[int, Pipeline] = {}
        self._vanished: dict[int, None] = {}
        self._followed: dict[int, Pipeline] = {}
        self._members: tuple[object, float] = ((), 0.0)
        self._states: tuple[object, float] = ((), 0.0)

    def look(self) -> Sight:
        """Fetch the commit's runs, tell what changed, and return what is there."""
        listed = {run.number: run for run in self._ci.runs_of(self._request.oid, since=self._since)}
        # Older pages were searched once; from now on only new runs can turn up.
        self._since = max(self._since, int(self._clock.now()))
        rows = self._known | listed
        chosen = choose(rows.values(), self._request.choice)
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

    def _detailed(self, row: Pipeline) -> Pipeline | None:
        """Return the run with its workflows; None when it is gone or its number is another run's now."""
        before = self._known.get(row.number)
        run = self._ci.run(row.number)
        expected = before or row
        if run is None or run.commit != self._request.oid or (expected.id and run.id != expected.id):
            self._known.pop(row.number, None)
            self._vanished[row.number] = None
            self._emit(PipelineVanished(server=self._ci.name, number=row.number, commit=row.commit))
            return None
        tell(self._emit, run, before)
        self._known[run.number] = run
        return run

    def _follow(self, run: Pipeline) -> Pipeline | None:
        """Return the newest run in place of a replaced one, where its commit is known to hold ours."""
        successor: Pipeline | None = None
        current = run
        for _ in range(FOLLOWED):
            found = self._successor(current)
            if found is None or self._repository.contains(found.commit, self._request.oid) is not True:
                break
            successor = current = found
        if successor is not None:
            self._tell_followed(run, successor)
        return successor

    def _successor(self, run: Pipeline) -> Pipeline | None:
        if run.state not in {State.KILLED, State.CANCELED}:
            return None
        if stand_of(run, float("inf")) is Stand.RED:
            return None
        if run.superseded_by:
            return self._ci.run(run.superseded_by)
        if run.event != "push" or stand_of(run, self._unchanged(run)) is not Stand.CANCELLED:
            return None
        # Servers before 3.14 do not say what replaced a run: ask for the branch's newest.
        latest = self._ci.latest(run.branch)
        return self._ci.run(latest.number) if latest is not None and latest.number > run.number else None

    def _unchanged(self, run: Pipeline) -> float:
        seen, since = self._states
        listed = isinstance(seen, tuple) and any(state == _state(run) for state in seen)
        return self._clock.monotonic() - since if listed else Quiet.stamped([run], self._clock.now()).states

    def _tell_followed(self, run: Pipeline, successor: Pipeline) -> None:
        before = self._followed.get(successor.number)
        if before is None:
            self._emit(
                PipelineReplaced(
                    server=self._ci.name,
                    number=run.number,
                    by=successor.number,
                    by_commit=successor.commit,
                    url=successor.url,
                )
            )
        tell(self._emit, successor, before or replace(successor, workflows=()))
        self._followed[successor.number] = successor

    def _quiet(self, runs: Sequence[Pipeline]) -> Quiet:
        now = self._clock.monotonic()
        members = tuple((run.server, run.number) for run in runs)
        states = tuple(_state(run) for run in runs)
        self._members = self._members if self._members[0] == members else (members, now)
        self._states = self._states if self._states[0] == states else (states, now)
        watched = Quiet(members=now - self._members[1], states=now - self._states[1])
        return watched.at_least(Quiet.stamped(runs, self._clock.now()), beyond=CLOCKS_DIFFER)


def _state(run: Pipeline) -> object:
    return (run.server, run.number, run.state, tuple((workflow.id, workflow.state) for workflow in run.workflows))


def _distinct(runs: Iterable[Pipeline]) -> tuple[Pipeline, ...]:
    """Two replaced runs may be followed to the same one."""
    return tuple({(run.server, run.number): run for run in runs}.values())


def _committed(repository: Repository, oid: str) -> int:
    """Return when the commit was made; 0 when it is not here, which searches all the server has."""
    try:
        return repository.commit(oid).committed
    except UsageError:
        return 0
