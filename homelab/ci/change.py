"""``ci restart|cancel|approve|decline|trigger``: what changes a run. Each is asked once, after a fresh look.

Layer: ci use case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from homelab.ci.choice import PUSH
from homelab.ci.model import Pipeline, State
from homelab.ci.port import CiRepository
from homelab.ci.request import CiRequest
from homelab.ci.result import pipeline_record
from homelab.ci.survey import Survey
from homelab.ci.verdict import Quiet, Stand, stand_of
from homelab.ci.words import server_of
from homelab.clock import Clock
from homelab.errors import HomelabError, HttpStatus, NothingThere
from homelab.events import Event
from homelab.git.port import Repository
from homelab.outcome import Outcome
from homelab.result import Result

_STOPPED = {State.FAILURE, State.ERROR, State.KILLED, State.CANCELED, State.DECLINED}


@dataclass(frozen=True, slots=True)
class ChangeResult(Result):
    """What was changed: the runs, and the commands to type next."""

    pipelines: tuple[Pipeline, ...] = ()
    next: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return each run's page and the next commands."""
        return [f"{run.name} {run.url}" for run in self.pipelines] + [f"next: {command}" for command in self.next]

    def record(self) -> dict[str, Any]:
        """Return the runs and the next commands."""
        return {"pipelines": [pipeline_record(run) for run in self.pipelines], "next": list(self.next)}


@dataclass(frozen=True, slots=True)
class Looking:
    """Where the runs of the commit are found."""

    servers: Sequence[CiRepository]
    request: CiRequest
    repository: Repository
    clock: Clock

    def found(self) -> tuple[Pipeline, ...]:
        """Return the commit's runs as they are now."""
        surveys = [
            Survey(ci, self.request, repository=self.repository, clock=self.clock, emit=_silent, expect=False)
            for ci in self.servers
        ]
        return tuple(run for survey in surveys for run in survey.look().runs)

    def runs(self) -> tuple[Pipeline, ...]:
        """Return the commit's runs as they are now. Raises NothingThere for none."""
        found = self.found()
        if not found:
            raise NothingThere(
                f"no run of {self.request.oid[:12]} ({self.request.choice.sentence()})",
                why="none was found on " + ", ".join(ci.name for ci in self.servers),
                fix=self.request.command("status"),
            )
        return found


def restart(looking: Looking) -> ChangeResult:
    """Run again what failed or was stopped, a green run too when its number was said; leave what is going alone."""
    found = looking.runs()
    wanted = State.SUCCESS if looking.request.choice.number else None
    broken = [run for run in found if run.state in {*_STOPPED, wanted} or _stranded(looking, run)]
    if not broken:
        green = [run for run in found if run.state is State.SUCCESS]
        by_number = tuple(looking.request.command("restart", "--pipeline", str(run.number)) for run in green[:1])
        return ChangeResult(Outcome.DONE, "nothing to restart: no run failed or was stopped", next=by_number)
    made = _each(broken, lambda run: server_of(looking.servers, run).restart(run))
    names = ", ".join(f"{run.name}" for run in broken)
    again = ", ".join(run.name for run in made)
    headline = f"restarted {names}" + (f" as {again}" if again and again != names else "")
    return ChangeResult(Outcome.DONE, headline, tuple(made), (_watching(looking.request, made),))


def _watching(request: CiRequest, made: Sequence[Pipeline]) -> str:
    """Return the command that watches what was made: a run that was named by its number has another one now."""
    if request.choice.number and made:
        request = replace(request, choice=replace(request.choice, number=made[0].number))
    return request.command()


def _each(runs: Sequence[Pipeline], act: Callable[[Pipeline], Pipeline | None]) -> list[Pipeline]:
    """Change one run after the other; return what became of them. An error tells what was changed before it."""
    changed: list[Pipeline] = []
    for at, run in enumerate(runs):
        try:
            became = act(run)
        except HomelabError as error:
            before = ", ".join(one.name for one in runs[:at])
            error.details += (f"done before that: {before}",) if before else ()
            raise
        changed += [became] if became is not None else []
    return changed


def _stranded(looking: Looking, run: Pipeline) -> bool:
    """Say whether the server lost the run before it read its configuration."""
    now = looking.clock.now() + (server_of(looking.servers, run).ahead or 0.0)
    quiet = Quiet.stamped([run], now).states
    return run.state is State.CREATED and stand_of(run, quiet) is Stand.STRANDED


def cancel(looking: Looking) -> ChangeResult:
    """Stop what still goes; a run that ended meanwhile is left as it is."""
    going = [run for run in looking.runs() if not run.state.finished]
    stopped = _each(going, lambda run: run if server_of(looking.servers, run).cancel(run) else None)
    if not stopped:
        return ChangeResult(Outcome.DONE, "nothing to cancel: every run has ended")
    return ChangeResult(Outcome.DONE, f"cancelled {', '.join(run.name for run in stopped)}", tuple(stopped))


def approve(looking: Looking) -> ChangeResult:
    """Let blocked runs start."""
    return _decide(looking, "approved", lambda ci, run: ci.approve(run), (looking.request.command(),))


def decline(looking: Looking) -> ChangeResult:
    """Refuse blocked runs for good."""
    return _decide(looking, "declined", lambda ci, run: ci.decline(run), ())


def _decide(
    looking: Looking, word: str, act: Callable[[CiRepository, Pipeline], None], following: tuple[str, ...]
) -> ChangeResult:
    """Decide on the runs that are blocked now: a decision on another state is an error on the server."""
    blocked = [run for run in looking.runs() if run.state is State.BLOCKED]
    if not blocked:
        return ChangeResult(Outcome.DONE, f"nothing to be {word}: no run is blocked")
    others = _each(blocked, lambda run: _decided(server_of(looking.servers, run), run, act))
    done = [run for run in blocked if run.key not in {one.key for one in others}]
    said = [f"{word} {', '.join(run.name for run in done)}"] if done else []
    said += [f"{one.name} was decided by someone else: {one.said or one.state.value}" for one in others]
    return ChangeResult(Outcome.DONE, "; ".join(said), tuple(done), following)


def _decided(ci: CiRepository, run: Pipeline, act: Callable[[CiRepository, Pipeline], None]) -> Pipeline | None:
    """Decide; return the run as it is where somebody was faster, which servers answer with an error."""
    try:
        act(ci, run)
    except HttpStatus:
        now = ci.run(run.number)
        if now is None or now.state is State.BLOCKED:
            raise
        return now
    return None


def trigger(
    ci: CiRepository, branch: str, variables: Mapping[str, str], *, workflow: str, flags: Sequence[str] = ()
) -> ChangeResult:
    """Start a manual run of the branch's head."""
    run = ci.trigger(branch, variables, workflow=workflow)
    if run is None:
        return ChangeResult(
            Outcome.NOTHING,
            f"nothing in {branch}'s configuration runs on the event manual: no run was made",
            next=(f"add manual to a workflow's events (now probably {PUSH} alone), commit, push",),
        )
    if run.number <= 0:
        listed = " ".join(["homelab ci list --event manual", *flags])
        return ChangeResult(Outcome.DONE, f"triggered {run.name} on {branch}; the server names no run", next=(listed,))
    words = " ".join(["homelab ci watch", run.commit[:12], "--event", run.event or "manual", *flags])
    outcome = Outcome.RED if run.state is State.ERROR else Outcome.DONE
    return ChangeResult(outcome, f"triggered {run.name} of {branch} ({run.commit[:12]})", (run,), (words,))


def _silent(event: Event) -> None:
    """One look before a change has no progress to tell."""
    del event
