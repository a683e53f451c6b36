"""What every step of a land is handed: git, the remote, time, the event stream, and the stored state.

Layer: work domain, above ``state``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from homelab.clock import Clock
from homelab.events import Emit
from homelab.git.remote_end import RemoteEnd
from homelab.git.runner import Git
from homelab.work.model import LandRequest, LandState, Plan
from homelab.work.state import StateFile


@dataclass(slots=True)
class Scene:
    """One land under way. ``state`` changes only through :meth:`now`, which stores it."""

    git: Git
    end: RemoteEnd
    clock: Clock
    emit: Emit
    request: LandRequest
    plan: Plan
    store: StateFile
    state: LandState
    #: Seconds the verification command may take.
    verify_timeout: float
    #: A signal that came while the push was on its way; it ends the command after the truth is known.
    interruption: BaseException | None = None

    def now(self, **changes: Any) -> LandState:
        """Change the state, store it, return it."""
        self.state = self.store.save(replace(self.state, **changes))
        return self.state

    @property
    def target(self) -> str:
        """Full name of the target branch."""
        return self.plan.target

    @property
    def seen(self) -> str:
        """The ref that remembers where the target was when last fetched."""
        return f"refs/homelab/seen/{self.plan.remote}/{self.plan.target_name}"

    def tree(self, oid: str) -> str:
        """Return the tree of a commit."""
        return self.git.text("rev-parse", "--verify", f"{oid}^{{tree}}")

    def contains(self, descendant: str, ancestor: str) -> bool:
        """Say whether ``ancestor`` is in ``descendant``'s history; both are here."""
        return self.git.read("merge-base", "--is-ancestor", ancestor, descendant).code == 0
