"""What the branch brings that the target does not hold yet. Layer: work domain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from homelab.git.runner import failed
from homelab.work import landed
from homelab.work.scene import Scene


class Comparison(StrEnum):
    """What is left to land."""

    AHEAD = "ahead"
    #: The branch has no commit beyond the target.
    NOTHING = "nothing"
    #: The branch's commits are in the target.
    CONTAINED = "contained"
    #: The target has the branch's content under other commits: squashed, rebased, merged.
    SAME_CONTENT = "same content"


def compare(scene: Scene, base: str) -> Comparison:
    """Compare the branch with ``base``."""
    source, candidate = scene.state.source, scene.state.candidate
    if not base:
        return Comparison.AHEAD
    if candidate and scene.state.tip and scene.contains(base, candidate):
        return Comparison.CONTAINED
    if scene.contains(base, source):
        return Comparison.NOTHING if _of_the_target(scene, base, source) else Comparison.CONTAINED
    if not scene.request.allow_empty and probe(scene, base, source).tree == scene.tree(base):
        return Comparison.SAME_CONTENT
    return Comparison.AHEAD


def _of_the_target(scene: Scene, base: str, source: str) -> bool:
    """Say whether ``source`` is one of the target's own commits: the branch never left it."""
    if landed.find(scene.plan.checkout.common_dir, source) is not None:
        return False
    return source in scene.git.lines("rev-list", "--first-parent", "--max-count=50000", base)


@dataclass(frozen=True, slots=True)
class Probe:
    """A merge tried without touching a file: its tree, and the paths that conflict (none when clean)."""

    tree: str
    conflicts: tuple[str, ...]


def probe(scene: Scene, base: str, source: str) -> Probe:
    """Merge ``source`` and ``base`` in memory. Raises GitFailed when git cannot."""
    ended = scene.git.read("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", base, source)
    if ended.code not in {0, 1}:
        raise failed(ended)
    tree, *paths = [part for part in ended.out.split("\0") if part]
    return Probe(tree, tuple(dict.fromkeys(paths)) if ended.code == 1 else ())
