"""What a watch of CI tells while it goes. Layer: ci vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from homelab.events import Event


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

    def sentence(self) -> str:
        """Name the run, what made it, and its page."""
        made = f"{self.event} {self.branch}".strip()
        return f"#{self.number} {made} {self.url}"


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

    def sentence(self) -> str:
        """Name the run and its new state."""
        return f"#{self.number} {self.state}"


@dataclass(frozen=True, slots=True)
class PipelineVanished(Event):
    """A run was seen and is gone: the server filtered it after all."""

    kind: ClassVar[str] = "ci.pipeline.vanished"
    server: str
    number: int
    commit: str

    def sentence(self) -> str:
        """Say what that means."""
        return f"#{self.number} is gone again: filtered out"


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

    def sentence(self) -> str:
        """Name both runs and the new commit."""
        return f"#{self.number} replaced by #{self.by} ({self.by_commit[:12]} holds the commit) {self.url}"


@dataclass(frozen=True, slots=True)
class SightLost(Event):
    """CI cannot be asked right now; the watch goes on trying. Said once until it is back."""

    kind: ClassVar[str] = "ci.sight.lost"
    server: str
    reason: str

    def sentence(self) -> str:
        """Say what came instead."""
        return f"cannot see CI, still trying: {self.reason}"
