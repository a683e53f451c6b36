"""Makes base and branch one commit, by the chosen strategy; the base is always its first parent.

Merging the base *into* the branch and pushing that would make the old target the second parent and
break every reader of first-parent history. So the branch keeps its own merge, whose tree is
verified, and the target gets a commit of the same tree with the parents the other way round.
Layer: work domain.
"""

from __future__ import annotations

from dataclasses import dataclass

from homelab.errors import NotLanded
from homelab.outcome import Outcome
from homelab.work import bring, submodules
from homelab.work.commit import commit_tree, merge_message, squash_message
from homelab.work.compare import probe
from homelab.work.conflict import conflicted
from homelab.work.events import BranchIntegrated
from homelab.work.model import Phase, Strategy
from homelab.work.scene import Scene


@dataclass(frozen=True, slots=True)
class Integrated:
    """The branch's tip after integration, the commit to push, and the tree of both."""

    tip: str
    candidate: str
    tree: str


def integrate(scene: Scene, base: str) -> Integrated:
    """Integrate ``base``; store and return what came of it. Raises NotLanded on a conflict."""
    state = scene.state
    stored = state.phase in {Phase.VERIFY, Phase.STAGED, Phase.PUSH} and bool(state.candidate)
    again = stored and state.base == base and not _moved(scene)
    # Before the first change: wherever this ends, the branch as it was has a name.
    scene.git.text("update-ref", state.backup, state.source)
    made = Integrated(state.tip, state.candidate, state.tree) if again else _make(scene, base)
    if not scene.request.scratch and submodules.initialised(scene.git):
        submodules.update(scene.git)
    # The commit is held by a ref: it must survive a clean-up until the land is over.
    scene.git.text("update-ref", f"refs/homelab/candidate/{state.run}", made.candidate)
    scene.now(phase=Phase.VERIFY, base=base, tip=made.tip, candidate=made.candidate, tree=made.tree)
    scene.emit(
        BranchIntegrated(
            strategy=scene.plan.strategy.value,
            base=base,
            source=state.source,
            candidate=made.candidate,
            tree=made.tree,
        )
    )
    return made


def _moved(scene: Scene) -> bool:
    return not scene.request.scratch and scene.git.text("rev-parse", "HEAD") != scene.state.tip


def _make(scene: Scene, base: str) -> Integrated:
    source = scene.state.source
    if not base:
        return Integrated(tip=source, candidate=source, tree=scene.tree(source))
    if scene.plan.strategy is Strategy.FF_ONLY:
        return _ff_only(scene, base)
    if scene.plan.strategy is Strategy.REBASE:
        tip = bring.rebase(scene, base)
        return Integrated(tip=tip, candidate=tip, tree=scene.tree(tip))
    tip, tree = _merged(scene, base)
    if scene.plan.strategy is Strategy.SQUASH:
        message = squash_message(scene, base, source)
        return Integrated(tip, commit_tree(scene, tree, base, message=message), tree)
    if tree == scene.tree(source) and scene.contains(source, base) and _forwards(scene, base):
        return Integrated(tip, source, tree)
    return Integrated(tip, commit_tree(scene, tree, base, source, message=merge_message(scene)), tree)


def _ff_only(scene: Scene, base: str) -> Integrated:
    source = scene.state.source
    if not scene.contains(source, base):
        raise NotLanded(
            f"{scene.plan.branch} does not build on {scene.plan.target_name} as it is now",
            why="the strategy is ff-only: nothing is merged or rebased for you",
            fix=f"git rebase {base[:12]}, then: homelab work land; or: --strategy merge",
            outcome=Outcome.PRECONDITION,
        )
    return Integrated(tip=source, candidate=source, tree=scene.tree(source))


def _merged(scene: Scene, base: str) -> tuple[str, str]:
    """Return the branch's tip that holds ``base``, and its tree; in scratch mode nothing moves."""
    if scene.request.scratch:
        found = probe(scene, base, scene.state.source)
        if found.conflicts:
            raise conflicted(scene, base, found.conflicts, left_open=False)
        return scene.state.source, found.tree
    tip = bring.merge(scene, base)
    return tip, scene.tree(tip)


def _forwards(scene: Scene, base: str) -> bool:
    """Say whether pushing the branch itself keeps the target on the first-parent chain."""
    if (scene.git.read("config", "--get", "homelab.ff").out.strip() or "auto") != "auto":
        return False
    chain = scene.git.lines("rev-list", "--first-parent", "--parents", f"{base}..{scene.state.source}")
    return bool(chain) and chain[-1].split()[1:2] == [base]
