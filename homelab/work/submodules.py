"""Brings initialised submodules to the commits the checked-out tree names.

A merge moves what the tree says about a submodule and leaves its folder where it was: the worktree
would look changed, and the verification would judge an old one. Layer: work domain.
"""

from __future__ import annotations

from homelab.errors import NotLanded
from homelab.git.runner import Git, reason, spoken
from homelab.outcome import Outcome


def initialised(git: Git) -> bool:
    """Say whether any submodule is checked out here."""
    if not (git.root / ".gitmodules").is_file():
        return False
    return any(line[:1] != "-" for line in git.lines("submodule", "status"))


def update(git: Git, *, init: bool = False) -> None:
    """Check out the named commits, fetching them where they are missing. Raises NotLanded.

    Never with ``--force``: work inside a submodule stays as it is.
    """
    more = ("--init",) if init else ()
    ended = git.run("submodule", "--quiet", "update", *more, "--recursive", "--checkout", timeout=None, idle=120.0)
    if ended.code != 0:
        raise NotLanded(
            "a submodule could not be brought to the commit the target names",
            why=reason(ended),
            fix="git submodule update --recursive, mend what it says, then: homelab work land",
            details=spoken(ended),
            outcome=Outcome.PRECONDITION,
        )
