"""What is done once the remote shows the commit: refs that follow, and the record of it.

Nothing here can make a landed change unlanded, so nothing here may fail the command.
Layer: work domain.
"""

from __future__ import annotations

from pathlib import Path

from homelab.errors import HomelabError
from homelab.events import Notice
from homelab.git.redact import redact
from homelab.git.runner import reason
from homelab.work import landed
from homelab.work.events import Landed, short
from homelab.work.model import Phase
from homelab.work.scene import Scene
from homelab.work.worktrees import operation, status, worktrees


def settle(scene: Scene, *, before: bool = False) -> None:
    """Store that the candidate landed, say it, and let local refs follow."""
    state = scene.now(phase=Phase.CI, landed=scene.state.candidate)
    scene.emit(Landed(target=scene.plan.target_name, landed=state.landed, base=state.base, before=before))
    pair = landed.Pair(
        branch=state.branch,
        source=state.source,
        tip=state.tip,
        landed=state.landed,
        target=state.target,
        remote=state.remote,
        at=scene.clock.now(),
        base=state.base,
    )
    try:
        landed.record(scene.plan.checkout.common_dir, pair)
        _follow(scene)
        push_elsewhere(scene)
    except (HomelabError, OSError) as trouble:
        scene.emit(Notice(about="work", text=f"landed, but a local ref did not follow: {trouble}"))


def _follow(scene: Scene) -> None:
    oid = scene.state.landed
    _drop(scene, f"refs/homelab/candidate/{scene.state.run}")
    scene.git.run("update-ref", scene.seen, oid)
    _tracking(scene, oid)
    _local_target(scene, oid)


def push_elsewhere(scene: Scene) -> None:
    """Push what landed to the remote's other push URLs, where that was asked for, and say how each went."""
    for url in scene.end.push_urls[1:] if scene.request.all_push_urls else ():
        ended = scene.end.push_to(url, f"{scene.state.landed}:{scene.target}")
        went = "has it too" if ended.code == 0 else "did NOT take it: " + reason(ended)
        scene.emit(Notice(about="work", text=f"{redact(url)} {went}"))


def _drop(scene: Scene, ref: str) -> None:
    scene.git.run("update-ref", "-d", ref)


def _tracking(scene: Scene, oid: str) -> None:
    remote, name = scene.plan.remote, scene.plan.target_name
    specs = scene.git.read("config", "--get-all", f"remote.{remote}.fetch").out
    ref = f"refs/remotes/{remote}/{name}"
    old = scene.git.read("rev-parse", "--verify", "--quiet", ref).out.strip()
    if f":refs/remotes/{remote}/*" in specs and (not old or scene.contains(oid, old)):
        scene.git.text("update-ref", "-m", "homelab: landed", ref, oid, *([old] if old else []))


def _local_target(scene: Scene, oid: str) -> None:
    """Fast-forward the local target branch where nobody works on it; else say how far behind it is."""
    ref = scene.target
    old = scene.git.read("rev-parse", "--verify", "--quiet", ref).out.strip()
    if not old or old == oid:
        return
    name = scene.plan.target_name
    behind = scene.git.text("rev-list", "--count", f"{old}..{oid}")
    if scene.contains(oid, old):
        holders = [tree for tree in worktrees(scene.git) if tree.branch == name and not tree.bare]
        if not holders:
            scene.git.text("update-ref", "-m", "homelab: landed", ref, oid, old)
            return
        there = scene.git.at(holders[0].path)
        git_dir = there.text("rev-parse", "--path-format=absolute", "--absolute-git-dir")
        if not status(there).changed and operation(there, Path(git_dir)) is None:
            ended = there.run("merge", "--ff-only", "--no-autostash", "--quiet", oid)
            if ended.code == 0:
                return
    scene.emit(Notice(about="work", text=f"local {name} is {behind} behind {short(oid)}; it was left alone"))
