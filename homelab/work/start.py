"""``work start``: a branch and a worktree of its own for one topic, from the newest target.

What fails removes only what this run made; what exists already is shown, not made again.
Layer: work domain.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from homelab.app import App
from homelab.errors import CredentialsError, GitFailed, HomelabError, Unreachable, UsageError
from homelab.events import Notice
from homelab.git import lock
from homelab.git.runner import Git
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.work import checkout
from homelab.work.events import short
from homelab.work.fresh import fetch_target
from homelab.work.local_target import known
from homelab.work.worktrees import Worktree, status, worktrees

PLACE = ".worktrees"
_LONGEST = 200
_BUSY = re.compile(r"could not lock|Unable to create '.*\.lock'|cannot lock ref|unable to lock", re.IGNORECASE)
_RETRIES = 20
_LOCK_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Started(Result):
    """A topic's worktree. ``made`` is False when it was there already."""

    topic: str
    path: Path
    base: str
    made: bool

    def lines(self) -> list[str]:
        """Return the path alone, so that ``cd "$(homelab work start x)"`` works."""
        return [str(self.path)]

    def record(self) -> dict[str, Any]:
        """Return topic, path, base commit and whether it was made now."""
        return {"topic": self.topic, "path": str(self.path), "base": self.base, "made": self.made}


def start(
    app: App, topic: str, *, remote: str | None = None, base: str | None = None, offline: bool = False
) -> Started:
    """Make, or show, the worktree of ``topic``. Raises UsageError for a name that cannot be."""
    _require_name(app.git, topic)
    trees = worktrees(app.git)
    main = trees[0]
    there = next((tree for tree in trees if tree.branch == topic and not tree.prunable), None)
    if there is not None:
        return Started(Outcome.DONE, f"{topic} was started before", topic, there.path, there.head, made=False)
    _require_room(app.git, topic)
    path = _place(app, main) / topic.replace("/", "-")
    if path.exists() or path.is_symlink():
        raise UsageError(
            f"{path} is in the way",
            why=f"it is no worktree of {topic}",
            fix=f"look at it and move it away, then: homelab work start {quote(topic)}",
        )
    existing = app.git.read("rev-parse", "--verify", "--quiet", f"refs/heads/{topic}").out.strip()
    oid = existing or _base(app, remote, base, offline=offline)
    with lock.held(
        app.repository.common_dir / "homelab" / "worktrees.lock",
        clock=app.clock,
        place=str(app.world.cwd),
        timeout=_LOCK_PATIENCE,
    ):
        _ignore(app, main, path)
        _make(app, topic, path, oid, existing=bool(existing))
    headline = f"{topic} {'goes on' if existing else 'starts'} at {short(oid)}"
    return Started(Outcome.DONE, headline, topic, path, oid, made=True)


def _require_name(git: Git, topic: str) -> None:
    bad = topic.startswith(("-", "refs/", "@{")) or len(topic) > _LONGEST
    if bad or git.run("check-ref-format", "--branch", topic).code != 0:
        raise UsageError(
            f"{topic!r} is no name for a branch",
            why="git refuses it (git help check-ref-format)",
            fix="homelab work start <letters, digits, ., -, _ and single slashes>",
        )


def _require_room(git: Git, topic: str) -> None:
    """A branch is a file and a folder of refs cannot share its name: ``u/a`` against ``u/a/b``."""
    parts = topic.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts))]
    clash = [name for name in above if git.read("rev-parse", "--verify", "--quiet", f"refs/heads/{name}").code == 0]
    clash += [
        name.removeprefix("refs/heads/")
        for name in git.lines("for-each-ref", "--format=%(refname)", f"refs/heads/{topic}/")
    ]
    if clash:
        raise UsageError(
            f"{topic} cannot stand beside the branch {clash[0]}",
            why="git keeps a branch where the other needs a folder",
            fix=f"homelab work start {quote(topic.replace('/', '-') + '-2')}, or rename {clash[0]}",
        )


def _place(app: App, main: Worktree) -> Path:
    root = app.repository.common_dir if main.bare else main.path
    said = app.repository.config("homelab.worktrees")
    if said:
        return root / Path(said).expanduser()
    if (root / PLACE).is_symlink():
        raise UsageError(
            f"{root / PLACE} is a symbolic link",
            why="a repository that holds one would choose the folder that worktrees are made in",
            fix="remove it, or name a folder yourself: git config homelab.worktrees <folder>",
        )
    return root / PLACE


def _base(app: App, remote: str | None, base: str | None, *, offline: bool) -> str:
    """Return the commit to start from: the newest target, or the last one seen when nobody answers."""
    if not offline:
        try:
            return fetch_target(app, remote=remote, into=base)[2]
        except (Unreachable, CredentialsError) as away:
            local = known(app, remote=remote, into=base)
            if not local.oid:
                raise
            app.emit(Notice(about="work", text=f"{away.what}; starting from {local.name} as last seen"))
            return local.oid
    local = known(app, remote=remote, into=base)
    if not local.oid:
        raise UsageError(
            "no target branch is known here",
            why="nothing was ever fetched from it",
            fix="run it again without --offline, or name the target: --base <branch>",
        )
    if local.guessed:
        app.emit(Notice(about="work", text=f"{local.name} is a guess: the remote's default branch is not known here"))
    return local.oid


def _ignore(app: App, main: Worktree, path: Path) -> None:
    """Keep the worktrees out of the main one's status: in ``info/exclude``, never in a tracked file."""
    if main.bare or not path.is_relative_to(main.path):
        return
    git = app.git.at(main.path)
    if git.read("check-ignore", "--quiet", "--no-index", str(path)).code == 0:
        return
    exclude = app.repository.common_dir / "info" / "exclude"
    exclude.parent.mkdir(exist_ok=True)
    text = exclude.read_text(encoding="utf-8") if exclude.is_file() else ""
    gap = "" if not text or text.endswith("\n") else "\n"
    with exclude.open("a", encoding="utf-8") as file:
        file.write(f"{gap}/{path.relative_to(main.path).parts[0]}/\n")


def _make(app: App, topic: str, path: Path, oid: str, *, existing: bool) -> None:
    parents = [parent for parent in path.parents if not parent.exists()]
    # --no-track: with push.default=upstream a plain git push would otherwise go to the target.
    options = () if existing else ("--no-track", "-b", topic)
    try:
        _insist(app, lambda: checkout.add(app.git, path, *options, commit=topic if existing else oid))
        _require_usable(app, path)
    except HomelabError:
        _undo(app, topic, path, "" if existing else oid)
        for parent in parents:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
        raise


def _undo(app: App, topic: str, path: Path, oid: str) -> None:
    """Remove what this run made: a worktree nobody has used, and the branch while it is at its first commit."""
    app.git.run("worktree", "remove", "--force", str(path))
    if oid:
        app.git.run("update-ref", "-d", f"refs/heads/{topic}", oid)


def _require_usable(app: App, path: Path) -> None:
    """Refuse a worktree that is not clean: a filter that failed leaves every file deleted or changed."""
    git = app.git.at(path)
    dirty = status(git)
    if not dirty.clean:
        raise GitFailed(
            "the new worktree was not clean, and is gone again",
            why="a checkout filter failed, or files differ only by case here",
            fix="git config --get-regexp '^filter\\.', mend the filter, then run it again",
            details=(*dirty.changed, *dirty.untracked)[:20],
        )
    hooks = app.git.read("config", "--get", "core.hooksPath").out.strip()
    if hooks and not Path(hooks).expanduser().is_absolute() and not (path / hooks).is_dir():
        text = f"core.hooksPath is {hooks}, which this worktree does not have: its hooks do not run"
        app.emit(Notice(about="work", text=text))


def _insist(app: App, act: Callable[[], None]) -> None:
    """Run what changes the whole repository, again while another git holds a lock file of it."""
    for left in reversed(range(_RETRIES)):
        try:
            return act()
        except GitFailed as error:
            if not left or not _BUSY.search("\n".join(error.details)):
                raise
        app.clock.sleep(0.1)
    return None
