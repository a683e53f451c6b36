"""A conflict between branch and target, left open for its owner, and how a land goes on after it.

Layer: work domain.
"""

from __future__ import annotations

import re
from pathlib import Path

from homelab.errors import NotLanded
from homelab.git.runner import Git
from homelab.outcome import Outcome
from homelab.work.events import short
from homelab.work.model import LandState, Strategy
from homelab.work.scene import Scene
from homelab.work.worktrees import status

_MARKER = re.compile(rb"^(?:<{7} |>{7} |\|{7} )", re.MULTILINE)
_LARGEST = 8 * 1024 * 1024


def conflicted(scene: Scene, base: str, paths: tuple[str, ...], *, left_open: bool) -> NotLanded:
    """Return the error that names the files and the way on."""
    target = scene.plan.target_name
    fix = (
        "resolve them, git add them, then: homelab work land"
        if left_open
        else f"git merge {short(base)}, resolve and commit, then: homelab work land"
    )
    return NotLanded(
        f"{scene.plan.branch} conflicts with {target}",
        why=f"both changed {len(paths)} file{'s' if len(paths) != 1 else ''} since they parted"
        + ("; the merge is open in this worktree" if left_open else "; this worktree is as it was"),
        fix=fix,
        details=paths[:20],
        outcome=Outcome.CONFLICT,
    )


def require_resolved(git: Git, git_dir: Path, state: LandState) -> None:
    """Make sure an open conflict is ours and resolved. Raises NotLanded."""
    if not _ours(git, git_dir, state):
        raise NotLanded(
            "the open merge here is not the one this land left",
            why=f"it expected {short(state.base)}",
            fix="finish or abort it (git status), then: homelab work land",
        )
    unmerged = status(git).unmerged
    marked = _with_markers(git)
    if unmerged or marked:
        raise NotLanded(
            "the conflict is not resolved yet",
            why="files are unmerged" if unmerged else "conflict markers are left in files",
            fix="resolve them, git add them, then: homelab work land; or give up: homelab work land --abort",
            details=(unmerged or marked)[:20],
            outcome=Outcome.CONFLICT,
        )


def _ours(git: Git, git_dir: Path, state: LandState) -> bool:
    if state.strategy == Strategy.REBASE.value:
        onto = git_dir / "rebase-merge" / "onto"
        return onto.is_file() and onto.read_text(encoding="utf-8").strip() == state.base
    return git.read("rev-parse", "--verify", "--quiet", "MERGE_HEAD").out.strip() == state.base


def _with_markers(git: Git) -> tuple[str, ...]:
    """Return staged files that still hold a conflict marker which HEAD's version did not."""
    found = []
    for path in git.records("diff", "--cached", "--name-only", "--diff-filter=AM", "-z"):
        file = git.root / path
        if not file.is_file() or file.is_symlink() or file.stat().st_size > _LARGEST:
            continue
        if _MARKER.search(file.read_bytes()) and not _MARKER.search(
            git.read("cat-file", "blob", f"HEAD:{path}").stdout
        ):
            found.append(path)
    return tuple(found)
