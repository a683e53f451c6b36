"""``ci logs``: the lines of a commit's steps, each once and in order, as data. Layer: ci use case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from homelab import poll
from homelab.ci.endure import Endurance
from homelab.ci.failure import failing_steps
from homelab.ci.follow import QUESTION, Following, Place
from homelab.ci.logs_asked import LogLineRead, LogsRequest, LogsResult
from homelab.ci.logs_shown import Tally
from homelab.ci.model import LogLine, Pipeline, State
from homelab.ci.port import CiRepository
from homelab.ci.survey import Survey
from homelab.ci.words import server_of
from homelab.clock import Clock
from homelab.errors import HomelabError, Interrupted, NothingThere, PermissionMissing, UsageError
from homelab.events import Emit, Event, Notice
from homelab.git.port import Repository
from homelab.outcome import Outcome

_NOT_BEGUN = {State.CREATED, State.PENDING, State.BLOCKED}
#: Seconds that the first question may take.
FIRST_QUESTION = 60.0
#: Seconds between looks for a step that has not begun.
BEGIN_EVERY = 2.0


def logs(
    servers: Sequence[CiRepository], asked: LogsRequest, *, repository: Repository, clock: Clock, emit: Emit
) -> LogsResult:
    """Show the logs; with ``follow`` until the steps have ended or the request's timeout.

    Raises NothingThere where there is no such step, or no log of any; UsageError where a line names no one step.
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
        self._endurance = {ci.name: Endurance(ci.name, clock=clock, emit=emit) for ci in servers}
        self._began = clock.monotonic()
        self._shown = Tally()
        #: Why steps were not shown, and which.
        self._refused: dict[str, tuple[HomelabError, list[str]]] = {}
        self._runs: tuple[Pipeline, ...] = ()
        self._told: set[str] = set()
        self._several = False

    @property
    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._began

    @property
    def _left(self) -> float:
        return max(self._asked.request.timeout - self._elapsed, 0.0)

    def show(self) -> LogsResult:
        """Find the steps, then print or follow them."""
        places = self._places()
        self._check_line(places)
        if not self._asked.follow:
            return self._print(places)
        try:
            return self._follow()
        except (KeyboardInterrupt, Interrupted):
            self._emit(Notice(about="ci", text=f"go on: {self._again()}"))
            raise
        except HomelabError as error:
            error.details += (f"go on: {self._again()}",) if self._shown else ()
            raise

    def _check_line(self, places: Sequence[Place]) -> None:
        asked = self._asked
        if asked.since.line and len(places) > 1 and not (asked.since.name or asked.since_step):
            raise UsageError(
                "--since-line counts the lines of one step",
                why=f"there are {len(places)}: " + ", ".join(place.name for place in places[:8]),
                fix=self._command("--since-line", f"{places[0].name}:{asked.since.line}"),
            )

    def _print(self, places: Sequence[Place]) -> LogsResult:
        if not places:
            raise self._nothing()
        self._several = len(places) > 1
        for place in places:
            self._read(place)
        if any(place.step.state.finished and not self._shown.ended(place) for place in places):
            return self._unfinished()
        running = [place for place in places if not place.step.state.finished]
        following = (self._command("--follow", *self._asked.words()),) if running else ()
        return self._answer(Outcome.DONE, f"{self._shown.total()}{' so far' if running else ''}", following)

    def _read(self, place: Place) -> None:
        whole = True
        try:
            if place.step.state not in _NOT_BEGUN:
                whole = self._following(place).read(lambda line: self._say(place, line))
        except (NothingThere, PermissionMissing) as error:
            self._refuse(place, error)
        self._shown.stopped(place, ended=place.step.state.finished and whole)

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
                return self._answer(Outcome.DONE, self._shown.total(), (self._asked.request.command("status"),))
            if turn is None or not self._follow_step(turn[0]):
                return self._unfinished()

    def _unfinished(self) -> LogsResult:
        again = self._again()
        headline = f"still going after {self._shown.total()}; go on: {again}"
        return self._answer(Outcome.PENDING, headline, (again,))

    def _turn(self) -> tuple[Place, ...] | None:
        """Return the next step that has a log to follow, nothing when none is left, None to wait."""
        places = self._places()
        self._several = self._several or len(places) > 1
        left = [place for place in places if not self._shown.ended(place)]
        ready = [place for place in left if place.step.state not in _NOT_BEGUN or place.run.state.finished]
        if ready:
            return (ready[0],)
        self._tell_waiting()
        over = bool(self._runs) and all(run.state.finished for run in self._runs)
        if not places and (over or (not self._runs and self._elapsed >= self._asked.request.appear_timeout)):
            raise self._nothing()
        # A workflow may still add steps, unless one step was asked for.
        return () if places and not left and (over or self._asked.step) else None

    def _tell_waiting(self) -> None:
        """Say once what is waited for, where that is not the next step."""
        text = "" if self._runs else "no run yet"
        blocked = [run for run in self._runs if run.state is State.BLOCKED]
        text = f"{blocked[0].name} waits for approval: {blocked[0].url}" if blocked else text
        if text and text not in self._told:
            self._told.add(text)
            self._emit(Notice(about="ci", text=text))

    def _follow_step(self, place: Place) -> bool:
        following = self._following(place)
        try:
            ended = following.follow(lambda line: self._say(place, line))
        except (NothingThere, PermissionMissing) as error:
            self._refuse(place, error)
            ended = place.step
        over = replace(place, step=ended) if ended else place
        self._shown.stopped(over, ended=ended is not None, following=following.next)
        return ended is not None

    def _following(self, place: Place) -> Following:
        ci = server_of(self._servers, place.run)
        return Following(
            ci,
            place,
            first=self._shown.first(place, self._asked.first(place)),
            clock=self._clock,
            emit=self._emit,
            endurance=self._endurance[ci.name],
            left=lambda: self._left,
        )

    def _places(self) -> list[Place]:
        """Return the steps that were asked for, as they are now; those of a server that is away as they were."""
        for survey in self._surveys:
            survey.ci.budget = min(max(self._left, 1.0), QUESTION if self._runs else FIRST_QUESTION)
            sight = self._endurance[survey.ci.name].ask(survey.look)
            if sight is not None:
                others = tuple(run for run in self._runs if run.server != survey.ci.name)
                self._runs = others + sight.runs
        return self._asked.cut([place for place in _all(self._runs) if self._wanted(place)])

    def _wanted(self, place: Place) -> bool:
        failed = not self._asked.failed or place.step in failing_steps(place.workflow)
        return failed and self._asked.wants(place)

    def _say(self, place: Place, line: LogLine) -> None:
        self._shown.line(place, line.number)
        self._emit(
            LogLineRead(
                server=place.run.server,
                number=place.run.number,
                workflow=place.workflow.name,
                step=place.step.name,
                line=line.number,
                text=line.text,
                prefix=f"{self._label(place)} | " if self._several else "",
            )
        )

    def _refuse(self, place: Place, error: HomelabError) -> None:
        """Note that one step has no log to show; the others may have one."""
        self._refused.setdefault(error.what, (error, []))[1].append(self._label(place))

    def _label(self, place: Place) -> str:
        several = len({run.key for run in self._runs}) > 1
        return f"{place.run.name}/{place.name}" if several else place.name

    def _again(self) -> str:
        """Return the command that shows the rest."""
        wanted = (place for place in _all(self._runs) if self._wanted(place))
        return self._command(*self._shown.rest(self._asked, wanted, self._label))

    def _answer(self, outcome: Outcome, headline: str, following: tuple[str, ...]) -> LogsResult:
        """Return the answer, and say what was not shown. Raises the refusal where every step was refused."""
        refusals = list(self._refused.values())
        if refusals and not self._shown.lines:
            raise refusals[0][0]
        for error, names in refusals:
            self._emit(Notice(about=", ".join(names), text=f"{error.what}; {error.fix}"))
        return LogsResult(outcome, headline, self._asked.request.oid, self._shown.records(), following)

    def _command(self, *words: str) -> str:
        return self._asked.request.command("logs", *words)

    def _nothing(self) -> NothingThere:
        asked = self._asked
        names = [place.name for place in _all(self._runs)]
        wanted = f"no step {asked.step!r}" if asked.step else "no failing step" if asked.failed else "no step"
        return NothingThere(
            f"{wanted} in {asked.request.oid[:12]} ({asked.request.choice.sentence()})",
            why=self._why_none(names),
            fix=asked.request.command("status"),
        )

    def _why_none(self, names: Sequence[str]) -> str:
        if names:
            return f"the steps there: {', '.join(names[:12])}"
        runs = ", ".join(run.name for run in self._runs)
        return f"the server tells no steps of {runs}" if runs else "no run of the commit was found"


def _all(runs: Sequence[Pipeline]) -> list[Place]:
    return [Place(run, flow, step) for run in runs for flow in run.workflows for step in flow.steps]


def _silent(event: Event) -> None:
    """The lines are the answer; what the run does meanwhile is ``ci watch``'s."""
    del event
