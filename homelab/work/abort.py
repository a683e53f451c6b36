"""``work land --abort``: takes an unfinished land back, when nothing of it reached the target.

The branch returns to where its backup ref is; commits made since are never dropped.
Layer: work domain.
"""

from __future__ import annotations

from homelab.app import App
from homelab.errors import HomelabError, NotLanded
from homelab.git.runner import failed
from homelab.outcome import Outcome
from homelab.work import bring
from homelab.work.events import short
from homelab.work.follow import RESUME
from homelab.work.model import LandRequest, LandState, Phase, Strategy
from homelab.work.prepare import Found, find, is_ours, scene_of
from homelab.work.reconcile import arrived
from homelab.work.result import LandResult, failure
from homelab.work.settled import settle


def abort(app: App) -> LandResult:
    """Restore the branch and forget the land; an answer like every land's, never an exception."""
    state: LandState | None = None
    try:
        found = find(app)
        state = found.state
        if state is None:
            return _answer("there is no unfinished land here; nothing was changed", None)
        _require_not_landed(app, found, state)
        _restore(app, found, state)
        app.git.run("update-ref", "-d", f"refs/homelab/candidate/{state.run}")
        found.store.clear()
        return _answer(f"taken back; {state.branch} is at {short(state.source)} again", state)
    except HomelabError as error:
        phase, target = (state.phase, state.target) if state else (Phase.PREFLIGHT, "")
        return failure(error, phase=phase, state=state, target=target.removeprefix("refs/heads/"))


def _answer(headline: str, state: LandState | None) -> LandResult:
    name = state.pushed_ref.removeprefix("refs/heads/") if state else ""
    left = f"{name} stays on {state.remote}" if state and name else ""
    return LandResult(Outcome.DONE, headline, kind="aborted", state=state, why=left)


def _require_not_landed(app: App, found: Found, state: LandState) -> None:
    """What may have been pushed is asked for first. Raises NotLanded, LandUnknown."""
    if state.phase is Phase.PUSH:
        scene = scene_of(app, LandRequest(), found, state)
        if arrived(scene, doubtful=True):
            settle(scene, before=True)
            state = scene.state
    if state.phase.landed:
        raise NotLanded(
            f"{short(state.landed)} is on {state.target.removeprefix('refs/heads/')} already",
            why="what has landed is not taken back by forgetting it",
            fix=f"{RESUME}, or: homelab work revert {state.landed}",
        )


def _restore(app: App, found: Found, state: LandState) -> None:
    git, git_dir = app.git, found.checkout.git_dir
    if state.scratch:
        return
    if (git_dir / "rebase-merge").is_dir() and state.strategy == Strategy.REBASE.value:
        git.text("rebase", "--abort")
    elif git.read("rev-parse", "--verify", "--quiet", "MERGE_HEAD").out.strip() == state.base != "":
        git.text("merge", "--abort")
    head = git.text("rev-parse", "HEAD")
    if head == state.source:
        bring.undo_half_merge(git, state)
        return
    if not is_ours(app, state, head):
        raise NotLanded(
            f"{state.branch} has commits of its own since the land began",
            why=f"going back to {short(state.source)} would drop them",
            fix=f"look: git log {short(state.source)}..HEAD; the state before is kept in {state.backup}",
        )
    # --keep refuses where it would overwrite a change that is not committed.
    ended = git.run("reset", "--keep", "--quiet", state.source)
    if ended.code != 0:
        raise failed(ended, fix="commit or undo the changes here, then: homelab work land --abort")
