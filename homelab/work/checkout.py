"""Makes a worktree, also where files are encrypted with git-crypt.

git-crypt looks for its keys in the worktree's own git folder, which a new worktree does not have:
they are linked there before the first file is checked out. In a locked clone the files come out as
they are stored, and the filter that would store them again is left to fail. Layer: work domain.
"""

from __future__ import annotations

import os
from pathlib import Path

from homelab.git.runner import Git, failed


def add(git: Git, path: Path, *options: str, commit: str) -> None:
    """Add a worktree of ``commit`` at ``path``. Raises GitFailed."""
    crypt = git.read("config", "--get-regexp", r"^filter\.git-crypt(-.*)?\.smudge$").out
    if not crypt:
        _run(git, "worktree", "add", "--quiet", *options, str(path), commit)
        return
    _run(git, "worktree", "add", "--quiet", "--no-checkout", *options, str(path), commit)
    there = git.at(path)
    common = Path(git.text("rev-parse", "--path-format=absolute", "--git-common-dir")) / "git-crypt"
    own = Path(there.text("rev-parse", "--absolute-git-dir")) / "git-crypt"
    unlocked = common.is_dir() and any(common.rglob("keys/*"))
    if unlocked and not own.exists():
        own.symlink_to(common)
    names = [line.split(" ")[0].removesuffix(".smudge") for line in crypt.splitlines()]
    # For this one checkout only: stored bytes as they are. clean is never replaced.
    stored = () if unlocked else tuple(word for name in names for word in ("-c", f"{name}.smudge=cat"))
    _run(there, *stored, "read-tree", "--reset", "-u", "HEAD")
    if not unlocked:
        # A file as new as the index is read again, through the filter that must fail here.
        index = Path(there.text("rev-parse", "--path-format=absolute", "--git-path", "index"))
        newer = index.stat().st_mtime + 1
        os.utime(index, (newer, newer))


def _run(git: Git, *arguments: str) -> None:
    ended = git.run(*arguments, timeout=None)
    if ended.code != 0:
        raise failed(ended)
