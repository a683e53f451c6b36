"""``work land``: from a branch to "the remote shows it", then CI, then the rollout.

The phases are in their own modules; this one is their order. Every end is a result whose first
line says whether the target moved. Layer: work domain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from homelab.app import App
from homelab.errors import HomelabError, Interrupted, LandUnknown, NotLanded
from homelab.events import Notice
from homelab.forge.connect import connect
from homelab.forge.model import Request
from homelab.git import lock
from homelab.outcome import Outcome
from homelab.work import bring, landed
from homelab.work.compare import Comparison, compare
from homelab.work.conflict import require_resolved
from homelab.work.events import RaceLost, short
from homelab.work.fallback import Opener, fall_back
from homelab.work.fetch import fetch_base, require_shared_history
from homelab.work.follow import RESUME, Waits, follow
from homelab.work.integrate import integrate
from homelab.work.model import LandRequest, LandState, Phase, Strategy
from homelab.work.prepare import Found, find, lock_path, require_same_judge, scene_of, settle_plan, verification
from homelab.work.push import Pushed, push
from homelab.work.reconcile import arrived
from homelab.work.result import LandResult, failure
from homelab.work.scene import Scene
from homelab.work.settled import settle
from homelab.work.stage import stage, wait_for_green
from homelab.work.verify import verify
from homelab.work.worktrees import operation

_AGENT_WAITS = 60.0
_PERSON_WAITS = 600.0


@dataclass(slots=True)
class _Trail:
    """How far a land got, for the answer when it ends early."""

    scene: Scene | None = None


def land(app: App, request: LandRequest, waits: Waits) -> LandResult:
    """Land the current branch and follow it; never raises for what a land can meet, only for our bugs."""
    trail = _Trail()
    try:
        ended = _reach_landed(app, request, waits, trail)
    except (HomelabError, KeyboardInterrupt) as stop:
        scene = trail.scene
        if scene is not None and scene.state.phase is Phase.PUSH:
            stop = _ask_after(stop, scene)
        if scene is None or not scene.state.phase.landed:
            return _not_landed(stop, scene)
        if isinstance(stop, (KeyboardInterrupt, Interrupted)):
            scene.interruption = stop
    if trail.scene is None or not trail.scene.state.phase.landed:
        assert ended is not None
        return ended
    try:
        return follow(trail.scene, waits)
    except (Interrupted, KeyboardInterrupt) as stop:
        trail.scene.interruption = stop
        return follow(trail.scene, waits)


def _ask_after(stop: HomelabError | KeyboardInterrupt, scene: Scene) -> HomelabError | KeyboardInterrupt:
    """Ask the remote after a signal that came around the push; return what ends the land then."""
    if not isinstance(stop, (KeyboardInterrupt, Interrupted)):
        return stop
    try:
        if arrived(scene, doubtful=True):
            settle(scene)
    except (HomelabError, KeyboardInterrupt) as unknown:
        if isinstance(unknown, LandUnknown):
            return unknown
        return LandUnknown(
            f"interrupted while {short(scene.state.candidate)} was on its way",
            why="the remote was not asked whether it arrived",
            fix=f"{RESUME}  (it asks first; do not land by hand)",
        )
    return stop


def _reach_landed(app: App, request: LandRequest, waits: Waits, trail: _Trail) -> LandResult | None:
    """Bring the change to the target; return an answer only where there is nothing to follow."""
    found = find(app)
    found = _continue_unfinished(app, request, found, trail)
    if trail.scene is not None and trail.scene.state.phase.landed:
        return None
    if request.resume and found.state is None:
        raise NotLanded(
            "there is no unfinished land here",
            why="no state is stored for this worktree",
            fix="homelab work land",
            outcome=Outcome.USAGE,
        )
    scene = trail.scene = settle_plan(app, request, found)
    blind = waits.blind(scene.plan.remote) if request.ci else ""
    if blind:
        app.emit(Notice(about="ci", text=f"{blind}; after landing this ends with {int(Outcome.CI_UNSEEN)}"))
    scene.now(staged=request.staged or scene.state.staged)
    while True:
        with lock.held(
            lock_path(app, scene),
            clock=app.clock,
            place=str(scene.plan.checkout.root),
            timeout=_patience(app, request),
            waiting=lambda holder: not app.world.interactive or app.ask(f"{holder} is landing; wait for it?"),
        ):
            ended = _rounds(app, scene)
        if scene.state.phase is not Phase.STAGED:
            return ended
        # Nobody else waits for our CI: the lock is not held here.
        wait_for_green(scene, waits)


def _patience(app: App, request: LandRequest) -> float:
    if request.lock_timeout is not None:
        return request.lock_timeout
    return _PERSON_WAITS if app.world.interactive else _AGENT_WAITS


def _rounds(app: App, scene: Scene) -> LandResult | None:
    """Fetch, integrate, verify and push until the remote shows the change or says why not."""
    # The round after a staged branch was green is no race, so it costs no attempt.
    staged = scene.state.phase is Phase.STAGED
    before = scene.state.attempts if staged else 0
    for attempt in range(before + 1, scene.request.attempts + 1 + staged):
        scene.now(attempts=attempt)
        base = fetch_base(scene)
        if attempt > before + 1:
            _tell_race(scene, base, attempt - 1)
        if base:
            require_shared_history(scene, base)
        already = _already(scene, base, compare(scene, base))
        if already is not None or scene.state.phase.landed:
            return already
        integrate(scene, base)
        _recheck_command(app, scene, base)
        verify(scene)
        if scene.state.staged and scene.state.green != scene.state.candidate:
            stage(scene)
            return None
        pushed, verdict = push(scene)
        if pushed is Pushed.LANDED:
            settle(scene)
            return None
        if pushed is Pushed.PROTECTED:
            raise fall_back(scene, verdict, _opener(app, scene))
    raise NotLanded(
        f"others landed first, {scene.request.attempts} times in a row",
        why=f"{scene.plan.target_name} kept moving while this branch was verified",
        fix="homelab work land, or: --attempts <more>",
        outcome=Outcome.RACE_LOST,
    )


def _opener(app: App, scene: Scene) -> Opener | None:
    if not scene.request.open_pr:
        return None
    title = scene.git.text("log", "-1", "--format=%s", scene.state.source)

    def opener(branch: str) -> str:
        return connect(app, scene.end.url).open_request(Request(branch, scene.plan.target_name, title))

    return opener


def _tell_race(scene: Scene, base: str, attempt: int) -> None:
    """Say who landed between two attempts."""
    old = scene.state.base
    span = f"{old}..{base}" if old else base
    by = tuple(scene.git.lines("log", "--max-count=3", "--format=%h %an: %s", span)) if base != old else ()
    scene.emit(RaceLost(attempt=attempt, attempts=scene.request.attempts, base=old, tip=base, by=by))


def _recheck_command(app: App, scene: Scene, base: str) -> None:
    """Take the command of the tree to be verified: the target may have brought another one."""
    if scene.plan.command is not None and scene.plan.command.origin == ".homelab.toml":
        command = verification(app, scene.request, scene.state.candidate, root=scene.plan.checkout.root)
        scene.plan = replace(scene.plan, command=command)
    require_same_judge(app, scene.request, base, scene.plan.command)


def _already(scene: Scene, base: str, comparison: Comparison) -> LandResult | None:
    """Return the answer where there is nothing to push; settle a candidate that turns out to be there."""
    if comparison is Comparison.AHEAD:
        return None
    state, target = scene.state, scene.plan.target_name
    if comparison is Comparison.CONTAINED and state.candidate and scene.contains(base, state.candidate):
        settle(scene, before=True)
        return None
    scene.store.clear()
    scene.git.run("update-ref", "-d", state.backup, state.source)
    if comparison is Comparison.NOTHING:
        return LandResult(
            outcome=Outcome.DONE,
            headline=f"nothing to land: {scene.plan.branch} has no commits beyond {target}",
            kind="nothing",
            target=target,
        )
    pair = landed.find(scene.plan.checkout.common_dir, state.source)
    oid = pair.landed if pair is not None and scene.contains(base, pair.landed) else base
    return LandResult(
        outcome=Outcome.DONE,
        headline=f"{scene.plan.branch} is in {target} already ({comparison.value})",
        landed=True,
        kind="already",
        target=target,
        landed_oid=oid,
        next=(f"homelab ci watch {short(oid)}",),
    )


def _continue_unfinished(app: App, request: LandRequest, found: Found, trail: _Trail) -> Found:
    """Take up a land that ended half way: follow what landed, ask about what was pushed, close what was resolved."""
    state = found.state
    if state is None:
        return found
    ours = request.resume or found.checkout.head in {state.tip, state.source}
    if state.phase in {Phase.CI, Phase.DEPLOY}:
        if ours:
            trail.scene = scene_of(app, request, found, state)
        else:
            text = f"{short(state.landed)} landed from here before and was not watched to its end"
            app.emit(Notice(about="work", text=text))
        return found
    if state.phase is Phase.PUSH:
        scene = scene_of(app, request, found, state)
        if arrived(scene, doubtful=False):
            settle(scene, before=True)
            if ours:
                trail.scene = scene
        return found
    if state.phase is Phase.CONFLICT or (state.base and _merging(app) == state.base):
        return _conclude(app, request, found, state)
    return find(app) if bring.undo_half_made(app.git, found.checkout, state) else found


def _conclude(app: App, request: LandRequest, found: Found, state: LandState) -> Found:
    """Commit a merge, or go on with a rebase, whose conflicts its owner has resolved."""
    git, git_dir = app.git, found.checkout.git_dir
    rebasing = state.strategy == Strategy.REBASE.value
    merging = _merging(app)
    if not ((git_dir / "rebase-merge").is_dir() if rebasing else merging):
        return found
    require_resolved(git, git_dir, state)
    if merging and git.read("merge-base", "--is-ancestor", merging, "HEAD").code == 0:
        git.text("merge", "--quit")  # the commit was made; git died before it said so
        return find(app)
    if rebasing:
        bring.rebase_on(scene_of(app, request, found, state), state.base)
    else:
        git.text("commit", "--no-edit", "--quiet")
    return find(app)


def _merging(app: App) -> str:
    """Return the commit that is being merged here, or ""."""
    return app.git.read("rev-parse", "--verify", "--quiet", "MERGE_HEAD").out.strip()


def _not_landed(stop: HomelabError | KeyboardInterrupt, scene: Scene | None) -> LandResult:
    """Turn whatever ended the land into its answer; a land that changed nothing leaves nothing."""
    if scene is not None and scene.state.phase is Phase.FETCH and not _changed(scene):
        scene.store.clear()
    error = stop if isinstance(stop, HomelabError) else _interrupted()
    if isinstance(error, Interrupted):
        error.fix = RESUME if scene is not None else "homelab work land"
    return failure(
        error,
        phase=scene.state.phase if scene else Phase.PREFLIGHT,
        state=scene.state if scene else None,
        target=scene.plan.target_name if scene else "",
    )


def _changed(scene: Scene) -> bool:
    head = scene.git.read("rev-parse", "HEAD").out.strip()
    return head != scene.state.source or operation(scene.git, scene.plan.checkout.git_dir) is not None


def _interrupted() -> Interrupted:
    return Interrupted("interrupted before anything was pushed", why="Ctrl-C (SIGINT)", fix=RESUME)
