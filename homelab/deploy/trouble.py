"""What is wrong with a rollout's pods, and whether that ends it. Pure.

Layer: the deploy domain, above signals, early failure and the kinds; below the verdict.
"""

from __future__ import annotations

from dataclasses import replace

from homelab.deploy import early
from homelab.deploy.judgement import Expectation, Memory, State, Trouble, Verdict
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import Pod, Snapshot, Workload
from homelab.deploy.signals import IMAGE_MISSING, OTHER_PLATFORM, Signal, of_creation, of_pod, short_cause
from homelab.registry.reference import parse

#: Characters of a server's text in a sentence.
LONGEST = 160


def signals_of(snapshot: Snapshot, memory: Memory) -> list[Signal]:
    """Return every sign of trouble on the new revision's pods and on their making."""
    workload = snapshot.workload
    if workload is None or workload.observed < workload.generation:
        return []
    kind, events = KINDS[workload.kind], snapshot.events or ()
    new, old = kind.split(snapshot)
    found = [signal for pod in new for signal in of_pod(pod, events, memory.causes)]
    if sum(pod.live for pod in new) < workload.want:
        revision = kind.current(snapshot) if kind.revisions and kind.revisions[1] == "replicasets" else None
        begun = workload.written if workload.written is not None else memory.changed_at
        making = of_creation(revision, revision.uid if revision else workload.uid, events, begun=begun)
        found += [_weighed(signal, workload, old) for signal in making]
    return [signal for signal in found if signal.kind not in kind.forgiven]


def _weighed(signal: Signal, workload: Workload, old: list[Pod]) -> Signal:
    """A quota that old pods fill: those that end will free it; those that must stay until the new run never do."""
    if signal.kind != "quota":
        return signal
    if any(pod.deleting for pod in old):
        return replace(signal, patient=True)
    return replace(signal, lasting=_held_by_old(workload, old))


def _held_by_old(workload: Workload, old: list[Pod]) -> bool:
    return workload.facts.get("unavailable") == 0 and any(pod.live for pod in old)


def troubles_of(snapshot: Snapshot, expectation: Expectation, memory: Memory, now: float) -> tuple[Trouble, ...]:
    """Return the signs with their clocks."""
    workload = snapshot.workload
    assert workload is not None
    new, _ = KINDS[workload.kind].split(snapshot)
    return early.assess(
        [_supplied(signal, expectation) for signal in signals_of(snapshot, memory)],
        memory,
        now,
        patience=expectation.patience,
        sibling_ready=any(pod.ready and pod.live for pod in new),
    )


def _supplied(signal: Signal, expectation: Expectation) -> Signal:
    """Of an image that came late the kubelet still says "not found", up to five minutes: until it pulls again."""
    arrived = expectation.known.content.get(parse(signal.image).repository) if signal.kind == IMAGE_MISSING else None
    if not arrived or OTHER_PLATFORM in signal.message.lower():
        return signal
    return replace(signal, patient=True, message=f"{signal.message}; the registry has it by now, the node pulls again")


def hopeless(snapshot: Snapshot, troubles: tuple[Trouble, ...]) -> Verdict | None:
    """Return the failure when every pod of the new revision that is not Ready is doomed."""
    workload = snapshot.workload
    assert workload is not None
    new, old = KINDS[workload.kind].split(snapshot)
    fatal = early.hopeless(troubles, [pod for pod in new if pod.live and not pod.ready])
    if not fatal:
        return None
    first = fatal[0]
    others = [trouble for trouble in troubles if trouble not in fatal]
    return Verdict(
        State.FAILED,
        f"{first.kind}: {said(first)}",
        reason=first.kind,
        hint=_hint(first, workload, new, old),
        troubles=(*fatal, *others),
    )


def _hint(first: Trouble, workload: Workload, new: list[Pod], old: list[Pod]) -> str:
    if first.kind == "volume" and _holds_the_volume(first, new, old):
        return "an old pod holds the volume until the new one is Ready: use strategy Recreate"
    if first.kind == "quota" and _held_by_old(workload, old):
        return "old pods hold the quota until new ones are Ready: raise it, or let maxUnavailable be 1"
    return early.hint(first, namespace=workload.namespace, workload=workload.name)


def _holds_the_volume(trouble: Trouble, new: list[Pod], old: list[Pod]) -> bool:
    wanted = {claim for pod in new if pod.name == trouble.pod for claim in pod.claims}
    return any(wanted & set(pod.claims) for pod in old if pod.live)


def relapse(snapshot: Snapshot, memory: Memory) -> Pod | None:
    """Return a pod that was Ready in a finished rollout, ended or restarted, and is not Ready now."""
    for pod in snapshot.pods or ():
        for status in pod.containers:
            before = memory.restarts_at_complete.get((pod.uid, status.name))
            crashed = before is not None and (status.restarts > before or (status.ended and not status.init))
            if crashed and pod.live and not pod.ready:
                return pod
    return None


def relapsed(workload: Workload, pod: Pod, troubles: tuple[Trouble, ...]) -> Verdict:
    """Return the failure of a pod that crashed after the rollout had finished."""
    return Verdict(
        State.FAILED,
        f"crash: {pod.name} was Ready, then crashed",
        reason="crash",
        hint=early.HINTS["crash"].format(pod=pod.name, namespace=workload.namespace, workload=workload.name),
        troubles=troubles,
    )


def said(trouble: Trouble) -> str:
    """Say a trouble in one short clause: an image by its reference, anything else by its container."""
    if trouble.kind.startswith("image"):
        cause = short_cause(trouble.message, trouble.image)
        return f"{trouble.image}: {trouble.reason}" + (f": {cause[:LONGEST]}" if cause else "")
    text = " ".join(trouble.message.split())
    about = f"{'init ' if trouble.init else ''}{trouble.container} " if trouble.container else ""
    restarts = f", {trouble.restarts} restarts" if trouble.restarts else ""
    return f"{about}{trouble.reason}{restarts}" + (f": {text[:LONGEST]}" if text else "")
