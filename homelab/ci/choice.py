"""Which runs of a commit count: the asked event and branch, and of each repeated run the newest attempt.

Pure. Layer: ci, above the model.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from homelab.ci.model import Pipeline

ANY = "any"
PUSH = "push"


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked about. ``event`` may be ``any``."""

    event: str = PUSH
    #: Only this branch; "" leaves it to ``target``.
    branch: str = ""
    #: Push runs of this branch count alone when there are any; a commit not landed yet is judged by its own branch.
    target: str = ""
    #: The commit is known to be on the target: no other branch's push may speak for it.
    landed: bool = False
    #: Only this run, 0 for all.
    number: int = 0

    def sentence(self) -> str:
        """Say what was looked for: ``push on main``."""
        if self.number:
            return f"run #{self.number}"
        # A tag's or a release's run is of no branch.
        on_target = self.landed and self.event not in {"tag", "release"}
        where = self.branch or (self.target if on_target else "")
        event = "any event" if self.event == ANY else self.event
        return f"{event} on {where}" if where else event


def choose(runs: Iterable[Pipeline], choice: Choice) -> tuple[Pipeline, ...]:
    """Return the runs that count, newest first."""
    chosen = [run for run in runs if _asked(run, choice)]
    if choice.target and not choice.branch and not choice.number:
        chosen = _on_target(chosen, choice)
    return _newest_attempts(chosen)


def _asked(run: Pipeline, choice: Choice) -> bool:
    if choice.number:
        return run.number == choice.number
    if choice.event not in {ANY, run.event}:
        return False
    # A tag's run has no branch at all on most forges.
    return not choice.branch or not run.branch or run.branch == choice.branch


def _on_target(runs: list[Pipeline], choice: Choice) -> list[Pipeline]:
    """Drop pushes of the same commit to other branches where the target's own decides."""
    if not choice.landed and not any(run.event == PUSH and run.branch == choice.target for run in runs):
        return runs
    # Commit statuses do not tell a branch: such a run is the commit's, wherever it was pushed.
    return [run for run in runs if run.event != PUSH or run.branch in {"", choice.target}]


def _newest_attempts(runs: list[Pipeline]) -> tuple[Pipeline, ...]:
    """Of runs made by the same thing the newest one counts."""
    newest: dict[tuple[str, ...], Pipeline] = {}
    for run in sorted(runs, key=lambda one: (one.number, one.id)):
        newest[_made_by(run)] = run
    return tuple(sorted(newest.values(), key=lambda one: one.number, reverse=True))


def made_alike(one: Pipeline, other: Pipeline) -> bool:
    """Say whether two runs of one commit are attempts at the same thing."""
    return _made_by(one) == _made_by(other)


def _made_by(run: Pipeline) -> tuple[str, ...]:
    """Return what made a run: event, ref, and the cron, workflow file or deploy target."""
    return (run.server, run.event, run.ref or run.branch, run.source)
