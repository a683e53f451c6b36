"""Brings the base into the branch, in its worktree, the way its owner would by hand.

Nothing is stashed, reset or forced; a conflict is left open for its owner unless they said abort.
Layer: work domain.
"""

from __future__ import annotations

from pathlib import Path

from homelab.errors import NotLanded
from homelab.git.runner import Git, failed, spoken
from homelab.work.compare import probe
from homelab.work.conflict import conflicted
from homelab.work.model import Checkout, LandState, Phase
from homelab.work.scene import Scene
from homelab.work.worktrees import operation, status

_REBASE = ("rebase", "--no-autostash", "--no-autosquash")


def merge(scene: Scene, base: str) -> str:
    """Merge ``base`` into the checked-out branch; return its tip. Raises NotLanded on a conflict."""
    if scene.contains(scene.git.text("rev-parse", "HEAD"), base):
        return scene.git.text("rev-parse", "HEAD")
    tried = probe(scene, base, "HEAD")
    # Should git die half way, the next run knows what it would have made; the candidate on another base is void.
    scene.now(base=base, candidate="", tree="" if tried.conflicts else tried.tree)
    message = f"Merge {scene.plan.target_name} into {scene.plan.branch}"
    ended = scene.git.run(
        *("merge", "--no-ff", "--no-edit", "--no-autostash", "--no-squash", "--commit", "--stat"),
        *("-m", message, base),
        timeout=None,
    )
    if ended.code == 0:
        return scene.git.text("rev-parse", "HEAD")
    unmerged = status(scene.git).unmerged
    if not unmerged:
        if scene.git.read("rev-parse", "--verify", "--quiet", "MERGE_HEAD").code == 0:
            scene.git.run("merge", "--abort")
        raise failed(ended, fix="mend what git says above, then: homelab work land")
    if scene.request.abort_conflict:
        scene.git.text("merge", "--abort")
        raise conflicted(scene, base, unmerged, left_open=False)
    scene.now(phase=Phase.CONFLICT, base=base)
    raise conflicted(scene, base, unmerged, left_open=True)


def undo_half_made(git: Git, checkout: Checkout, state: LandState) -> bool:
    """Take back a merge or rebase of ours that was killed; False where there is none, or more than that."""
    if operation(git, checkout.git_dir) is not None:
        return _undo_half_rebase(git, checkout.git_dir, state)
    return bool(checkout.changed) and undo_half_merge(git, state)


def undo_half_merge(git: Git, state: LandState) -> bool:
    """Take back what a merge of ours that was killed left staged; False where anything else is there too.

    Only an index that is exactly the merge's own tree, with no other change, is undone.
    """
    if state.phase.landed or not state.tree or git.text("rev-parse", "HEAD") not in {state.source, state.tip}:
        return False
    staged = git.run("write-tree")
    untouched = git.run("diff", "--quiet").code == 0 and not status(git).untracked
    if staged.code != 0 or staged.out.strip() != state.tree or not untouched:
        return False
    git.text("read-tree", "--reset", "-u", "HEAD")
    return True


def rebase(scene: Scene, base: str) -> str:
    """Replay the branch on ``base``; return its tip. Raises NotLanded on a conflict or for shared work."""
    head = scene.git.text("rev-parse", "HEAD")
    if scene.contains(head, base):
        return head
    _require_own(scene, base)
    # Should git die half way, the next run knows whose rebase it finds; the candidate on another base is void.
    scene.now(base=base, candidate="")
    merges = ("--rebase-merges",) if scene.request.rebase_merges else ()
    ended = scene.git.run(*_REBASE, *merges, base, timeout=None)
    return _rebased(scene, base, ended.code, spoken(ended))


def _undo_half_rebase(git: Git, git_dir: Path, state: LandState) -> bool:
    """Take back a rebase of ours that was killed; False where anything of its owner's may be in it.

    Only a worktree as git leaves it between two commits, on commits the branch holds too, is undone.
    """
    onto, branch = (_first_line(git_dir / "rebase-merge" / name) for name in ("onto", "orig-head"))
    if state.phase not in {Phase.FETCH, Phase.VERIFY} or onto != state.base or branch not in {state.source, state.tip}:
        return False
    staged, trees = git.run("write-tree"), git.lines("rev-parse", "HEAD^{tree}", f"{onto}^{{tree}}")
    if staged.code != 0 or staged.out.strip() not in trees or git.run("diff", "--quiet").code != 0:
        return False
    if any(line.startswith("+") for line in git.lines("cherry", branch, "HEAD", onto)):
        return False
    git.text("rebase", "--abort")
    return True


def _first_line(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def rebase_on(scene: Scene, base: str) -> str:
    """Go on with a rebase whose conflicts are resolved; return the branch's tip."""
    ended = scene.git.run("rebase", "--continue", timeout=None)
    return _rebased(scene, base, ended.code, spoken(ended))


def _rebased(scene: Scene, base: str, code: int, said: tuple[str, ...]) -> str:
    if code == 0:
        return scene.git.text("rev-parse", "HEAD")
    unmerged = status(scene.git).unmerged
    under_way = operation(scene.git, scene.plan.checkout.git_dir) is not None
    if under_way and (scene.request.abort_conflict or not unmerged):
        scene.git.text("rebase", "--abort")
    if not unmerged:
        raise NotLanded(
            "git rebase failed",
            why=said[-1] if said else f"exit code {code}",
            fix="mend what git says above, then: homelab work land",
            details=said,
        )
    if scene.request.abort_conflict:
        raise conflicted(scene, base, unmerged, left_open=False)
    scene.now(phase=Phase.CONFLICT, base=base)
    raise conflicted(scene, base, unmerged, left_open=True)


def _require_own(scene: Scene, base: str) -> None:
    """Refuse to rewrite what others may hold, or merges that a plain rebase would flatten."""
    source, name = scene.state.source, scene.plan.branch
    span = f"{base}..{source}"
    if not scene.request.rebase_merges and scene.git.lines("rev-list", "--merges", "--max-count=1", span):
        raise NotLanded(
            f"{name} holds merges, and a rebase would flatten them",
            why="the strategy is rebase",
            fix="homelab work land --rebase-merges, or: --strategy merge",
        )
    published = f"refs/remotes/{scene.plan.remote}/{name}"
    if scene.git.read("rev-parse", "--verify", "--quiet", published).code != 0:
        return
    me = scene.git.read("config", "--get", "user.email").out.strip() or scene.git.env.get("GIT_AUTHOR_EMAIL", "")
    others = set(scene.git.lines("log", "--format=%ae", f"{base}..{published}")) - {me}
    if others:
        raise NotLanded(
            f"{name} is on {scene.plan.remote} with commits by {', '.join(sorted(others))}",
            why="a rebase rewrites commits that others may build on",
            fix="homelab work land --strategy merge",
        )
