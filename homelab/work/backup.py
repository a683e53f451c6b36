"""The refs that keep where a branch was before it changed or went: ``refs/homelab/backup/<branch>/<run>``.

Layer: work domain.
"""

from __future__ import annotations

from datetime import UTC, datetime

from homelab.clock import Clock
from homelab.git.runner import Git


def stamp(clock: Clock) -> str:
    """Return the time now as it stands in names, to the microsecond: two runs do not share one."""
    return datetime.fromtimestamp(clock.now(), UTC).strftime("%Y%m%dT%H%M%S%fZ")


def ref_of(branch: str, run: str) -> str:
    """Return the ref that keeps ``branch`` as ``run`` found it."""
    return f"{_place(branch)}{run}"


def keep(git: Git, branch: str, oid: str, clock: Clock) -> str:
    """Keep ``oid`` as where ``branch`` is now; return the ref. Raises GitFailed."""
    ref = ref_of(branch, stamp(clock))
    git.text("update-ref", ref, oid)
    return ref


def drop(git: Git, branch: str) -> None:
    """Forget all that was kept of ``branch``, and nothing of a branch whose name only begins like it."""
    place = _place(branch)
    for line in git.lines("for-each-ref", "--format=%(refname) %(objectname)", place):
        ref, oid = line.split()
        if "/" not in ref.removeprefix(place):
            git.run("update-ref", "-d", ref, oid)


def _place(branch: str) -> str:
    return f"refs/homelab/backup/{branch}/"
