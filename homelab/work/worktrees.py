"""The worktrees of a repository and what state each is in. Asks git, changes nothing.

Layer: work domain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from homelab.git.runner import Git

#: What git is in the middle of, by the ref or file that says so, and how a person goes on.
_OPERATIONS = (
    ("merge", "MERGE_HEAD", "git merge --continue or git merge --abort"),
    ("cherry-pick", "CHERRY_PICK_HEAD", "git cherry-pick --continue or git cherry-pick --abort"),
    ("revert", "REVERT_HEAD", "git revert --continue or git revert --abort"),
    ("bisect", "BISECT_LOG", "git bisect reset"),
)
_REBASES = (
    ("rebase", "rebase-merge", "git rebase --continue or git rebase --abort"),
    ("am", "rebase-apply/applying", "git am --continue or git am --abort"),
    ("rebase", "rebase-apply", "git rebase --continue or git rebase --abort"),
)


@dataclass(frozen=True, slots=True)
class Worktree:
    """One entry of ``git worktree list``."""

    path: Path
    head: str
    #: Short branch name; None when detached or bare.
    branch: str | None
    bare: bool = False
    locked: str | None = None
    #: Why git would prune it: its folder is gone.
    prunable: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """What ``git status`` says: tracked changes and untracked files, as paths."""

    changed: tuple[str, ...]
    untracked: tuple[str, ...]
    unmerged: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Say whether nothing is changed and nothing untracked."""
        return not self.changed and not self.untracked


@dataclass(frozen=True, slots=True)
class Operation:
    """What a worktree is in the middle of, and the commands that end it."""

    name: str
    ways_out: str


def worktrees(git: Git) -> list[Worktree]:
    """Return all worktrees; the main one is first."""
    blocks = git.text("worktree", "list", "--porcelain", "-z").split("\0\0")
    return [_worktree(block) for block in blocks if block.strip("\0")]


def _worktree(block: str) -> Worktree:
    facts = {}
    for line in block.strip("\0").split("\0"):
        word, _, value = line.partition(" ")
        facts[word] = value
    return Worktree(
        path=Path(facts["worktree"]),
        head=facts.get("HEAD", ""),
        branch=facts["branch"].removeprefix("refs/heads/") if "branch" in facts else None,
        bare="bare" in facts,
        locked=facts.get("locked"),
        prunable=facts.get("prunable"),
    )


def status(git: Git, *, ignore_submodules: str = "none") -> Status:
    """Return the worktree's changes; raises GitFailed when git cannot say."""
    out = git.records(
        "status",
        "--porcelain=v1",
        "-z",
        "--untracked-files=all",
        "--no-renames",
        f"--ignore-submodules={ignore_submodules}",
    )
    changed: list[str] = []
    untracked: list[str] = []
    unmerged: list[str] = []
    for entry in out:
        code, path = entry[:2], entry[3:]
        (untracked if code == "??" else changed).append(path)
        if "U" in code or code in {"AA", "DD"}:
            unmerged.append(path)
    return Status(tuple(changed), tuple(untracked), tuple(unmerged))


def hidden_files(git: Git) -> tuple[str, ...]:
    """Return the files marked assume-unchanged: git does not look whether they changed."""
    lines = git.records("ls-files", "-v", "-z")
    return tuple(line[2:] for line in lines if re.match(r"[a-z] ", line))


def operation(git: Git, git_dir: Path) -> Operation | None:
    """Return what the worktree is in the middle of, or None."""
    for name, path, ways_out in _REBASES:
        if (git_dir / path).exists():
            return Operation(name, ways_out)
    for name, ref, ways_out in _OPERATIONS:
        if ref == "BISECT_LOG":
            if (git_dir / ref).exists():
                return Operation(name, ways_out)
        elif git.read("rev-parse", "--verify", "--quiet", ref).code == 0:
            return Operation(name, ways_out)
    return None
