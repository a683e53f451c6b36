"""What a watch of CI tells while it goes. Layer: ci vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from homelab.ci.model import State
from homelab.events import Event
from homelab.spoken import duration


def _ended(word: str) -> bool | None:
    state = State.read(word)
    return not state.failing if state.finished else None


@dataclass(frozen=True, slots=True)
class PipelineSeen(Event):
    """A run of the commit showed up."""

    kind: ClassVar[str] = "ci.pipeline.seen"
    server: str
    number: int
    commit: str
    event: str
    branch: str
    state: str
    url: str
    #: How long its like took when green, in seconds; 0 not known.
    usual: int = 0

    def sentence(self) -> str:
        """Name the run, what made it, its page, and how long to expect."""
        made = f"{self.event} {self.branch}".strip()
        expected = f" (usually {duration(self.usual)})" if self.usual else ""
        return f"#{self.number} {made} {self.url}{expected}"


@dataclass(frozen=True, slots=True)
class PipelineChanged(Event):
    """A run went from one state to another."""

    kind: ClassVar[str] = "ci.pipeline.changed"
    detail: ClassVar[bool] = True
    server: str
    number: int
    commit: str
    state: str
    was: str
    url: str

    @property
    def ended(self) -> bool | None:
        """A state nothing follows ends the row."""
        return _ended(self.state)

    def sentence(self) -> str:
        """Name the run and its new state."""
        return f"#{self.number} {self.state}"


@dataclass(frozen=True, slots=True)
class PipelineVanished(Event):
    """A run was seen and is gone. ``filtered``: it had not begun, so its server filtered it after all."""

    kind: ClassVar[str] = "ci.pipeline.vanished"
    server: str
    number: int
    commit: str
    filtered: bool = True

    def sentence(self) -> str:
        """Say what that means."""
        return f"#{self.number} is gone again: {'filtered out' if self.filtered else 'deleted on the server'}"


@dataclass(frozen=True, slots=True)
class StepChanged(Event):
    """A step of a run went from one state to another."""

    kind: ClassVar[str] = "ci.step.changed"
    detail: ClassVar[bool] = True
    server: str
    number: int
    workflow: str
    step: str
    state: str
    exit_code: int

    @property
    def subject(self) -> str:
        """Each step has its own row."""
        return f"ci {self.workflow}/{self.step}"

    @property
    def ended(self) -> bool | None:
        """A state nothing follows ends the row."""
        return _ended(self.state)

    def sentence(self) -> str:
        """Say its state, with the exit code where it failed."""
        return f"{self.state}, exit {self.exit_code}" if self.exit_code else self.state


@dataclass(frozen=True, slots=True)
class ApprovalAwaited(Event):
    """A run is blocked and the watch stays, as asked."""

    kind: ClassVar[str] = "ci.approval.awaited"
    server: str
    number: int
    url: str

    def sentence(self) -> str:
        """Say where to approve."""
        return f"#{self.number} waits for approval: {self.url}"


@dataclass(frozen=True, slots=True)
class PipelineReplaced(Event):
    """A run was replaced by a newer one that holds the commit; the watch follows it."""

    kind: ClassVar[str] = "ci.pipeline.replaced"
    server: str
    number: int
    by: int
    by_commit: str
    url: str
    #: Who pushed the new commit, "" where the server does not say.
    author: str = ""

    def sentence(self) -> str:
        """Name both runs, the new commit, and who pushed it."""
        pushed = f", by {self.author}" if self.author else ""
        return f"#{self.number} replaced by #{self.by} ({self.by_commit[:12]} holds the commit{pushed}) {self.url}"


@dataclass(frozen=True, slots=True)
class StateUnknown(Event):
    """A run is in a state that homelab does not know; it is waited for like one that goes."""

    kind: ClassVar[str] = "ci.state.unknown"
    server: str
    number: int
    state: str
    url: str

    def sentence(self) -> str:
        """Quote the server's word."""
        return f"#{self.number} is {self.state!r}, a state homelab does not know; waiting on: {self.url}"


@dataclass(frozen=True, slots=True)
class SightLost(Event):
    """A server refuses what it allowed before; the watch goes on trying. Said once until it is back.

    One that does not answer at all is told of by its HTTP client.
    """

    kind: ClassVar[str] = "ci.sight.lost"
    server: str
    reason: str

    def sentence(self) -> str:
        """Say what came instead."""
        return f"cannot see CI, still trying: {self.reason}"


@dataclass(frozen=True, slots=True)
class SightRegained(Event):
    """A server that refused is seen again, after ``seconds``."""

    kind: ClassVar[str] = "ci.sight.regained"
    server: str
    seconds: float

    def sentence(self) -> str:
        """Say after how long."""
        return f"sees {self.server} again, after {duration(self.seconds)}"


@dataclass(frozen=True, slots=True)
class RunSlow(Event):
    """A run takes far longer than its last green likes. Said once."""

    kind: ClassVar[str] = "ci.run.slowed"
    server: str
    number: int
    seconds: int
    usual: int
    url: str

    def sentence(self) -> str:
        """Compare the two durations."""
        return f"#{self.number} runs for {duration(self.seconds)}, usually {duration(self.usual)}"


@dataclass(frozen=True, slots=True)
class TargetMoved(Event):
    """A newer push of the branch has a run: the branch moved on while its commit was watched."""

    kind: ClassVar[str] = "ci.target.moved"
    server: str
    branch: str
    commit: str
    author: str
    number: int
    url: str

    def sentence(self) -> str:
        """Say where to, and by whom."""
        by = f" by {self.author}" if self.author else ""
        return f"{self.branch} moved on to {self.commit[:12]}{by} (#{self.number})"
