"""After landing: CI of the landed commit, then its rollout. Whatever happens here, it has landed.

Layer: work domain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from homelab.errors import HomelabError, Interrupted
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.work.events import short
from homelab.work.model import Phase
from homelab.work.result import LandResult, Part
from homelab.work.scene import Scene

RESUME = "homelab work land --resume"
#: The landed commit gets no run any more: one on top of it does.
RUN_CI = "git commit --allow-empty -m 'Run CI' && homelab work land --allow-empty"


@dataclass(frozen=True, slots=True)
class LandedCommit:
    """What the waits after landing are about: the commit, the target's short name, the remote's name."""

    oid: str
    target: str
    remote: str
    #: Where the target was before; "" where that is not known.
    was: str = ""


Wait = Callable[[LandedCommit], Result | None]


@dataclass(frozen=True, slots=True)
class Waits:
    """The two waits after landing; each returns None where there is nothing to wait for."""

    ci: Wait
    deploy: Wait
    #: Why CI will not be seen for this remote, as far as that is known without asking a server; "" if it may.
    blind: Callable[[str], str] = lambda _remote: ""
    #: Whether there is any rollout to wait for.
    deploys: Callable[[], bool] = lambda: True


def follow(scene: Scene, waits: Waits) -> LandResult:
    """Wait for CI and for the rollout of what landed, as asked; return the whole answer."""
    ci = _asked(scene, waits.ci) if scene.request.ci and scene.state.phase is Phase.CI else None
    if ci is not None:
        scene.now(ci=ci.outcome.word)
        if ci.outcome is not Outcome.DONE:
            return _answer(scene, Outcome.CI_RED if ci.outcome is Outcome.RED else Outcome.CI_UNSEEN, ci=ci)
    scene.now(phase=Phase.DEPLOY)
    deploy = _asked(scene, waits.deploy) if scene.request.deploy and waits.deploys() else None
    if deploy is not None:
        scene.now(deploy=deploy.outcome.word)
        if deploy.outcome is not Outcome.DONE:
            red = deploy.outcome is Outcome.RED
            return _answer(scene, Outcome.DEPLOY_FAILED if red else Outcome.DEPLOY_UNSEEN, ci=ci, deploy=deploy)
    answer = _answer(scene, Outcome.DONE, ci=ci, deploy=deploy)
    scene.now(phase=Phase.DONE)
    scene.store.clear()
    return answer


def _asked(scene: Scene, wait: Wait) -> Part | None:
    """Wait once; whatever ends the wait becomes a part of the answer."""
    interrupted = Part("interrupted; its verdict is not known", Outcome.PENDING)
    if scene.interruption is not None:
        return interrupted
    try:
        result = wait(LandedCommit(scene.state.landed, scene.plan.target_name, scene.plan.remote, scene.state.base))
    except (KeyboardInterrupt, Interrupted):
        return interrupted
    except HomelabError as error:
        lines = (f"why: {error.why}", *error.details, f"to mend: {error.fix}")
        return Part(error.what, error.outcome, lines, {"error": error.record()})
    except Exception as bug:  # noqa: BLE001 -- a bug in a wait must not hide that the change has landed
        place = _place(bug)
        return Part(f"homelab itself failed: {type(bug).__name__}", Outcome.BUG, (f"{bug} ({place})",))
    if result is None:
        return None
    lines = () if result.outcome is Outcome.DONE else tuple(result.lines())
    return Part(result.headline, result.outcome, lines, result.record())


def _place(bug: BaseException) -> str:
    trace = bug.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"


def _answer(scene: Scene, outcome: Outcome, *, ci: Part | None = None, deploy: Part | None = None) -> LandResult:
    state = scene.state
    return LandResult(
        outcome=outcome,
        headline=_headline(outcome, scene, deploy),
        landed=True,
        phase=state.phase,
        kind="landed" if outcome is Outcome.DONE else outcome.name.lower(),
        state=state,
        target=scene.plan.target_name,
        landed_oid=state.landed,
        was=state.base,
        why=_still_there(scene) if outcome is Outcome.CI_RED else "",
        next=_next(scene, outcome, ci, deploy),
        ci=ci,
        deploy=deploy,
    )


def _still_there(scene: Scene) -> str:
    """Say whether the red commit is still the target's tip: it decides between a fix and a revert."""
    target, tip = scene.plan.target_name, scene.end.tip(scene.target).oid
    if tip is None:
        return ""
    still = "is still at" if tip == scene.state.landed else "is by now at"
    return f"{target} {still} {short(tip)}"


def _headline(outcome: Outcome, scene: Scene, deploy: Part | None) -> str:
    target = scene.plan.target_name
    green = ", CI is green" if scene.state.ci == Outcome.DONE.word else ""
    what = "what runs holds it" if deploy is not None and deploy.record.get("contained") else "it is what runs"
    runs = f", and {what}" if scene.state.deploy == Outcome.DONE.word else ""
    return {
        Outcome.DONE: f"{target} moved{green}{runs}",
        Outcome.CI_RED: f"{target} moved and its CI is red",
        Outcome.CI_UNSEEN: f"{target} moved; its CI verdict is not known",
        Outcome.DEPLOY_FAILED: f"{target} moved{green}, the rollout failed",
        Outcome.DEPLOY_UNSEEN: f"{target} moved{green}, the rollout is not proven",
    }[outcome]


def _next(scene: Scene, outcome: Outcome, ci: Part | None, deploy: Part | None) -> tuple[str, ...]:
    """Return what to type next; never to wait again for what will not come."""
    if outcome is Outcome.CI_UNSEEN and ci is not None and ci.outcome is Outcome.NOTHING:
        return (RUN_CI,)
    if outcome is Outcome.DEPLOY_UNSEEN and deploy is not None and deploy.outcome is Outcome.SUPERSEDED:
        hints = [target["hint"] for target in deploy.record.get("targets", ())]
        typed = tuple(hint for hint in hints if hint.startswith("homelab "))
        if typed:
            return typed
    oid = scene.state.landed
    return {
        Outcome.CI_RED: ("mend it on this branch and land again", f"homelab work revert {oid}"),
        Outcome.CI_UNSEEN: (RESUME,),
        Outcome.DEPLOY_FAILED: ("mend it on this branch and land again", f"homelab work revert {oid}"),
        Outcome.DEPLOY_UNSEEN: (RESUME,),
    }.get(outcome, ())
