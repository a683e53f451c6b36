"""``work status``: the unfinished land of this worktree, and the next command. One look, no network.

Layer: work domain.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from homelab.app import App
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.work.events import short
from homelab.work.follow import RESUME
from homelab.work.model import LandState, Phase
from homelab.work.state import StateFile

ABORT = "homelab work land --abort"


@dataclass(frozen=True, slots=True)
class Step:
    """Where an unfinished land stands: what that means for the target, and the command that goes on."""

    outcome: Outcome
    headline: str
    command: str


@dataclass(frozen=True, slots=True)
class Status(Result):
    """The unfinished land, or none."""

    state: LandState | None = None
    next: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return what is unfinished and what to type."""
        if self.state is None:
            return [self.headline]
        state = self.state
        lines = [
            self.headline,
            f"branch: {state.branch} at {short(state.tip or state.source)} (before: {short(state.source)})",
            f"target: {state.target.removeprefix('refs/heads/')} on {state.remote} ({state.push_url})",
        ]
        lines += [f"commit: {short(state.candidate)}"] if state.candidate else []
        lines += [f"pushed: {state.pushed_ref.removeprefix('refs/heads/')}"] if state.pushed_ref else []
        return [*lines, *(f"next: {command}" for command in self.next)]

    def record(self) -> dict[str, Any]:
        """Return the stored land and the next commands."""
        return {"unfinished": asdict(self.state) if self.state else None, "next": list(self.next)}


def status(app: App) -> Status:
    """Return the unfinished land of this worktree. Raises NotLanded for a state that cannot be read."""
    state = StateFile.of(app.repository.git_dir).load()
    if state is None:
        return Status(Outcome.DONE, "no unfinished land in this worktree")
    step = next_step(state)
    undo = () if state.phase.landed or state.phase is Phase.PUSH else (ABORT,)
    return Status(step.outcome, step.headline, state, (step.command, *undo))


def next_step(state: LandState) -> Step:
    """Return what an unfinished land in this state means, and how it goes on."""
    target = state.target.removeprefix("refs/heads/")
    again = "homelab work land"
    return {
        Phase.FETCH: Step(Outcome.PENDING, f"{state.branch} is not landed; it stopped early", again),
        Phase.CONFLICT: Step(
            Outcome.CONFLICT, f"{state.branch} conflicts with {target}", f"resolve, git add, then: {again}"
        ),
        Phase.VERIFY: Step(Outcome.PENDING, f"{state.branch} is integrated and not pushed", again),
        Phase.PUSH: Step(Outcome.LAND_UNKNOWN, f"{short(state.candidate)} may or may not be on {target}", RESUME),
        Phase.STAGED: Step(
            Outcome.PENDING, f"{short(state.candidate)} waits for green as a branch", f"{again} --staged"
        ),
        Phase.CI: Step(Outcome.CI_UNSEEN, f"{short(state.landed)} is on {target}; its CI is not seen", RESUME),
        Phase.DEPLOY: Step(
            Outcome.DEPLOY_UNSEEN, f"{short(state.landed)} is on {target}; its rollout is not seen", RESUME
        ),
    }.get(state.phase, Step(Outcome.DONE, f"{short(state.landed)} is on {target}", again))
