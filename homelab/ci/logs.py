"""``ci logs``: the lines of a commit's steps, each once and in order, as data. Layer: ci use case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from homelab import poll
from homelab.ci.failure import failing_steps
from homelab.ci.follow import Following
from homelab.ci.model import LogLine, Pipeline, State, Step, Workflow
from homelab.ci.port import CiRepository
from homelab.ci.request import CiRequest
from homelab.ci.survey import Survey
from homelab.ci.words import server_of
from homelab.clock import Clock
from homelab.errors import NothingThere, UsageError
from homelab.events import Emit, Event
from homelab.git.port import Repository
from homelab.outcome import Outcome
from homelab.result import Result

_NOT_BEGUN = {State.CREATED, State.PENDING, State.BLOCKED}
#: Seconds between looks for a step that has not begun.
BEGIN_EVERY = 2.0


@dataclass(frozen=True, slots=True)
class LogLineRead(Event):
    """One line of a step's log. ``prefix`` names the step where several are shown."""

    kind: ClassVar[str] = "ci.log.read"
    data: ClassVar[bool] = True
    server: str
    number: int
    workflow: str
    step: str
    line: int
    text: str
    prefix: str = ""

    def sentence(self) -> str:
        """The line itself."""
        return f"{self.prefix}{self.text}"


@dataclass(frozen=True, slots=True)
class LogsRequest:
    """Which steps' logs of ``request``'s commit, and from where. ``step`` is ``name`` or ``workflow/name``."""

    request: CiRequest
    step: str = ""
    failed: bool = False
    follow: bool = False
    #: Leave out the steps before this one.
    since_step: str = ""
    #: Line number to begin with, in ``since_step`` or in the only step shown.
    first: int = 0


@dataclass(frozen=True, slots=True)
class LogsResult(Result):
    """How many lines of which steps were shown; the lines went before."""

    commit: str
    steps: tuple[dict[str, Any], ...] = field(default=())
    next: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return nothing: the answer was the lines."""
        return []

    def record(self) -> dict[str, Any]:
        """Return the steps with their line counts, and the command that continues."""
        return {"commit": self.commit, "steps": list(self.steps), "next": list(self.next)}


@dataclass(frozen=True, slots=True)
class Place:
    """A step and where it belongs."""

    run: Pipeline
    workflow: Workflow
    step: Step

    @property
    def name(self) -> str:
        """``workflow/step``."""
        return "/".join(part for part in (self.workflow.name, self.step.name) if part)

    @property
    def key(self) -> tuple[object, ...]:
        """Tell it apart from the same step of another run."""
        return (*self.run.key, self.workflow.name, self.step.id)


def logs(
    servers: Sequence[CiRepository], asked: LogsRequest, *, repository: Repository, clock: Clock, emit: Emit
) -> LogsResult:
    """Show the logs; with ``follow`` until the steps have ended or the request's timeout.

    Raises NothingThere where there is no such step, UsageError where ``first`` names no one step.
    """
    return _Logs(servers, asked, repository=repository, clock=clock, emit=emit).show()


class _Logs:
    """The showing of one answer."""

    def __init__(
        self, servers: Sequence[CiRepository], asked: LogsRequest, *, repository: Repository, clock: Clock, emit: Emit
    ) -> None:
        self._servers, self._asked, self._clock, self._emit = servers, asked, clock, emit
        self._surveys = [
            Survey(ci, asked.request, repository=repository, clock=clock, emit=_silent, expect=False) for ci in servers
        ]
        self._began = clock.monotonic()
        self._shown: dict[tuple[object, ...], dict[str, Any]] = {}
        self._several = False

    @property
    def _left(self) -> float:
        return max(self._asked.request.timeout - (self._clock.monotonic() - self._began), 0.0)

    def show(self) -> LogsResult:
        """Find the steps, then print or follow them."""
        places = self._places()
        if not places and not self._asked.follow:
            raise self._nothing()
        self._several = len(places) > 1
        if self._asked.first and self._several and not self._asked.since_step:
            raise UsageError(
                "--since-line counts the lines of one step",
                why=f"there are {len(places)}: " + ", ".join(place.name for place in places[:8]),
                fix=self._command("--since-step", places[0].name, "--since-line", str(self._asked.first)),
            )
        return self._follow() if self._asked.follow else self._print(places)

    def _print(self, places: Sequence[Place]) -> LogsResult:
        for place in places:
            ci = server_of(self._servers, place.run)
            for line in ci.log(place.run, place.workflow, place.step, first=self._first(place)):
                self._say(place, line)
            self._count(place)
        running = [place.name for place in places if not place.step.state.finished]
        following = (self._command("--follow"),) if running else ()
        return self._result(Outcome.DONE, f"{self._total()}{' so far' if running else ''}", following)

    def _follow(self) -> LogsResult:
        """Follow the steps one after the other, in the order of the run; new ones join as they come."""
        while True:
            turn = poll.until(
                self._turn,
                clock=self._clock,
                emit=self._emit,
                waiting_for="ci logs",
                every=lambda: BEGIN_EVERY,
                deadline=self._left,
            )
            if turn == ():
                return self._result(Outcome.DONE, self._total(), (self._asked.request.command("status"),))
            if turn is None or not self._follow_step(turn[0]):
                return self._pending()

    def _turn(self) -> tuple[Place, ...] | None:
        """Return the next step that has a log to follow, nothing when none is left, None to wait."""
        places = self._places()
        self._several = self._several or len(places) > 1
        left = [place for place in places if not self._shown.get(place.key, {}).get("ended")]
        for place in left:
            if place.step.state not in _NOT_BEGUN or place.run.state.finished:
                return (place,)
        # A workflow may still add steps, unless one step was asked for.
        over = bool(places) and not left and (self._asked.step or all(place.run.state.finished for place in places))
        return () if over else None

    def _follow_step(self, place: Place) -> bool:
        ci = server_of(self._servers, place.run)
        first = self._shown.get(place.key, {}).get("next_line", self._first(place))
        following = Following(ci, place.run, place.workflow, place.step, first=first, clock=self._clock)
        ended = following.follow(lambda line: self._say(place, line), deadline=self._left, emit=self._emit)
        self._count(place, ended=ended, following=following.next)
        return ended is not None

    def _places(self) -> list[Place]:
        runs = [run for survey in self._surveys for run in survey.look().runs]
        places = [place for run in runs for place in _places(run) if self._wanted(place)]
        since = [at for at, place in enumerate(places) if self._named(place, self._asked.since_step)]
        return places[since[0] :] if since else [] if self._asked.since_step else places

    def _first(self, place: Place) -> int:
        """Return the line to begin with: the asked one belongs to one step alone."""
        since = self._asked.since_step
        return self._asked.first if not since or self._named(place, since) else 0

    @staticmethod
    def _named(place: Place, name: str) -> bool:
        return name in {place.step.name, place.name}

    def _wanted(self, place: Place) -> bool:
        asked = self._asked
        if asked.failed and place.step not in failing_steps(place.workflow):
            return False
        if asked.step:
            return self._named(place, asked.step) or asked.step == place.workflow.name
        return place.step.kind != "clone" or place.step.state.failing

    def _say(self, place: Place, line: LogLine) -> None:
        counted = self._shown.setdefault(place.key, {**_counted(place), "lines": 0, "next_line": 0, "ended": False})
        counted["lines"] += 1
        counted["next_line"] = line.number + 1
        self._emit(
            LogLineRead(
                server=place.run.server,
                number=place.run.number,
                workflow=place.workflow.name,
                step=place.step.name,
                line=line.number,
                text=line.text,
                prefix=f"{place.name} | " if self._several else "",
            )
        )

    def _count(self, place: Place, *, ended: Step | None = None, following: int | None = None) -> None:
        counted = self._shown.setdefault(place.key, {**_counted(place), "lines": 0, "next_line": 0, "ended": False})
        step = ended or place.step
        counted |= {"state": step.state.value, "exit_code": step.exit_code, "ended": step.state.finished}
        if following is not None:
            counted["next_line"] = following

    def _total(self) -> str:
        lines = sum(counted["lines"] for counted in self._shown.values())
        return f"{lines} lines of {', '.join(counted['name'] for counted in self._shown.values()) or 'no step'}"

    def _pending(self) -> LogsResult:
        last = next((counted for counted in reversed(self._shown.values()) if not counted["ended"]), None)
        words = ["--follow"]
        words += ["--failed"] * self._asked.failed + (["--step", self._asked.step] if self._asked.step else [])
        words += [] if last is None else ["--since-step", last["name"], "--since-line", str(last["next_line"])]
        following = self._command(*words)
        return self._result(Outcome.PENDING, f"still going after {self._total()}; go on: {following}", (following,))

    def _result(self, outcome: Outcome, headline: str, following: tuple[str, ...]) -> LogsResult:
        steps = tuple(self._shown.values())
        return LogsResult(outcome, headline, self._asked.request.oid, steps, following)

    def _command(self, *words: str) -> str:
        return self._asked.request.command("logs", *words)

    def _nothing(self) -> NothingThere:
        asked = self._asked
        self._asked = replace(asked, step="", failed=False)
        names = [place.name for place in self._places()]
        wanted = f"no step {asked.step!r}" if asked.step else "no failing step" if asked.failed else "no step"
        return NothingThere(
            f"{wanted} in {asked.request.oid[:12]} ({asked.request.choice.sentence()})",
            why=f"the steps there: {', '.join(names[:12])}" if names else "no run of the commit was found",
            fix=asked.request.command("status"),
        )


def _places(run: Pipeline) -> Iterator[Place]:
    return (Place(run, workflow, step) for workflow in run.workflows for step in workflow.steps)


def _counted(place: Place) -> dict[str, Any]:
    return {
        "server": place.run.server,
        "number": place.run.number,
        "name": place.name,
        "state": place.step.state.value,
        "exit_code": place.step.exit_code,
    }


def _silent(event: Event) -> None:
    """The lines are the answer; what the run does meanwhile is ``ci watch``'s."""
    del event
