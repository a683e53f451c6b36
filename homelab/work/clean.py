"""``work clean``: removes a topic's worktree and branch once its work is proven to be in the target.

Layer: work domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from homelab.app import App
from homelab.errors import NothingThere, PersonNeeded
from homelab.git import lock
from homelab.git.runner import failed
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.work import backup, precious
from homelab.work.fresh import fetch_target
from homelab.work.occupied import require_free
from homelab.work.proof import landed_how
from homelab.work.start import PLACE
from homelab.work.worktrees import Worktree, worktrees

_LOCK_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Cleaned(Result):
    """What really happened, a line an item."""

    topic: str
    done: tuple[str, ...]
    #: The ref that keeps a discarded tip, or "".
    backup: str = ""

    def lines(self) -> list[str]:
        """Return what was removed."""
        return list(self.done)

    def record(self) -> dict[str, Any]:
        """Return the same for a program."""
        return {"topic": self.topic, "done": list(self.done), "backup": self.backup}


@dataclass(frozen=True, slots=True)
class _Found:
    branch: str | None
    tip: str
    tree: Worktree | None


def clean(
    app: App, topic: str, *, discard: bool = False, drop_ignored: bool = False, remote: str | None = None
) -> Cleaned:
    """Remove the worktree and the branch of ``topic``.

    Raises NothingThere when there is neither, PersonNeeded when anything would be lost, and the
    fetch's errors: without the newest target nothing is proven.
    """
    found = _find(app, topic)
    how = "" if discard else _proof(app, found, topic, remote)
    with lock.held(
        app.repository.common_dir / "homelab" / "worktrees.lock",
        clock=app.clock,
        place=str(app.world.cwd),
        timeout=_LOCK_PATIENCE,
    ):
        modules = False
        if found.tree is not None and not found.tree.prunable:
            modules = require_free(app, found.tree, discard=discard)
            precious.require_none(app.git.at(found.tree.path), drop=drop_ignored)
        return _remove(app, found, topic, how=how, force=modules or discard)


def _find(app: App, topic: str) -> _Found:
    trees = worktrees(app.git)
    wanted = (app.world.cwd / topic).resolve()
    tree = next((one for one in trees[1:] if one.branch == topic), None) or next(
        (one for one in trees[1:] if one.path.resolve() == wanted), None
    )
    branch = tree.branch if tree else topic
    tip = app.git.read("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}").out.strip() if branch else ""
    holders = [one for one in trees if branch and one.branch == branch]
    if tip and holders and tree is None:
        main = quote(str(holders[0].path))
        raise PersonNeeded(
            f"{branch} is checked out in {holders[0].path}",
            why="that is the main worktree, which is never removed",
            fix=f"git -C {main} switch <another branch>, then: homelab work clean {quote(topic)}",
        )
    if not tip and tree is None:
        names = [one.branch or str(one.path) for one in trees[1:]]
        raise NothingThere(
            f"there is no worktree and no branch {topic}",
            why=f"here are: {', '.join(names) or 'none'}",
            fix="homelab work list",
        )
    return _Found(branch if tip else None, tip or (tree.head if tree else ""), tree)


def _proof(app: App, found: _Found, topic: str, remote: str | None) -> str:
    _, ref, base = fetch_target(app, remote=remote)
    how = landed_how(app.git, app.repository.common_dir, found.tip, base)
    if how:
        return how
    name = ref.removeprefix("refs/heads/")
    count = app.git.read("rev-list", "--count", f"{base}..{found.tip}").out.strip() or "some"
    raise PersonNeeded(
        f"{topic} holds {count} commits that {name} does not have",
        why="neither its commits nor their content are in the target",
        fix=f"land it: homelab work land; or give it up: homelab work clean {quote(topic)} --discard",
        details=tuple(app.git.lines("log", "--oneline", "--max-count=5", f"{base}..{found.tip}")),
    )


def _remove(app: App, found: _Found, topic: str, *, how: str, force: bool) -> Cleaned:
    done: list[str] = []
    if found.tree is not None:
        # One --force lets git remove initialised submodules, which were looked into one by one.
        ended = app.git.run("worktree", "remove", *(["--force"] if force else []), str(found.tree.path), timeout=None)
        if ended.code != 0:
            raise failed(ended, fix=f"git status in {found.tree.path}, then: homelab work clean {quote(topic)}")
        done.append(f"removed worktree {found.tree.path}")
        _tidy(found.tree.path.parent)
    kept = ""
    if found.branch is not None:
        if how:
            backup.drop(app.git, found.branch)
        else:
            kept = backup.keep(app.git, found.branch, found.tip, app.clock)
            how = f"discarded; back with: git branch {quote(found.branch)} {quote(kept)}"
        app.git.text("update-ref", "-d", f"refs/heads/{found.branch}", found.tip)
        app.git.run("config", "--remove-section", f"branch.{found.branch}")
        done.append(f"deleted branch {found.branch} at {found.tip[:12]}: {how}")
    return Cleaned(Outcome.DONE, f"{topic} is gone", topic, tuple(done), kept)


def _tidy(folder: Path) -> None:
    """Remove the folder of worktrees when the last one has gone."""
    if folder.name == PLACE and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
