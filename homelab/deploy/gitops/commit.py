"""The expected commit of the GitOps repository, from the words that were typed. Layer: the deploy domain."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from homelab.deploy.gitops.delivery import GitOpsCommit
from homelab.errors import HomelabError, UsageError
from homelab.git.port import Repository

_FULL = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")


def without_clone(typed: str) -> GitOpsCommit:
    """Return the commit where no clone is at hand: whole, and equal or unknown. Raises UsageError for any other."""
    if not _FULL.fullmatch(typed):
        raise UsageError(
            f"--gitops-sha {typed}: without a clone only a full commit can be known",
            why="nothing was asked of any server",
            fix="--gitops-repo PATH, or [gitops] clone in the configuration file",
        )
    return GitOpsCommit(typed.lower())


def in_clone(typed: str, repository: Repository, bring: Callable[[], None]) -> GitOpsCommit:
    """Return the commit as a clone of the GitOps repository knows it. Raises UsageError where it does not.

    ``bring`` fetches once for each commit that is not there.
    """
    oid = _resolved(typed, repository, bring)
    known: dict[str, bool] = {}
    fetched_for: set[str] = set()

    def within(commit: str) -> bool | None:
        """Say whether ``commit`` contains ours; None where not even a fetch tells."""
        if commit in known:
            return known[commit]
        found = repository.contains(commit, oid)
        if found is None and commit not in fetched_for:
            fetched_for.add(commit)
            with suppress(HomelabError):
                bring()
                found = repository.contains(commit, oid)
        if found is not None:
            known[commit] = found
        return found

    return GitOpsCommit(oid, within, has_clone=True)


def _resolved(typed: str, repository: Repository, bring: Callable[[], None]) -> str:
    """Return the full commit; a whole one that was just pushed from elsewhere need not be in the clone."""
    try:
        return repository.resolve(typed)
    except UsageError:
        with suppress(HomelabError):
            bring()
            return repository.resolve(typed)
        if _FULL.fullmatch(typed):
            return typed.lower()
        raise
