"""Asks the remote whether the commit is in its target branch. Nothing else says "landed".

Layer: work domain.
"""

from __future__ import annotations

from homelab.errors import LandUnknown
from homelab.git.remote_end import Tip
from homelab.git.runner import spoken
from homelab.work.events import NetworkRetried
from homelab.work.scene import Scene

_ASK_AGAIN = (1.0, 2.0, 4.0, 8.0)
#: A server may still be at work on a push whose connection broke, or answer from a copy that lags.
_LOOK_AGAIN = (0.5, 1.0, 2.0)


def arrived(scene: Scene, *, doubtful: bool) -> bool:
    """Say whether the candidate is in the target branch now. Raises LandUnknown when nobody answers.

    ``doubtful`` looks again for a few seconds before it says no.
    """
    for pause in (*(_LOOK_AGAIN if doubtful else ()), None):
        tip = _ask(scene)
        if tip.oid and (tip.oid == scene.state.candidate or _holds(scene, tip.oid)):
            return True
        if pause is not None:
            scene.clock.sleep(pause)
    return False


def _ask(scene: Scene) -> Tip:
    for attempt, pause in enumerate((*_ASK_AGAIN, None), start=1):
        tip = scene.end.tip(scene.target)
        if tip.reached:
            return tip
        why = (spoken(tip.ended) or ("no answer in time",))[-1]
        if pause is None:
            break
        scene.emit(NetworkRetried(what="asking whether it landed", why=why, attempt=attempt, pause=pause))
        scene.clock.sleep(pause)
    raise LandUnknown(
        f"{scene.end.url.shown} cannot be asked whether {scene.plan.target_name} moved",
        why=why,
        fix="homelab work land --resume  (it asks first; do not land by hand)",
        details=spoken(tip.ended),
    )


def _holds(scene: Scene, tip: str) -> bool:
    """Say whether the remote's tip has the candidate in its history: somebody landed on top of it."""
    incoming = f"refs/homelab/incoming/{scene.state.run}"
    if scene.git.read("cat-file", "-e", f"{tip}^{{commit}}").code != 0:
        if scene.end.fetch(scene.target, incoming).code != 0:
            return False
        tip = scene.git.text("rev-parse", "--verify", incoming)
        scene.git.text("update-ref", "-d", incoming)
    return scene.contains(tip, scene.state.candidate)
