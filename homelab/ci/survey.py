"""One commit's runs on one server over repeated looks: what is there, what changed, for how long nothing did.

Remembers what it saw, so that a run that vanishes, moves backwards or is replaced is noticed.
Tells of changes by event. Layer: ci, above the ports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from homelab.ci.changes import tell
from homelab.ci.choice import PUSH, choose, made_alike
from homelab.ci.events import PipelineReplaced, PipelineVanished
from homelab.ci.expectation import usual
from homelab.ci.memory import Memory
from homelab.ci.model import Pipeline, State
from homelab.ci.port import CiRepository
from homelab.ci.request import CiRequest
from homelab.ci.sight import Sight
from homelab.ci.verdict import Quiet, Stand, stand_of
from homelab.clock import Clock
from homelab.errors import UsageError
from homelab.events import Emit
from homelab.git.port import Repository

#: Gets a branch's commits from the remote into the local repository; tells of no failure.
Bring = Callable[[str], None]

#: Chains of replaced runs are followed this far.
FOLLOWED = 10
#: Stamps older than this prove quiet that we did not watch ourselves: where the server's clock was read, and not.
CLOCKS_READ, CLOCKS_DIFFER = 10.0, 600.0
#: What a run can be that its server filters out: it has not begun.
_UNBEGUN = {State.CREATED, State.BLOCKED, State.PENDING}


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
        # A committer's clock may be ahead; no run is older than the present.
        self._since = min(_committed(repository, request.oid), int(clock.now()))
        self._expect = expect
        self._vanished: dict[int, Pipeline] = {}
        self._hidden: dict[int, Pipeline] = {}
        self._adopted: dict[int, Pipeline] = {}
        self._members: tuple[object, float] = ((), 0.0)
        self._states: tuple[object, float] = ((), 0.0)

    def look(self) -> Sight:
        """Fetch the commit's runs, tell what changed, and return what is there."""
        listed = {run.number: run for run in self.ci.runs_of(self._request.oid, since=self._since)}
        # Older pages were searched once; from now on only new runs can turn up.
        self._since = max(self._since, int(self._now()))
        known = {run.number: run for run in self.memory.runs.values() if self._ours(run)}
        rows = known | self._adopted | self._hidden | listed
        chosen = choose(rows.values(), self._request.choice)
        runs = [run for row in chosen if (run := self._detailed(row, listed=row.number in listed)) is not None]
        followed = [(run, successor) for run in runs if (successor := self._follow(run)) is not None]
        replaced = {run.number: successor for run, successor in followed}
        judged = _distinct(replaced.get(run.number, run) for run in runs)
        numbers = {run.number for run in chosen}
        return Sight(
            runs=judged,
            others=tuple(run for number, run in rows.items() if number not in numbers),
            vanished=tuple(self._vanished.values()),
            hidden=tuple(self._hidden.values()),
            followed=tuple(followed),
            quiet=self._quiet(judged),
            stamped=Quiet.stamped(judged, self._now()),
        )

    def adopt(self, number: int) -> Pipeline | None:
        """Take up a run that another source named; the next look has it. None where it is not this commit's."""
        run = self.ci.run(number)
        if run is None or not self._ours(run):
            return None
        self._adopted[run.number] = run
        return run

    def _now(self) -> float:
        """Return Unix time by the server's clock, as far as it is known."""
        return self._clock.now() + (self.ci.ahead or 0.0)

    def _ours(self, run: Pipeline) -> bool:
        return run.server == self.ci.name and run.commit == self._request.oid

    def _detailed(self, row: Pipeline, *, listed: bool) -> Pipeline | None:
        """Return the run with its workflows; None when it is gone, or not shown just now."""
        before = self.memory.runs.get(row.key)
        if before is not None and before.id and row.id and before.id != row.id:
            # The number is another run's now: the one that had it was filtered out.
            self._gone(before)
            before = None
        run = self.ci.run(row.number)
        if run is not None and run.commit == self._request.oid and (not row.id or run.id == row.id):
            self._hidden.pop(row.number, None)
            self._vanished.pop(row.number, None)
            return self._told(run, before)
        if run is None and listed:
            # A list that holds it and a 404 cannot both be true: a server's busy database answers so.
            self._hidden[row.number] = row
        else:
            self._gone(before or row)
        return None

    def _gone(self, run: Pipeline) -> None:
        self.memory.runs.pop(run.key, None)
        self._hidden.pop(run.number, None)
        self._adopted.pop(run.number, None)
        if run.number not in self._vanished:
            filtered = run.state in _UNBEGUN
            self._emit(PipelineVanished(server=self.ci.name, number=run.number, commit=run.commit, filtered=filtered))
        self._vanished[run.number] = run

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
            successor = self._newest_attempt(found)
        return self._tell_followed(run, successor) if successor is not None else None

    def _newest_attempt(self, run: Pipeline) -> Pipeline:
        """Return the newest repeat of ``run``: what counts for a commit counts for the one in its place."""
        same = [one for one in self.ci.runs_of(run.commit, since=run.created) if made_alike(one, run)]
        newest = max((one.number for one in same), default=run.number)
        return (self.ci.run(newest) or run) if newest > run.number else run

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
        if run.cancelled_by or run.event != PUSH or stand_of(run, self._unchanged(run)) is not Stand.CANCELLED:
            return None
        # Servers before 3.14 do not say what replaced a run: ask for the branch's newest.
        latest = self.ci.latest(run.branch)
        return self.ci.run(latest.number) if latest is not None and latest.number > run.number else None

    def _unchanged(self, run: Pipeline) -> float:
        seen, since = self._states
        if isinstance(seen, tuple) and state_of(run) in seen:
            return self._clock.monotonic() - since
        return Quiet.stamped([run], self._now()).states

    def _tell_followed(self, run: Pipeline, successor: Pipeline) -> Pipeline:
        if self.memory.once(f"replaced {run.key} {successor.key}"):
            self._emit(
                PipelineReplaced(
                    server=self.ci.name,
                    number=run.number,
                    by=successor.number,
                    by_commit=successor.commit,
                    url=successor.url,
                    author=successor.author,
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
        beyond = CLOCKS_DIFFER if self.ci.ahead is None else CLOCKS_READ
        return watched.at_least(Quiet.stamped(runs, self._now()), beyond=beyond)


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
