"""A protected target: pushes the branch for a pull request instead, and says where to open it.

Layer: work domain.
"""

from __future__ import annotations

from collections.abc import Callable

from homelab.errors import HomelabError, NotLanded
from homelab.git.classify import PushClass, Verdict
from homelab.outcome import Outcome
from homelab.work.events import BranchPushed, short
from homelab.work.pull_request import address
from homelab.work.push import judge, recurse, refused
from homelab.work.scene import Scene

#: Opens a pull request of a branch and returns its page.
Opener = Callable[[str], str]


def fall_back(scene: Scene, verdict: Verdict, opener: Opener | None) -> NotLanded:
    """Push the branch; return the error that names it. Raises NotLanded when that is declined too."""
    ref, said = push_branch(scene, scene.state.tip or scene.state.source)
    name = ref.removeprefix("refs/heads/")
    url, opened = address(scene, name, (*said, *verdict.remote_said)), ""
    if opener is not None:
        try:
            url, opened = opener(name), "it is open"
        except HomelabError as error:
            opened = f"no pull request was opened: {error.what} ({error.why}); {error.fix}"
    staged = verdict.kind is PushClass.NEEDS_CHECKS
    how = "homelab work land --staged waits for its checks and lands the same commit" if staged else ""
    return NotLanded(
        f"{scene.plan.target_name} is protected; the branch was pushed as {name}",
        why=verdict.reason,
        fix=_next(name, url, how, is_open=opened == "it is open"),
        details=(*verdict.remote_said, *(line for line in (opened, how if url else "") if line)),
        outcome=Outcome.PROTECTED,
    )


def _next(name: str, url: str, how: str, *, is_open: bool) -> str:
    if is_open:
        return f"merge the pull request: {url}"
    return f"open a pull request: {url}" if url else how or f"open a pull request of {name}"


def push_branch(scene: Scene, oid: str) -> tuple[str, tuple[str, ...]]:
    """Push ``oid`` as the branch, widening no lease; return its full ref and what the server said."""
    for ref in (f"refs/heads/{scene.plan.branch}", f"refs/heads/{scene.plan.branch}-{short(oid)}"):
        there = scene.end.tip(ref).oid
        lease = _lease(scene, ref, there, oid)
        if lease is None:
            continue
        ended = scene.end.push(
            f"{oid}:{ref}", *recurse(scene), *lease, extra_env={"HOMELAB_LAND_TOKEN": scene.state.run}
        )
        verdict = judge(scene, ended, ref)
        if verdict.kind is not PushClass.CLAIMED and scene.end.tip(ref).oid != oid:
            raise refused(scene, ended, verdict)
        scene.now(pushed_ref=ref, pushed_oid=oid)
        scene.emit(BranchPushed(ref=ref, oid=oid))
        return ref, verdict.remote_said
    raise NotLanded(
        f"{scene.plan.branch} on {scene.plan.remote} has other commits",
        why="they are not ours to replace",
        fix="homelab work land --branch-name <another>",
        outcome=Outcome.PROTECTED,
    )


def _lease(scene: Scene, ref: str, there: str | None, oid: str) -> tuple[str, ...] | None:
    """Return the push options under which ``ref`` may move; None when it may not."""
    if there is None or there == oid:
        return ()
    known = scene.git.read("cat-file", "-e", f"{there}^{{commit}}").code == 0
    if known and scene.contains(oid, there):
        return ()
    if (scene.state.pushed_ref, scene.state.pushed_oid) == (ref, there):
        return (f"--force-with-lease={ref}:{there}",)
    return None
