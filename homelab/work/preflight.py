"""Everything that must hold before a land touches anything. Looks only; reaches no network.

Layer: work domain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from homelab.errors import NotLanded
from homelab.git.port import Repository
from homelab.git.runner import Git
from homelab.work.model import Checkout, LandRequest
from homelab.work.worktrees import hidden_files, operation, status

_OLDEST = (2, 38)
_SHOWN = 20


def require_git(git: Git) -> None:
    """Refuse a git without ``merge-tree --write-tree``. Raises NotLanded."""
    said = git.text("version")
    found = re.search(r"(\d+)\.(\d+)", said)
    if not found or (int(found[1]), int(found[2])) < _OLDEST:
        raise NotLanded(
            f"{said} is too old",
            why="landing tries merges without touching a file, which git can since 2.38",
            fix="install git 2.38 or newer",
        )


def require_worktree(git: Git) -> None:
    """Refuse a bare repository and the inside of ``.git``. Raises NotLanded."""
    if git.read("rev-parse", "--is-inside-work-tree").out.strip() != "true":
        raise NotLanded(
            "there is no worktree here to land from",
            why="this is a bare repository, or the inside of .git",
            fix="homelab work start <topic>, then land from its folder",
        )


def look(git: Git, repository: Repository) -> Checkout:
    """Return what the worktree is like, without judging it."""
    found = status(git)
    return Checkout(
        root=repository.root,
        git_dir=repository.git_dir,
        common_dir=repository.common_dir,
        branch=repository.branch(),
        head=_head(git),
        changed=found.changed,
        untracked=found.untracked,
        hidden=hidden_files(git),
    )


def require_landable(git: Git, checkout: Checkout, request: LandRequest) -> None:
    """Refuse what would verify one thing and push another. Raises NotLanded; touches nothing."""
    busy = operation(git, checkout.git_dir)
    if busy is not None:
        raise NotLanded(
            f"a {busy.name} is in progress here",
            why="the branch is between two states",
            fix=busy.ways_out,
        )
    if checkout.branch is None and not request.branch_name:
        raise NotLanded(
            "HEAD is detached",
            why="a land starts from a branch",
            fix="git switch -c <you>/<topic>, or: homelab work land --branch-name <name>",
        )
    if request.scratch:
        return
    if checkout.changed:
        raise NotLanded(
            "the worktree has uncommitted changes",
            why="what is verified must be what is pushed",
            fix="git commit them, or verify a clean copy: homelab work land --verify-in scratch",
            details=tuple(_few(checkout.changed)),
        )
    if checkout.untracked and not request.allow_untracked:
        raise NotLanded(
            "the worktree has untracked files",
            why="a forgotten git add passes here and breaks the target",
            fix="git add them, ignore them, or: homelab work land --verify-in scratch (or --allow-untracked)",
            details=tuple(_few(checkout.untracked)),
        )


def require_off_target(checkout: Checkout, target: str, *, allowed: bool) -> None:
    """Refuse to land the target branch itself, unless that is how this repository works. Raises NotLanded."""
    if checkout.branch and f"refs/heads/{checkout.branch}" == target and not allowed:
        raise NotLanded(
            f"this is {checkout.branch}, the target itself",
            why="a land takes a branch to the target",
            fix="git switch -c <topic>; or, to work on the trunk: git config homelab.allowTarget true",
        )


def require_large_files(git: Git) -> None:
    """Refuse when files are kept by git-lfs and nothing would upload them. Raises NotLanded."""
    if git.read("grep", "-q", "-I", "filter=lfs", "HEAD", "--", "*.gitattributes").code != 0:
        return
    path = git.root / git.text("rev-parse", "--path-format=absolute", "--git-path", "hooks/pre-push")
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    if "lfs" not in text and not (path.is_file() and "homelab" in text):
        raise NotLanded(
            "this repository keeps files with git-lfs, and no pre-push hook uploads them",
            why=f"{path} does not run git-lfs; the target would point at files nobody has",
            fix="git lfs install --local",
        )


def warnings(git: Git, checkout: Checkout) -> Iterator[str]:
    """Yield what a person should know although it stops nothing."""
    if checkout.hidden:
        yield f"git was told not to look at {', '.join(_few(checkout.hidden))} (assume-unchanged)"
    outer = git.read("rev-parse", "--show-superproject-working-tree").out.strip()
    if outer:
        yield f"this is a submodule of {outer}; it lands in its own repository only"
    if git.read("config", "--type=bool", "--get", "core.sparseCheckout").out.strip() == "true":
        yield "this checkout is sparse: the verification sees only what is checked out"


def _head(git: Git) -> str:
    ended = git.read("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if ended.code != 0:
        raise NotLanded("this branch has no commit yet", why="there is nothing to land", fix="git commit")
    return ended.out.strip()


def _few(paths: tuple[str, ...]) -> Iterator[str]:
    yield from paths[:_SHOWN]
    if len(paths) > _SHOWN:
        yield f"… and {len(paths) - _SHOWN} more"
