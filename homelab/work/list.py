"""``work list``: the worktrees, how far each is from the target, and what stands in the way.

Offline unless asked to fetch. Layer: work domain.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from homelab.app import App
from homelab.errors import HomelabError
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.work import landed
from homelab.work.events import short
from homelab.work.fresh import fetch_target
from homelab.work.local_target import known
from homelab.work.state import StateFile
from homelab.work.worktrees import Worktree, operation, status, worktrees


@dataclass(frozen=True, slots=True)
class Entry:
    """One worktree as a person wants to see it. ``ahead`` and ``behind`` are None where nobody knows."""

    branch: str | None
    path: str
    head: str
    ahead: int | None
    behind: int | None
    changed: int
    untracked: int
    operation: str
    #: Phase of an unfinished land, or "".
    land: str
    #: The commit this branch landed as, or "".
    landed: str
    here: bool
    trouble: str = ""

    def sentence(self) -> str:
        """Say it in a line."""
        words = [self.branch or f"detached {short(self.head)}"]
        if self.ahead is not None:
            words.append(f"{self.ahead} ahead, {self.behind} behind")
        words += [f"{self.changed} changed"] if self.changed else []
        words += [f"{self.untracked} untracked"] if self.untracked else []
        words += [f"{self.operation} in progress"] if self.operation else []
        words += [f"land stopped in {self.land}"] if self.land else []
        words += [f"landed as {short(self.landed)}"] if self.landed else []
        words += [self.trouble] if self.trouble else []
        return f"{'*' if self.here else ' '} {'; '.join(words)}  {self.path}"


@dataclass(frozen=True, slots=True)
class Listed(Result):
    """All worktrees."""

    target: str
    entries: tuple[Entry, ...]

    def lines(self) -> list[str]:
        """Return a line a worktree."""
        return [entry.sentence() for entry in self.entries]

    def record(self) -> dict[str, Any]:
        """Return the worktrees as records."""
        return {"target": self.target, "worktrees": [asdict(entry) for entry in self.entries]}


def list_worktrees(app: App, *, fetch: bool = False) -> Listed:
    """Return every worktree of the repository. Raises Unreachable only where ``fetch`` was asked for."""
    if fetch:
        end, ref, base = fetch_target(app)
        name = ref.removeprefix("refs/heads/")
        app.git.text("update-ref", f"refs/homelab/seen/{end.name}/{name}", base)
    else:
        local = known(app)
        base, name = local.oid, local.name or ""
    entries = tuple(_entry(app, tree, base, name) for tree in worktrees(app.git) if not tree.bare)
    return Listed(Outcome.DONE, f"{len(entries)} worktrees", name, entries)


def _entry(app: App, tree: Worktree, base: str, target: str) -> Entry:
    pair = landed.find(app.repository.common_dir, tree.head) if tree.branch != target else None
    gone = tree.prunable or ("" if tree.path.is_dir() else "its folder is gone")
    looked = ("", "", 0, 0) if gone else _look(app, tree.path)
    ahead, behind = _distance(app, base, tree.head)
    return Entry(
        branch=tree.branch,
        path=str(tree.path),
        head=tree.head,
        ahead=ahead,
        behind=behind,
        operation=looked[0],
        land=looked[1],
        changed=looked[2],
        untracked=looked[3],
        landed=pair.landed if pair else "",
        here=app.world.cwd.resolve().is_relative_to(tree.path.resolve())
        and app.repository.root.resolve() == tree.path.resolve(),
        trouble=gone,
    )


def _look(app: App, path: Path) -> tuple[str, str, int, int]:
    """Return operation, land phase, and how many files are changed and untracked."""
    git = app.git.at(path)
    try:
        git_dir = Path(git.text("rev-parse", "--absolute-git-dir"))
        busy, dirty, state = operation(git, git_dir), status(git), StateFile.of(git_dir).load()
    except HomelabError as error:
        return error.what, "", 0, 0
    return busy.name if busy else "", state.phase.value if state else "", len(dirty.changed), len(dirty.untracked)


def _distance(app: App, base: str, head: str) -> tuple[int | None, int | None]:
    if not base or not head:
        return None, None
    ended = app.git.read("rev-list", "--left-right", "--count", f"{base}...{head}")
    if ended.code != 0:
        return None, None
    behind, ahead = ended.out.split()
    return int(ahead), int(behind)
