"""What is asked of ``ci logs``, its lines as data, and its answer. Pure. Layer: ci."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from homelab.ci.follow import Place
from homelab.ci.request import CiRequest
from homelab.errors import UsageError
from homelab.events import Event
from homelab.result import Result

_SINCE = re.compile(r"(?:(?P<name>.*):)?(?P<line>\d+)", re.DOTALL)


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
class Since:
    """The first line wanted: of the step ``name``, or of the only one shown."""

    line: int = 0
    name: str = ""

    @classmethod
    def read(cls, said: str) -> Since:
        """Take ``[NAME:]LINE`` apart. Raises UsageError."""
        found = _SINCE.fullmatch(said)
        if found is None:
            raise UsageError(
                f"--since-line {said!r} is no line", why="a line is a number, or NAME:NUMBER", fix="--since-line 120"
            )
        return cls(int(found["line"]), found["name"] or "")


@dataclass(frozen=True, slots=True)
class LogsRequest:
    """Which steps' logs of ``request``'s commit, and from where. ``step`` is ``name`` or ``workflow/name``."""

    request: CiRequest
    step: str = ""
    failed: bool = False
    follow: bool = False
    #: Leave out the steps before this one.
    since_step: str = ""
    since: Since = field(default_factory=Since)
    #: Leave out these steps.
    without: tuple[str, ...] = ()

    def wants(self, place: Place) -> bool:
        """Say whether the step was asked for, whatever its state. The clone step is the server's own."""
        if any(named(place, name) for name in self.without):
            return False
        if self.step:
            return named(place, self.step) or self.step == place.workflow.name
        return place.step.kind != "clone" or place.step.state.failing

    def cut(self, places: Sequence[Place]) -> list[Place]:
        """Return ``places`` from the first one wanted; none while that one is not there."""
        at = next((at for at, place in enumerate(places) if named(place, self.since_step)), len(places))
        return list(places[at:]) if self.since_step else list(places)

    def first(self, place: Place) -> int:
        """Return the line to begin with: the asked one belongs to one step alone."""
        name = self.since.name or self.since_step
        return self.since.line if not name or named(place, name) else 0

    def words(self) -> list[str]:
        """Return the words that narrow the steps, for a command that continues."""
        words = ["--follow"] * self.follow + ["--failed"] * self.failed
        words += ["--step", self.step] if self.step else []
        return words + [word for name in self.without for word in ("--except", name)]

    def since_words(self) -> list[str]:
        """Return the words that said where to begin."""
        words = ["--since-step", self.since_step] if self.since_step else []
        line = f"{self.since.name}:{self.since.line}" if self.since.name else str(self.since.line)
        return words + (["--since-line", line] if self.since.line else [])


def named(place: Place, name: str) -> bool:
    """Say whether ``name`` is the step's: ``step``, ``workflow/step``, or ``#12/workflow/step``."""
    return name in {place.step.name, place.name, f"{place.run.name}/{place.name}"} - {""}


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
