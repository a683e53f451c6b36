"""The verdict: a pure function of a snapshot, an expectation, a memory and the time.

Two predicates with separate clocks, both judged on every snapshot. *Reference*: the live template
names the wanted image. *Rollout*: the controller has finished with that template, and its pods run.
Layer: the deploy domain, above kinds, proof and trouble.
"""

from __future__ import annotations

import math
from dataclasses import replace

from homelab.deploy import trouble
from homelab.deploy.before import absent, unreferenced
from homelab.deploy.content import by_content, content_of
from homelab.deploy.identity import Standing, identify
from homelab.deploy.judgement import OUTCOMES, Expectation, Memory, Proof, State, Trouble, Verdict
from homelab.deploy.kinds.finding import Finding
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import Snapshot, Workload
from homelab.deploy.signals import IMAGE_MISSING
from homelab.deploy.terms import Patience
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
    troubles = trouble.troubles_of(snapshot, expectation, memory, now)
    if finding.state is State.FAILED:
        return _failed(finding, troubles)
    pod = None if expectation.patience is Patience.PATIENT else trouble.relapse(snapshot, memory)
    if pod is not None:
        return trouble.relapsed(workload, pod, troubles)
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
    fatal = trouble.hopeless(snapshot, troubles)
    until = expectation.known.asking_until
    if fatal is not None and fatal.reason == IMAGE_MISSING and until is not None and until > now:
        fatal = replace(fatal, state=State.PROGRESSING, sentence=f"{fatal.sentence}; asking", again=until - now)
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


def _failed(finding: Finding, troubles: tuple[Trouble, ...]) -> Verdict:
    """Let a pod's trouble say why, where there is one: the controller only says that it took too long."""
    sentence = finding.sentence
    if troubles:
        sentence = f"{sentence} ({trouble.said(troubles[0])})"
    return Verdict(State.FAILED, sentence, reason=finding.reason, hint=finding.hint, troubles=troubles)


def _held(finding: Finding, snapshot: Snapshot, expectation: Expectation, memory: Memory, now: float) -> Verdict:
    """A finished rollout counts when a fresh snapshot shows it, and it stayed so for the hold."""
    if not snapshot.fresh:
        return Verdict(State.PROGRESSING, "finished by its counters; looking at its pods", again=0.0)
    left = (memory.complete_at if memory.complete_at is not None else now) + expectation.stable_for - now
    if left > 0 and not finding.lasting:
        return Verdict(State.HOLDING, f"{finding.sentence}, must stay so {expectation.stable_for:.0f} s", again=left)
    return _proven(finding, snapshot, expectation, memory, now)


def _proven(finding: Finding, snapshot: Snapshot, expectation: Expectation, memory: Memory, now: float) -> Verdict:
    """Name the proof of a finished rollout; wait for one where the reference alone is none."""
    workload, proof = snapshot.workload, finding.proof
    assert workload is not None
    identity = identify(workload.containers, expectation)
    if proof is Proof.PODS and by_content(snapshot, identity, expectation):
        proof = Proof.DIGEST
    if proof is not Proof.DIGEST:
        until = expectation.known.asking_until
        if until is not None and until > now:
            return Verdict(State.HOLDING, f"{finding.sentence}; asking the registry", again=until - now)
        if identity.moves(expectation):
            return _content_unproven(content_of(snapshot, identity), expectation, memory, now)
    proven = f"{finding.sentence}, proof: {proof}" if proof is not Proof.NONE else finding.sentence
    return Verdict(State.COMPLETE, proven, proof=proof)


def _content_unproven(has: str, expectation: Expectation, memory: Memory, now: float) -> Verdict:
    """A tag that can move, and a digest that no pod reports: perhaps not yet, perhaps under another name."""
    sentence = f"finished, but {has}, and {min(expectation.wanted.digests)[:19]} is wanted"
    left = (memory.reference_at if memory.reference_at is not None else now) + expectation.reference_timeout - now
    if left > 0:
        return Verdict(State.PROGRESSING, sentence, again=left)
    hint = f"{expectation.again('--trust-tag')}  # or, where old content runs: homelab deploy restart"
    return Verdict(State.NEEDS_ACTION, sentence, reason="content", hint=hint)


def _still_moving(
    finding: Finding, workload: Workload, expectation: Expectation, memory: Memory, now: float
) -> Verdict:
    """Judge the deadlines of a rollout that neither finished nor failed."""
    started = memory.reference_at if memory.reference_at is not None else now
    quiet = NO_PROGRESS + workload.min_ready if workload.deadline is None else workload.deadline + DEADLINE_SLACK
    cap_left = expectation.deadline(memory, now) - now
    quiet_left = math.inf if finding.planned else max(memory.progress_at, started) + quiet - now
    if min(cap_left, quiet_left) > 0:
        again = min(cap_left, quiet_left, cap_left if finding.again is None else finding.again)
        return Verdict(State.PROGRESSING, finding.sentence, again=again)
    why = f"not done in {expectation.timeout:.0f} s" if cap_left <= 0 else f"no progress for {quiet:.0f} s"
    return Verdict(
        State.TIMEOUT,
        f"{why}: {finding.sentence}",
        reason="timeout",
        hint=expectation.again("--timeout", f"{2 * expectation.timeout:.0f}s"),
    )
