"""Whether a GitOps object has applied the commit of the GitOps repository that is asked for. Pure.

Layer: the deploy domain, above its model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from homelab.deploy.model import GitOps

SHORTEST = 7


def unknown(_commit: str) -> bool | None:
    """Know no history."""
    return None


@dataclass(frozen=True, slots=True)
class GitOpsCommit:
    """The commit of the GitOps repository that must be applied."""

    oid: str
    #: Whether a commit contains it; None: that cannot be known here.
    within: Callable[[str], bool | None] = unknown
    #: A clone of the GitOps repository is at hand.
    has_clone: bool = False

    @property
    def shown(self) -> str:
        """Return the short commit."""
        return self.oid[:12]

    def in_(self, commit: str) -> bool | None:
        """Say whether ``commit`` is it or contains it; None: unknown."""
        same = len(commit) >= SHORTEST and self.oid.startswith(commit)
        return True if same else self.within(commit)


class Delivery(StrEnum):
    """How far the commit came."""

    APPLIED = "applied"
    #: Applied is a commit known not to contain it, or none yet.
    BEHIND = "behind"
    #: Whether what is applied contains it cannot be known here.
    UNKNOWN = "unknown"


def delivered(view: GitOps, wanted: GitOpsCommit) -> Delivery:
    """Judge what the object says it applied. Of several sources one that contains the commit is enough."""
    found = [wanted.in_(commit) for commit in view.commits]
    if True in found:
        return Delivery.APPLIED
    if False in found or not view.revision:
        return Delivery.BEHIND
    return Delivery.UNKNOWN


def doubt(view: GitOps, wanted: GitOpsCommit) -> str:
    """Say why it is unknown whether the commit was applied."""
    if not view.commits:
        return f"its revision {view.revision[:40]} is no commit"
    at = ",".join(commit[:12] for commit in view.commits)
    where = "the clone does not know it" if wanted.has_clone else "no clone was named"
    return f"whether {at} contains {wanted.shown} is unknown: {where}"


def tried_in_vain(view: GitOps, wanted: GitOpsCommit) -> bool:
    """Say whether a try to apply a commit that contains ours has ended badly."""
    return view.broken and any(wanted.in_(commit) for commit in view.tried)
