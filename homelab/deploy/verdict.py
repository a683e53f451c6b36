"""The verdict: a pure function of a snapshot, an expectation, a memory and the time.

Two predicates with separate clocks, both judged on every snapshot. *Reference*: the live template
names the wanted image. *Rollout*: the controller has finished with that template, and its pods run.
Layer: the deploy domain, above kinds, proof and early failure.
"""

from __future__ import annotations

from dataclasses import replace

from homelab.deploy import early
from homelab.deploy.before import absent, unreferenced
from homelab.deploy.identity import Standing, identify
from homelab.deploy.judgement import OUTCOMES, Expectation, Memory, Proof, State, Trouble, Verdict
from homelab.deploy.kinds.finding import Finding
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import Pod, Snapshot, Workload
from homelab.deploy.signals import Signal, of_creation, of_pod, short_cause
from homelab.outcome import Outcome

#: Added to the controller's own deadline before no progress counts as the end.
DEADLINE_SLACK = 60.0
#: No progress for this long is the end where the controller has no deadline of its own.
NO_PROGRESS = 600.0
UNSEEN_SECONDS = 30.0


def verdict(snapshot: Snapshot, expectation: Expectation, memory: Memory, now: float) -> Verdict:
    """Return what this snapshot proves. ``memory`` already holds this snapshot (see ``remember``)."""
    concluded = _concluded(snapshot, expectation, memory, now)
    outcome = OUTCOMES[concluded.state]
    if concluded.state is State.COMPLETE_EMPTY and expectation.allow_zero:
        outcome = Outcome.DONE
    if concluded.state is State.AMBIGUOUS:
        outcome = Outcome.USAGE
    return replace(concluded, outcome=outcome)


def _concluded(snapshot: Snapshot, expectation: Expectation, memory: Memory, now: float) -> Verdict:
    workload = snapshot.workload
    if workload is None:
        return absent(expectation, memory, now)
    identity = identify(workload.containers, expectation)
    if identity.standing is Standing.MET or (identity.standing is Standing.NEWER and expectation.newer_ok):
        return _rollout(snapshot, workload, expectation, memory, now)
    return unreferenced(snapshot, identity, expectation, memory, now)


def _rollout(snapshot: Snapshot, workload: Workload, expectation: Expectation, memory: Memory, now: float) -> Verdict:
    """Judge the rollout of the wanted template."""
    finding = judged(snapshot, expectation, memory, now)
    if finding.state is State.NEEDS_ACTION:
        return Verdict(finding.state, finding.sentence, reason=finding.reason, hint=finding.hint)
    troubles = troubles_of(snapshot, expectation, memory, now)
    if finding.state is State.FAILED:
        return _failed(finding, troubles)
    relapsed = _relapse(snapshot, memory)
    if relapsed is not None:
        return _relapsed(workload, relapsed, troubles)
    if finding.state is State.COMPLETE_EMPTY:
        return Verdict(finding.state, finding.sentence, reason=finding.reason, hint=expectation.again("--allow-zero"))
    if finding.state is State.COMPLETE:
        return _held(finding, snapshot, expectation, memory, now)
    return _unfinished(finding, snapshot, expectation, memory, now, troubles=troubles)


def _unfinished(
    finding: Finding,
    snapshot: Snapshot,
    expectation: Expectation,
    memory: Memory,
    now: float,
    *,
    troubles: tuple[Trouble, ...],
) -> Verdict:
    """Judge a rollout that is under way: held back, hopeless, late, or simply moving."""
    workload = snapshot.workload
    assert workload is not None
    gated = _gated(snapshot, workload)
    if gated is not None:
        return gated
    fatal = _fatal(snapshot, workload, troubles)
    moving = fatal or _still_moving(finding, workload, expectation, memory, now)
    return replace(moving, troubles=moving.troubles or troubles).sooner()


def _gated(snapshot: Snapshot, workload: Workload) -> Verdict | None:
    """Return a person's turn when a pod waits for a scheduling gate that somebody must lift."""
    new, _ = KINDS[workload.kind].split(snapshot)
    for pod in new:
        if pod.live and pod.scheduled is not None and pod.scheduled.reason == "SchedulingGated":
            hint = f"kubectl get pod {pod.name} -n {workload.namespace} -o jsonpath='{{.spec.schedulingGates}}'"
            return Verdict(State.NEEDS_ACTION, f"{pod.name} waits for a scheduling gate", reason="gated", hint=hint)
    return None


def _fatal(snapshot: Snapshot, workload: Workload, troubles: tuple[Trouble, ...]) -> Verdict | None:
    """Return the failure when every pod of the new revision that is not Ready is doomed."""
    new, _ = KINDS[workload.kind].split(snapshot)
    fatal = early.hopeless(troubles, [pod for pod in new if pod.live and not pod.ready])
    return _doomed(snapshot, workload, fatal, troubles) if fatal else None


def judged(snapshot: Snapshot, expectation: Expectation, memory: Memory, now: float) -> Finding:
    """Apply the guards common to every kind, then the kind's own rule."""
    workload = snapshot.workload
    assert workload is not None
    if workload.deleting:
        return Finding(State.PROGRESSING, "it is being deleted")
    if workload.observed < workload.generation:
        waited = now - memory.standing.get("unobserved", now)
        if waited >= UNSEEN_SECONDS:
            return Finding(State.PROGRESSING, f"its controller has not seen generation {workload.generation}")
        return Finding(State.PROGRESSING, "waiting for its controller", again=UNSEEN_SECONDS - waited)
    return KINDS[workload.kind].judge(snapshot, expectation, memory, now)


def signals_of(snapshot: Snapshot, memory: Memory) -> list[Signal]:
    """Return every sign of trouble on the new revision's pods and on their making."""
    workload = snapshot.workload
    if workload is None or workload.observed < workload.generation:
        return []
    kind, events = KINDS[workload.kind], snapshot.events or ()
    new, _ = kind.split(snapshot)
    found = [signal for pod in new for signal in of_pod(pod, events, memory.causes)]
    if sum(pod.live for pod in new) < workload.want:
        revision = kind.current(snapshot) if kind.revisions and kind.revisions[1] == "replicasets" else None
        found += of_creation(revision, revision.uid if revision else workload.uid, events)
    return [signal for signal in found if signal.kind not in kind.forgiven]


def troubles_of(snapshot: Snapshot, expectation: Expectation, memory: Memory, now: float) -> tuple[Trouble, ...]:
    """Return the signs with their clocks."""
    workload = snapshot.workload
    assert workload is not None
    new, _ = KINDS[workload.kind].split(snapshot)
    return early.assess(
        signals_of(snapshot, memory),
        memory,
        now,
        patience=expectation.patience,
        sibling_ready=any(pod.ready and pod.live for pod in new),
    )


def _failed(finding: Finding, troubles: tuple[Trouble, ...]) -> Verdict:
    """Let a pod's trouble say why, where there is one: the controller only says that it took too long."""
    sentence = finding.sentence
    if troubles:
        sentence = f"{sentence} ({_said(troubles[0])})"
    return Verdict(State.FAILED, sentence, reason=finding.reason, hint=finding.hint, troubles=troubles)


def _relapse(snapshot: Snapshot, memory: Memory) -> Pod | None:
    """Return a pod that was Ready in a finished rollout, ended or restarted, and is not Ready now."""
    for pod in snapshot.pods or ():
        for status in pod.containers:
            before = memory.restarts_at_complete.get((pod.uid, status.name))
            crashed = before is not None and (status.restarts > before or (status.ended and not status.init))
            if crashed and pod.live and not pod.ready:
                return pod
    return None


def _relapsed(workload: Workload, pod: Pod, troubles: tuple[Trouble, ...]) -> Verdict:
    return Verdict(
        State.FAILED,
        f"crash: {pod.name} was Ready, then crashed",
        reason="crash",
        hint=early.HINTS["crash"].format(pod=pod.name, namespace=workload.namespace, workload=workload.name),
        troubles=troubles,
    )


def _held(finding: Finding, snapshot: Snapshot, expectation: Expectation, memory: Memory, now: float) -> Verdict:
    """A finished rollout counts when a fresh snapshot shows it, and it stayed so for the hold."""
    if not snapshot.fresh:
        return Verdict(State.PROGRESSING, "finished by its counters; looking at its pods", again=0.0)
    proven = f"{finding.sentence}, proof: {finding.proof}" if finding.proof is not Proof.NONE else finding.sentence
    if finding.lasting:
        return Verdict(State.COMPLETE, proven, proof=finding.proof)
    left = (memory.complete_at if memory.complete_at is not None else now) + expectation.stable_for - now
    if left > 0:
        return Verdict(State.HOLDING, f"{finding.sentence}, must stay so {expectation.stable_for:.0f} s", again=left)
    return Verdict(State.COMPLETE, proven, proof=finding.proof)


def _doomed(snapshot: Snapshot, workload: Workload, fatal: list[Trouble], troubles: tuple[Trouble, ...]) -> Verdict:
    first = fatal[0]
    hint = early.hint(first, namespace=workload.namespace, workload=workload.name)
    if first.kind == "volume" and _holds_the_volume(snapshot, workload, first):
        hint = "an old pod holds the volume until the new one is Ready: use strategy Recreate"
    sentence = f"{first.kind}: {_said(first)}"
    return Verdict(State.FAILED, sentence, reason=first.kind, hint=hint, troubles=(*fatal, *_others(troubles, fatal)))


def _others(troubles: tuple[Trouble, ...], fatal: list[Trouble]) -> list[Trouble]:
    return [trouble for trouble in troubles if trouble not in fatal]


def _holds_the_volume(snapshot: Snapshot, workload: Workload, trouble: Trouble) -> bool:
    new, old = KINDS[workload.kind].split(snapshot)
    wanted = {claim for pod in new if pod.name == trouble.pod for claim in pod.claims}
    return any(wanted & set(pod.claims) for pod in old if pod.live)


def _said(trouble: Trouble) -> str:
    """Say a trouble in one short clause: an image by its reference, anything else by its container."""
    if trouble.kind.startswith("image"):
        cause = short_cause(trouble.message, trouble.image)
        return f"{trouble.image}: {trouble.reason}" + (f": {cause[:160]}" if cause else "")
    text = " ".join(trouble.message.split())
    about = f"{'init ' if trouble.init else ''}{trouble.container} " if trouble.container else ""
    restarts = f", {trouble.restarts} restarts" if trouble.restarts else ""
    return f"{about}{trouble.reason}{restarts}" + (f": {text[:160]}" if text else "")


def _still_moving(
    finding: Finding, workload: Workload, expectation: Expectation, memory: Memory, now: float
) -> Verdict:
    """Judge the deadlines of a rollout that neither finished nor failed."""
    started = memory.reference_at if memory.reference_at is not None else now
    quiet = NO_PROGRESS if workload.deadline is None else workload.deadline + DEADLINE_SLACK
    cap_left = expectation.deadline(memory, now) - now
    quiet_left = max(memory.progress_at, started) + quiet - now
    if min(cap_left, quiet_left) > 0:
        again = min(cap_left, quiet_left, quiet_left if finding.again is None else finding.again)
        return Verdict(State.PROGRESSING, finding.sentence, again=again)
    why = f"not done in {expectation.timeout:.0f} s" if cap_left <= 0 else f"no progress for {quiet:.0f} s"
    return Verdict(
        State.TIMEOUT,
        f"{why}: {finding.sentence}",
        reason="timeout",
        hint=expectation.again("--timeout", f"{2 * expectation.timeout:.0f}s"),
    )
