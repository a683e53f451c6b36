"""Pushes the verified commit by its object id, judges the output, and asks the remote.

Only a lost race is integrated again; only a protected branch is pushed elsewhere; what may have
arrived is never pushed again before the remote was asked. Layer: work domain.
"""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from shlex import quote

from homelab.errors import HomelabError, LandUnknown, NotLanded, OurBug
from homelab.events import Notice
from homelab.git.child import Ended
from homelab.git.classify import PushClass, Verdict, classify
from homelab.git.remote_end import pre_push_hook
from homelab.git.runner import failed, spoken
from homelab.outcome import Outcome
from homelab.work.events import NetworkRetried, PushJudged, PushStarted, short
from homelab.work.fetch import unreached
from homelab.work.model import Phase
from homelab.work.reconcile import arrived
from homelab.work.scene import Scene

_TRIES = 3
_PAUSES = (2.0, 6.0)
_CLEAN_NO = {
    PushClass.RACE,
    PushClass.PROTECTED,
    PushClass.NEEDS_CHECKS,
    PushClass.POLICY,
    PushClass.REMOTE_CONFIG,
    PushClass.AUTH,
}
_MAY_PASS = {PushClass.NETWORK, PushClass.STUCK_LOCK, PushClass.UNKNOWN}


class Pushed(StrEnum):
    """What came of a push, by the remote's own word."""

    LANDED = "landed"
    RACE = "race"
    PROTECTED = "protected"


def push(scene: Scene) -> tuple[Pushed, Verdict]:
    """Push the candidate to the target. Raises NotLanded, LandUnknown, or the interruption it outlived."""
    if scene.plan.command is not None and scene.tree(scene.state.candidate) not in _passed(scene):
        raise OurBug(
            "the commit to push was not verified",
            why=f"tree {scene.state.tree[:12]} has no passed verification",
            fix="homelab work land",
        )
    options = scene.request.push_options
    for attempt in range(1, _TRIES + 1):
        ended = _push_once(scene, options)
        verdict = judge(scene, ended, scene.target)
        if verdict.kind is PushClass.NO_PUSH_OPTIONS and options:
            options = ()
            scene.emit(Notice(about="work", text="the server takes no push options; pushing without"))
            ended = _push_once(scene, options)
            verdict = judge(scene, ended, scene.target)
        settled = _settle(scene, ended, verdict)
        if settled is not None:
            return settled, verdict
        _retry_or_raise(scene, ended, verdict, attempt)
    raise AssertionError("the last attempt returns or raises")


def _passed(scene: Scene) -> set[str]:
    return {one.tree for one in scene.state.verified}


def _push_once(scene: Scene, options: tuple[str, ...]) -> Ended:
    state = scene.now(phase=Phase.PUSH, push="")
    scene.emit(PushStarted(target=scene.plan.target_name, candidate=state.candidate, url=scene.end.url.shown))
    return scene.end.push(
        f"{state.candidate}:{scene.target}",
        *recurse(scene),
        *(f"--push-option={option}" for option in options),
        extra_env={"HOMELAB_LAND_TOKEN": state.run},
    )


def recurse(scene: Scene) -> tuple[str, ...]:
    """Return the option that refuses a superproject whose submodules' commits nobody could fetch."""
    return ("--recurse-submodules=check",) if (scene.git.root / ".gitmodules").is_file() else ()


def judge(scene: Scene, ended: Ended, ref: str) -> Verdict:
    """Classify a push of ``ref`` and tell it; warn where the server let a rule be bypassed."""
    hook = pre_push_hook(scene.git)
    verdict = classify(
        code=ended.code, stdout=ended.out, stderr=ended.err, ref=ref, timed_out=ended.timed_out, pre_push_hook=hook
    )
    scene.emit(PushJudged(verdict=verdict.kind.value, reason=verdict.reason))
    if any("Bypassed rule violations" in line for line in verdict.remote_said):
        scene.emit(Notice(about="work", text="the server let this push past its protection rules"))
    return verdict


def _settle(scene: Scene, ended: Ended, verdict: Verdict) -> Pushed | None:
    """Return what the remote shows; None when the push did not arrive and may be tried again."""
    scene.now(push=verdict.kind.value)
    clean = verdict.kind in _CLEAN_NO
    if not clean and arrived(scene, doubtful=verdict.kind in {PushClass.CLAIMED, PushClass.UNKNOWN}):
        scene.interruption = ended.interruption
        return Pushed.LANDED
    if ended.interruption is not None and verdict.kind is PushClass.UNKNOWN and (ended.code < 0 or ended.timed_out):
        # Killed by a second signal: the server may be at work on it still.
        raise LandUnknown(
            f"interrupted while {short(scene.state.candidate)} was on its way",
            why=f"the push was cut off, and {scene.plan.target_name} does not hold it so far",
            fix="homelab work land --resume  (it asks first; do not land by hand)",
        ) from ended.interruption
    # The remote's word, or a refusal that leaves no doubt: nothing is on its way any more.
    scene.now(phase=Phase.VERIFY)
    if ended.interruption is not None:
        raise ended.interruption
    if verdict.kind is PushClass.RACE:
        if pre_push_hook(scene.git) and scene.end.tip(scene.target).oid == scene.state.base:
            # Nobody moved the target: a local hook declined and wrote what looks like git's report.
            raise refused(scene, ended, replace(verdict, kind=PushClass.LOCAL_HOOK))
        return Pushed.RACE
    if verdict.kind in {PushClass.PROTECTED, PushClass.NEEDS_CHECKS}:
        return Pushed.PROTECTED
    return None


def _retry_or_raise(scene: Scene, ended: Ended, verdict: Verdict, attempt: int) -> None:
    if attempt == _TRIES or not _may_pass(ended, verdict):
        raise refused(scene, ended, verdict)
    pause = _PAUSES[attempt - 1]
    scene.emit(NetworkRetried(what="push", why=verdict.reason, attempt=attempt, pause=pause))
    scene.clock.sleep(pause)


def _may_pass(ended: Ended, verdict: Verdict) -> bool:
    """Say whether the same push may work later: nobody said no, and it is not too large for the server."""
    return verdict.kind in _MAY_PASS and not too_large(f"{verdict.reason}\n{ended.err}")


def too_large(said: str) -> bool:
    """Say whether git reports HTTP status 413; the same digits in a port or an oid mean nothing."""
    return re.search(r"(?:HTTP |error: )413\b", said) is not None


def refused(scene: Scene, ended: Ended, verdict: Verdict) -> HomelabError:
    """Return the error for a push that did not arrive, in the words of whoever said no or fell silent."""
    if _may_pass(ended, verdict):
        error = unreached(scene, ended, "push")
        error.why = verdict.reason or error.why
        return error
    said = verdict.remote_said or spoken(ended)
    if verdict.kind is PushClass.AUTH:
        return unreached(scene, ended, "push")
    if verdict.kind is PushClass.USAGE:
        return failed(ended)
    what, fix = {
        PushClass.LOCAL_HOOK: (
            "the local pre-push hook declined",
            "mend what it says, then: homelab work land",
        ),
        PushClass.CLAIMED: (
            f"the server took the push and {scene.plan.target_name} does not hold it",
            f"look where it put it: git ls-remote {quote(scene.plan.remote)}",
        ),
        PushClass.LEASE: (
            "the branch on the remote is not where we left it",
            "git fetch, look, then: homelab work land",
        ),
    }.get(
        verdict.kind,
        (f"{scene.end.url.shown} declined the push", "mend what it says, then: homelab work land"),
    )
    return NotLanded(
        what,
        why=f"{verdict.reason}; nothing was pushed" if verdict.kind is not PushClass.CLAIMED else verdict.reason,
        fix=fix,
        details=said,
        outcome=Outcome.PUSH_POLICY,
    )
