"""The pre-push hook: lets a land's own push pass, and judges a push to the target that goes around it.

Never pushes, fetches or lands. Layer: work domain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homelab.app import App
from homelab.errors import NotLanded, OurBug
from homelab.git import child
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.work.hook_lines import PushedRef, parse
from homelab.work.local_target import known
from homelab.work.model import LandRequest
from homelab.work.prepare import verification
from homelab.work.state import StateFile
from homelab.work.verify import Run
from homelab.work.worktrees import status

_DEPTH = "HOMELAB_HOOK_DEPTH"
_HOOK_TIMEOUT = 3600.0


@dataclass(frozen=True, slots=True)
class Passed(Result):
    """The push may go on."""

    def record(self) -> dict[str, Any]:
        """Return that it passed."""
        return {"passed": True}


def run(app: App, remote: str, _url: str, stdin: str) -> Passed:
    """Judge what git is about to push to ``remote``. Raises NotLanded where it must not go on."""
    env = app.world.env
    if env.get(_DEPTH):
        return Passed(Outcome.DONE, "inside another run of this hook")
    _legacy(app, remote, _url, stdin)
    target = known(app, remote=remote if _is_name(app, remote) else None)
    aimed = [ref for ref in parse(stdin) if ref.remote_ref == f"refs/heads/{target.name}" and not ref.deletes]
    if not aimed:
        return Passed(Outcome.DONE, "nothing is pushed to the target")
    if _is_land(app, remote, aimed, env.get("HOMELAB_LAND_TOKEN", "")):
        return Passed(Outcome.DONE, "a land pushes what it verified")
    return _judge(app, aimed[0], target.name or "")


def _legacy(app: App, remote: str, url: str, stdin: str) -> None:
    """Run the hook that was here before ours with its own copy of the input. Raises NotLanded."""
    hook = app.world.env.get("HOMELAB_HOOK", "")
    path = Path(hook + ".legacy")
    if not hook or not path.is_file():
        return
    # git gave the hook its own variables; the one that was here before gets them unchanged.
    order = child.Order(
        argv=(str(path.resolve()), remote, url),
        cwd=app.world.cwd,
        env=app.world.env,
        timeout=_HOOK_TIMEOUT,
        stdin=stdin.encode(),
    )
    ended = child.run(order)
    if ended.code != 0:
        raise NotLanded(
            f"{path} declined the push",
            why=f"exit code {ended.code}",
            fix="mend what it says",
            details=tuple((ended.err + ended.out).splitlines()[-20:]),
            outcome=Outcome.PUSH_POLICY,
        )


def _is_name(app: App, remote: str) -> bool:
    return app.git.read("config", "--get", f"remote.{remote}.url").code == 0


def _is_land(app: App, remote: str, aimed: Sequence[PushedRef], token: str) -> bool:
    """Say whether this is the very push a stored land announced; the variable alone proves nothing."""
    state = StateFile.of(app.repository.git_dir).load() if token else None
    return state is not None and all(
        (state.run, state.target, state.candidate) == (token, ref.remote_ref, ref.local_oid)
        and remote in {state.remote, "homelab-push"}
        for ref in aimed
    )


def _judge(app: App, ref: PushedRef, target: str) -> Passed:
    """Verify a push around ``work land`` where what is checked out is what is pushed. Raises NotLanded."""
    git = app.git
    head = git.text("rev-parse", "HEAD")
    if ref.local_oid != head or not status(git).clean:
        raise NotLanded(
            f"this push to {target} was not verified",
            why="what is pushed is not what is checked out clean here, so it cannot be verified here",
            fix="homelab work land (or push another branch)",
        )
    command = verification(app, LandRequest(), head, root=app.repository.root)
    if command is None:
        raise OurBug("a hook without a command to run", why="no flag can skip it here", fix="homelab work land")
    verifying = Run(
        command,
        folder=git.root,
        log=StateFile.of(app.repository.git_dir).folder / "hook.log",
        env={**git.env, _DEPTH: "1"},
        timeout=app.settings.timeouts.verify,
        clock=app.clock,
        emit=app.emit,
    )
    verifying.judge(verifying.execute())
    if git.text("rev-parse", "HEAD") != head or not status(git).clean:
        raise NotLanded(
            "the verification command changed the worktree",
            why="what passed is not what would be pushed",
            fix="commit or ignore what it writes, then push again; or: homelab work land --verify-in scratch",
            outcome=Outcome.VERIFY_FAILED,
        )
    return Passed(Outcome.DONE, f"verified: {command.shown}")
