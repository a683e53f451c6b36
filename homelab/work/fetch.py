"""Brings the target's commit here and looks at what became of it since last time.

Layer: work domain.
"""

from __future__ import annotations

from shlex import quote

from homelab.errors import NotLanded
from homelab.events import Notice
from homelab.git.child import Ended
from homelab.git.classify import PushClass, transport
from homelab.git.runner import failed, reason, spoken
from homelab.outcome import Outcome
from homelab.work.events import BaseFetched, NetworkRetried, short
from homelab.work.scene import Scene

_TRIES = 3
_PAUSES = (1.0, 3.0)
_DEEPEN = ("--deepen=100", "--deepen=2000")


def fetch_base(scene: Scene) -> str:
    """Return the target's commit on the remote, now here; "" where the target is to be created.

    Raises NotLanded: denied, unreachable, absent, or rewound by force.
    """
    before = scene.git.read("rev-parse", "--verify", "--quiet", scene.seen).out.strip() or _tracking(scene)
    incoming = f"refs/homelab/incoming/{scene.state.run}"
    ended = _fetch(scene, incoming)
    if ended is None:
        return _absent(scene)
    base = scene.git.text("rev-parse", "--verify", incoming)
    scene.git.text("update-ref", "-d", incoming)
    _look_for_rewind(scene, before, base)
    scene.git.text("update-ref", scene.seen, base)
    if base != scene.state.base:
        scene.emit(BaseFetched(target=scene.plan.target_name, base=base))
    return base


def _fetch(scene: Scene, into: str) -> Ended | None:
    """Return the fetch that worked, or None when the remote has no such branch."""
    for attempt in range(1, _TRIES + 1):
        ended = scene.end.fetch(scene.target, into)
        if ended.code == 0:
            return ended
        if "couldn't find remote ref" in ended.err:
            return None
        kind = transport(ended.err)
        if kind is PushClass.UNKNOWN and not ended.timed_out:
            raise failed(ended, fix=f"git fetch {quote(scene.plan.remote)}")
        if kind is PushClass.AUTH or attempt == _TRIES:
            raise unreached(scene, ended, "fetch")
        pause = _PAUSES[attempt - 1]
        scene.emit(NetworkRetried(what="fetch", why=reason(ended), attempt=attempt, pause=pause))
        scene.clock.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def unreached(scene: Scene, ended: Ended, what: str) -> NotLanded:
    """Return the error for a server that denied or did not answer, in git's own words."""
    said = spoken(ended)
    denied = transport(ended.err) is PushClass.AUTH
    return NotLanded(
        f"{scene.end.url.shown} {'denied the ' + what if denied else 'could not be reached'}",
        why=reason(ended),
        fix=f"git ls-remote {quote(scene.plan.remote)}, mend what it says, then: homelab work land",
        details=said,
        outcome=Outcome.PUSH_DENIED if denied else Outcome.PUSH_NETWORK,
    )


def _absent(scene: Scene) -> str:
    if scene.request.create_target:
        return ""
    raise NotLanded(
        f"{scene.end.url.shown} has no branch {scene.plan.target_name}",
        why="it was renamed or never created; a land does not create it by accident",
        fix=f"homelab work land --into <branch>, or: --into {quote(scene.plan.target_name)} --create-target",
    )


def _tracking(scene: Scene) -> str:
    ref = f"refs/remotes/{scene.plan.remote}/{scene.plan.target_name}"
    return scene.git.read("rev-parse", "--verify", "--quiet", ref).out.strip()


def _look_for_rewind(scene: Scene, before: str, base: str) -> None:
    """A target moved back by force still takes a plain push, and it would bring the removed commits back."""
    if not before or before == base or scene.contains(base, before):
        return
    authors = sorted(set(scene.git.lines("log", "--max-count=50", "--format=%an", f"{base}..{before}")))
    gone = f"{scene.plan.target_name} was moved back by force: {short(before)} → {short(base)}"
    removed = scene.git.lines("rev-list", "--max-count=1000", f"{base}..{before}")
    ours = set(scene.git.lines("rev-list", "--max-count=5000", f"{base}..{scene.state.source}"))
    if not ours.intersection(removed):
        scene.emit(Notice(about="work", text=gone))
    elif not scene.request.accept_rewind:
        raise NotLanded(
            gone,
            why=f"this branch still holds the removed commits ({len(removed)} by {', '.join(authors)})",
            fix="git rebase onto the new target, or bring them back: homelab work land --accept-rewind",
        )


def require_shared_history(scene: Scene, base: str) -> None:
    """Make sure base and branch have a common ancestor here, deepening a shallow clone. Raises NotLanded."""
    source = scene.state.source
    for how in (*_DEEPEN, None):
        if scene.git.read("merge-base", base, source).code == 0:
            return
        if scene.git.text("rev-parse", "--is-shallow-repository") != "true":
            break
        if how:
            scene.end.deepen(how, scene.target)
    shallow = scene.git.text("rev-parse", "--is-shallow-repository") == "true"
    raise NotLanded(
        f"this branch and {scene.plan.target_name} have no common commit here",
        why="the clone is shallow" if shallow else "their histories are unrelated",
        fix=f"git fetch --unshallow {quote(scene.plan.remote)}"
        if shallow
        else "start again: homelab work start <topic>",
    )
