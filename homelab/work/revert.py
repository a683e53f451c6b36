"""``work revert``: takes a landed change back by a commit of its own, landed by the same path.

Layer: work domain, above ``land``.
"""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from homelab.app import App
from homelab.errors import HomelabError, NotLanded, UsageError
from homelab.git.runner import Git, failed
from homelab.outcome import Outcome
from homelab.work import landed
from homelab.work.events import short
from homelab.work.follow import Waits
from homelab.work.fresh import fetch_target
from homelab.work.land import land
from homelab.work.model import LandRequest, Phase
from homelab.work.result import LandResult, failure
from homelab.work.start import start
from homelab.work.worktrees import status


def revert(app: App, rev: str | None, request: LandRequest, waits: Waits) -> LandResult:
    """Revert ``rev``, or what landed last from this repository, in a new worktree, and land that."""
    try:
        _, ref, tip = fetch_target(app, remote=request.remote, into=request.into)
        oid = _landed(app, rev, ref)
        if app.repository.contains(tip, oid) is not True:
            raise UsageError(
                f"{short(oid)} is not on {ref.removeprefix('refs/heads/')}",
                why="only what has landed can be reverted there",
                fix="git log --oneline the target, then: homelab work revert <commit>",
            )
        started = start(app, f"revert-{short(oid)}", remote=request.remote, base=ref.removeprefix("refs/heads/"))
        _revert(app, app.git.at(started.path), oid, tip)
    except HomelabError as error:
        return failure(error, phase=Phase.PREFLIGHT, state=None, target=request.into or "")
    return land(app.at(started.path), request, waits)


def _landed(app: App, rev: str | None, ref: str) -> str:
    if rev is not None:
        return app.repository.resolve(rev)
    found = [pair for pair in landed.pairs(app.repository.common_dir) if pair.target == ref]
    if not found:
        raise UsageError(
            "nothing has landed from this repository",
            why="no land is recorded here",
            fix="homelab work revert <commit>",
        )
    return found[-1].landed


def _revert(app: App, git: Git, oid: str, tip: str) -> None:
    """Make the revert unless it was made before. Raises NotLanded on a conflict, which stays open there."""
    if git.read("rev-parse", "--verify", "--quiet", "REVERT_HEAD").code == 0:
        _continue(git, oid)
    if git.text("rev-list", "--count", f"{tip}..HEAD") != "0":
        return
    ended = git.run("revert", "--no-edit", *_span(app, git, oid), timeout=None)
    if ended.code == 0:
        return
    unmerged = status(git).unmerged
    if not unmerged:
        git.run("revert", "--abort")
        raise failed(ended, fix=f"git revert it by hand in {git.root}, then: homelab work land")
    raise _conflict(git.root, oid, unmerged)


def _continue(git: Git, oid: str) -> None:
    unmerged = status(git).unmerged
    if unmerged:
        raise _conflict(git.root, oid, unmerged)
    ended = git.run("revert", "--continue", timeout=None)
    if ended.code != 0:
        raise failed(ended, fix=f"git status in {git.root}")


def _conflict(root: Path, oid: str, unmerged: tuple[str, ...]) -> NotLanded:
    return NotLanded(
        f"reverting {short(oid)} conflicts with what landed since",
        why=f"the revert is open in {root}",
        fix=f"cd {quote(str(root))}; resolve, git add, then: homelab work revert {short(oid)}",
        details=unmerged[:20],
        outcome=Outcome.CONFLICT,
    )


def _span(app: App, git: Git, oid: str) -> tuple[str, ...]:
    """Return what ``git revert`` is given: a merge by its first parent, else all that landed together."""
    parents = git.text("rev-list", "--parents", "--max-count=1", oid).split()[1:]
    if len(parents) > 1:
        return ("-m", "1", oid)
    pair = next((one for one in landed.pairs(app.repository.common_dir) if one.landed == oid), None)
    if pair is None or not pair.base or [pair.base] == parents:
        return (oid,)
    if git.lines("rev-list", "--merges", "--max-count=1", f"{pair.base}..{oid}"):
        raise NotLanded(
            f"{short(oid)} landed together with merges",
            why="git cannot revert such a range in one go",
            fix=f"git revert the commits of {short(pair.base)}..{short(oid)} by hand on a new topic, then land it",
        )
    return (f"{pair.base}..{oid}",)
