"""From a command line to a scene: the worktree looked at, the plan settled, the state found.

Layer: work domain; hands ``land`` everything it needs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from homelab.app import App
from homelab.errors import NotLanded, PersonNeeded
from homelab.events import Notice
from homelab.git.remote_end import RemoteEnd
from homelab.outcome import Outcome
from homelab.trust.approval import require
from homelab.work import backup, preflight, target, verify_command
from homelab.work.model import Checkout, LandRequest, LandState, Phase, Plan, Strategy, VerifyCommand
from homelab.work.scene import Scene
from homelab.work.state import StateFile


@dataclass(frozen=True, slots=True)
class Found:
    """What is here before anything was decided."""

    checkout: Checkout
    store: StateFile
    state: LandState | None


def find(app: App) -> Found:
    """Look at the worktree and at an unfinished land in it. Raises NotLanded."""
    preflight.require_git(app.git)
    preflight.require_worktree(app.git)
    store = StateFile.of(app.repository.git_dir)
    return Found(preflight.look(app.git, app.repository), store, store.load())


def scene_of(app: App, request: LandRequest, found: Found, state: LandState) -> Scene:
    """Return the scene of a land that is already under way, as its state describes it."""
    end = RemoteEnd(app.git, state.remote)
    plan = Plan(
        checkout=found.checkout,
        remote=state.remote,
        target=state.target,
        strategy=Strategy(state.strategy),
        command=None,
        branch=state.branch,
    )
    return _scene(app, request, found.store, plan, (end, state))


def settle_plan(app: App, request: LandRequest, found: Found) -> Scene:
    """Settle what will be landed where and how, and store that it began. Raises NotLanded, PersonNeeded."""
    end, plan = plan_land(app, request, found, approve=True)
    return _scene(app, request, found.store, plan, (end, _state(app, request, found, plan, end)))


def plan_land(app: App, request: LandRequest, found: Found, *, approve: bool) -> tuple[RemoteEnd, Plan]:
    """Return the remote and the plan; the first step that asks the network, and it changes nothing.

    ``approve`` asks for the approval of a repository's command. Raises NotLanded, PersonNeeded.
    """
    checkout, repository = found.checkout, app.repository
    settings = app.settings  # a broken configuration file ends here, before anything is asked
    how = strategy(app, request)
    # A rebase happens in the worktree, wherever its outcome is verified.
    preflight.require_landable(
        app.git, checkout, replace(request, scratch=request.scratch and how is not Strategy.REBASE)
    )
    preflight.require_large_files(app.git)
    command = verification(app, request, checkout.head, root=checkout.root, approve=approve)
    end = RemoteEnd(app.git, repository.remote(request.remote).name)
    for text in (*preflight.warnings(app.git, checkout), *([end.url.warning] if end.url.warning else [])):
        app.emit(Notice(about="work", text=text))
    if len(end.push_urls) > 1 and not request.all_push_urls:
        others = f"{end.name} has {len(end.push_urls)} push URLs; this lands on {end.url.shown} only (--all-push-urls)"
        app.emit(Notice(about="work", text=others))
    goal = target.choose(end, repository, wanted=request.into, configured=settings.repository.target)
    allowed = request.allow_target or (repository.config("homelab.allowTarget") or "").lower() in {"true", "1", "yes"}
    preflight.require_off_target(checkout, goal, allowed=allowed)
    plan = Plan(
        checkout=checkout,
        remote=end.name,
        target=goal,
        strategy=how,
        command=command,
        branch=request.branch_name or checkout.branch or "",
    )
    return end, plan


def strategy(app: App, request: LandRequest) -> Strategy:
    """Return the strategy: the flag's, git configuration's, the settings'; merge otherwise. Raises NotLanded."""
    name = request.strategy or app.repository.config("homelab.strategy") or app.settings.repository.strategy or "merge"
    try:
        return Strategy(name)
    except ValueError:
        raise NotLanded(
            f"{name!r} is no strategy",
            why="there are: " + ", ".join(Strategy),
            fix="git config homelab.strategy merge",
            outcome=Outcome.USAGE,
        ) from None


def verification(app: App, request: LandRequest, oid: str, *, root: Path, approve: bool = True) -> VerifyCommand | None:
    """Return the command for the tree of ``oid``, approved where the repository said it.

    Raises NotLanded where there is none, PersonNeeded where nobody approved it.
    """
    if request.no_verify:
        return None
    command = verify_command.choose(
        request,
        repository_file=verify_command.in_file(app.repository.text(oid, ".homelab.toml")),
        git_config=app.repository.config("homelab.verify"),
    )
    if command is None:
        raise verify_command.none_found(root)
    if command.origin == ".homelab.toml" and approve:
        require(app, command.text, yes=request.yes)
    return command


def require_same_judge(app: App, request: LandRequest, base: str, command: VerifyCommand | None) -> None:
    """Refuse, where nobody can be asked, a branch that changes the command it is judged by.

    An approval given by ``--yes`` in this run is not enough; one a person recorded before is.
    Raises PersonNeeded.
    """
    before = verify_command.in_file(app.repository.text(base, ".homelab.toml")) if base else None
    if command is None or command.origin == "flag" or before in {None, command.text}:
        return
    change = f"{before} → {command.text if command.origin == '.homelab.toml' else 'nothing'}"
    app.emit(Notice(about="verify", text=f"this branch changes the command it is judged by: {change}"))
    if request.yes and not request.accept_verify_change:
        raise PersonNeeded(
            "this branch changes the verification command it is judged by",
            why="--yes approves a command, not a change of the judge",
            fix="homelab trust, then: homelab work land; or: homelab work land --yes --accept-verify-change",
            details=(f"- {before}", f"+ {command.text}"),
        )


def lock_path(app: App, scene: Scene) -> Path:
    """Return the land lock of this remote and target: one for all clones of one user."""
    name = hashlib.sha256(f"{scene.end.identity} {scene.target}".encode()).hexdigest()[:32]
    return app.world.state_home / "locks" / f"land-{name}.lock"


def _scene(app: App, request: LandRequest, store: StateFile, plan: Plan, stage: tuple[RemoteEnd, LandState]) -> Scene:
    end, state = stage
    return Scene(
        git=app.git,
        end=end,
        clock=app.clock,
        emit=app.emit,
        request=request,
        plan=plan,
        store=store,
        state=state,
        verify_timeout=app.settings.timeouts.verify,
    )


def _state(app: App, request: LandRequest, found: Found, plan: Plan, end: RemoteEnd) -> LandState:
    """Return the unfinished land of this very branch, or a new one."""
    old, head = found.state, found.checkout.head
    same = old is not None and (old.remote, old.target, old.strategy, old.scratch) == (
        plan.remote,
        plan.target,
        plan.strategy.value,
        request.scratch,
    )
    if old is not None and same and not old.phase.landed and is_ours(app, old, head):
        return old
    run = f"{backup.stamp(app.clock)}-{head[:12]}"
    return LandState(
        run=run,
        phase=Phase.FETCH,
        remote=plan.remote,
        push_url=end.url.shown,
        target=plan.target,
        branch=plan.branch,
        strategy=plan.strategy.value,
        source=head,
        backup=backup.ref_of(plan.branch, run),
        scratch=request.scratch,
        verified=old.verified if old is not None and same else (),
        pushed_ref=old.pushed_ref if old is not None and same and old.branch == plan.branch else "",
        pushed_oid=old.pushed_oid if old is not None and same and old.branch == plan.branch else "",
    )


def is_ours(app: App, old: LandState, head: str) -> bool:
    """Say whether ``head`` is the land's own work: its source, its tip, or merges of the target on top."""
    if head in {old.source, old.tip}:
        return True
    if old.strategy == Strategy.REBASE.value:
        return False
    name = old.target.removeprefix("refs/heads/")
    seen = app.git.read("rev-parse", "--verify", "--quiet", f"refs/homelab/seen/{old.remote}/{name}").out.strip()
    chain = app.git.lines("rev-list", "--first-parent", "--parents", "--max-count=50", f"{old.source}..{head}")
    if not seen or not chain or chain[-1].split()[1:2] != [old.source]:
        return False
    return all(_merges(app, line, seen) for line in chain)


def _merges(app: App, line: str, seen: str) -> bool:
    """Say whether a line of ``rev-list --parents`` is a merge of something the target has."""
    _, _, *others = line.split()
    return len(others) == 1 and app.git.read("merge-base", "--is-ancestor", others[0], seen).code == 0
