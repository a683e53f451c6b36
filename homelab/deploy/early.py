"""How long each class of trouble may stand before the rollout has failed. Pure.

Too early, and a slow pull or a late secret is a false red; too late, and a typing error costs ten
minutes. Layer: the deploy domain, above the signals.
"""

from __future__ import annotations

from dataclasses import dataclass

from homelab.deploy.judgement import Memory, Seen, Trouble
from homelab.deploy.model import Pod
from homelab.deploy.signals import Signal
from homelab.deploy.terms import Patience

#: A sibling that runs says the trouble is one node's: wait three times as long.
SIBLING_FACTOR = 3


@dataclass(frozen=True, slots=True)
class Grace:
    """Seconds a sign may stand, or restarts it may cost; whichever comes first. None: no such limit."""

    seconds: float | None = None
    restarts: int | None = None


GRACES = {
    # Not at the first look: the next one must show it too.
    "image-invalid": Grace(seconds=1),
    "image-missing": Grace(seconds=30),
    "image-auth": Grace(seconds=45),
    "image-other": Grace(seconds=180),
    "config": Grace(seconds=60),
    "start": Grace(seconds=60, restarts=2),
    "sandbox": Grace(seconds=90),
    "crash": Grace(seconds=60, restarts=3),
    "scheduling": Grace(seconds=120),
    "volume": Grace(seconds=120),
    "create": Grace(seconds=30),
    "quota": Grace(seconds=60),
    # A start may take its time: only the deadline ends it.
    "readiness": Grace(),
}

#: Classes whose seconds count only while the kubelet backs off; between two crashes nothing stands.
LOOPING = frozenset({"crash", "start"})

HINTS = {
    "image-invalid": "correct the image reference in the template",
    "image-missing": "check that CI pushed this tag, then: homelab ci status",
    "image-auth": "check imagePullSecrets of the pod's service account",
    "image-other": "check the registry from the node, then: kubectl describe pod {pod} -n {namespace}",
    "config": "create the missing ConfigMap, Secret or key; the pod then starts by itself",
    "start": "check command and architecture of the image: kubectl describe pod {pod} -n {namespace}",
    "sandbox": "kubectl describe pod {pod} -n {namespace}; the node or its network plugin is at fault",
    "crash": "homelab deploy logs {namespace}/{workload} --previous",
    "scheduling": "kubectl describe pod {pod} -n {namespace} shows what each node lacks",
    "volume": "kubectl get pvc,volumeattachment -n {namespace}",
    "create": "correct what the message names; the controller tries again by itself",
    "quota": "kubectl describe resourcequota -n {namespace}",
    "readiness": "homelab deploy logs {namespace}/{workload}",
}


def assess(
    signals: list[Signal], memory: Memory, now: float, *, patience: Patience, sibling_ready: bool
) -> tuple[Trouble, ...]:
    """Return every sign as a trouble with its clock: since when, and whether its grace is over."""
    factor = SIBLING_FACTOR if sibling_ready else 1
    return tuple(_trouble(signal, memory, now, patience, 1 if signal.lasting else factor) for signal in signals)


def _trouble(signal: Signal, memory: Memory, now: float, patience: Patience, factor: int) -> Trouble:
    seen = memory.troubles.get((signal.uid, signal.container, signal.kind)) or Seen(now, signal.restarts)
    since = seen.since if signal.since is None else min(seen.since, signal.since)
    restarts = max(signal.restarts - seen.restarts, 0)
    left = _left(signal, restarts, now - since, patience, factor)
    return Trouble(
        kind=signal.kind,
        pod=signal.pod,
        container=signal.container,
        init=signal.init,
        reason=signal.reason,
        message=signal.message,
        image=signal.image,
        since=since,
        restarts=signal.restarts,
        doomed=left is not None and left <= 0,
        left=left,
    )


def _left(signal: Signal, restarts: int, stood: float, patience: Patience, factor: int) -> float | None:
    """Return the seconds of grace left; 0 or less: over. None: only time and the deadline can tell."""
    if patience is Patience.PATIENT or signal.patient or signal.kind == "readiness":
        return None
    if patience is Patience.NONE or signal.final:
        return 0.0
    grace = GRACES[signal.kind]
    counted = restarts * 2 if signal.killed else restarts
    if grace.restarts is not None and counted >= grace.restarts * factor:
        return 0.0
    if grace.seconds is None or (signal.kind in LOOPING and not signal.looping):
        return None
    return grace.seconds * factor - stood


def hopeless(troubles: tuple[Trouble, ...], waiting: list[Pod]) -> list[Trouble]:
    """Return the troubles that decide: every pod in ``waiting`` is doomed, or none can be made at all."""
    doomed = [trouble for trouble in troubles if trouble.doomed]
    making = [trouble for trouble in doomed if not trouble.pod]
    names = {trouble.pod for trouble in doomed}
    if all(pod.name in names for pod in waiting) and (waiting or making):
        return sorted(doomed, key=lambda trouble: list(GRACES).index(trouble.kind))
    return []


def hint(trouble: Trouble, *, namespace: str, workload: str) -> str:
    """Return the next command or act for a class of trouble."""
    return HINTS[trouble.kind].format(pod=trouble.pod, namespace=namespace, workload=workload)
