"""``--staged``: the commit that will land is pushed as a branch first, and lands when it is green there.

Layer: work domain.
"""

from __future__ import annotations

from homelab.errors import NotLanded
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.work.events import short
from homelab.work.fallback import push_branch
from homelab.work.follow import LandedCommit, Waits
from homelab.work.model import Phase
from homelab.work.scene import Scene

AGAIN = "homelab work land --staged"


def stage(scene: Scene) -> None:
    """Push the candidate as the branch. Raises NotLanded."""
    push_branch(scene, scene.state.candidate)
    scene.now(phase=Phase.STAGED)


def wait_for_green(scene: Scene, waits: Waits) -> None:
    """Wait until CI is green for the staged commit. Raises NotLanded for anything else."""
    state = scene.state
    name = state.pushed_ref.removeprefix("refs/heads/")
    result = waits.ci(LandedCommit(state.candidate, name, scene.plan.remote))
    if result is not None and result.outcome is Outcome.DONE:
        scene.now(green=state.candidate)
        return
    raise _not_green(state.candidate, name, result)


def _not_green(oid: str, name: str, result: Result | None) -> NotLanded:
    red = result is not None and result.outcome is Outcome.RED
    return NotLanded(
        f"{short(oid)} is not green as {name}",
        why=result.headline if result is not None else "no CI is configured to ask",
        fix=f"mend and commit, then: {AGAIN}" if red else AGAIN,
        details=tuple(result.lines()) if result is not None else (),
        outcome=Outcome.VERIFY_FAILED if red else Outcome.PROTECTED,
    )
