"""When a Deployment is rolled out. Pure.

The counters are the controller's own (pkg/controller/deployment/sync.go); conditions of a Deployment
may describe an older ReplicaSet (progress.go keeps them until the first progress of a rollback).
Layer: the deploy domain, a kind.
"""

from __future__ import annotations

import math

from homelab.deploy import shape
from homelab.deploy.judgement import Expectation, Memory, Proof, State
from homelab.deploy.kinds.finding import Finding, done, failed, held, moving
from homelab.deploy.model import Condition, Pod, Revision, Snapshot, Workload
from homelab.deploy.proof import short_of_proof
from homelab.deploy.terms import Patience
from homelab.kube.port import Json

#: A ReplicaSet that could not be made: the controller tries again, and often can.
STANDS = 30.0
DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
CREATE_ERROR = "ReplicaSetCreateError"


def read(item: Json, skew: float = 0.0) -> Workload:
    """Return a Deployment, with how many pods it may be short of while it rolls."""
    spec, status = item.get("spec") or {}, item.get("status") or {}
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    want = 1 if spec.get("replicas") is None else shape.number(spec["replicas"])
    unavailable = _part(rolling.get("maxUnavailable", "25%"), want, up=False)
    surge = _part(rolling.get("maxSurge", "25%"), want, up=True)
    # deployment/util ResolveFenceposts: with both 0 nothing could ever roll.
    facts = {
        "unavailable": unavailable if unavailable or surge else 1,
        "terminating": status.get("terminatingReplicas"),
    }
    return shape.workload("deployment", item, skew, facts=facts)


def _part(said: object, want: int, *, up: bool) -> int:
    """Return a number, or a percentage of ``want`` rounded up or down."""
    text = str(said)
    if not text.endswith("%"):
        return shape.number(said)
    part = want * shape.number(text[:-1]) / 100
    return math.ceil(part) if up else math.floor(part)


def current(snapshot: Snapshot) -> Revision | None:
    """Return the ReplicaSet made from the live template: by revision number, else by equal template.

    Never the newest by creation: a rollback goes back to an old one.
    """
    workload = snapshot.workload
    if workload is None:
        return None
    revisions = snapshot.revisions or ()
    numbered = (r for r in revisions if workload.revision == str(r.number) and _made_from(r, workload))
    equal = (revision for revision in revisions if revision.template == workload.template)
    return next(numbered, None) or next(equal, None)


def _made_from(revision: Revision, workload: Workload) -> bool:
    """Confirm a revision by its images: the annotation lags behind a template just changed."""
    images = {(container.name, container.image) for container in workload.containers}
    return {(container.name, container.image) for container in revision.containers} == images


def split(snapshot: Snapshot) -> tuple[list[Pod], list[Pod]]:
    """Return the pods of the new ReplicaSet, and those of all others."""
    revision = current(snapshot)
    pods = snapshot.pods or ()
    new = [pod for pod in pods if revision is not None and pod.owner == revision.uid]
    return new, [pod for pod in pods if pod not in new]


def standing(snapshot: Snapshot) -> set[str]:
    """Return the facts that only count after :data:`STANDS` seconds."""
    return {_complaint(snapshot.workload)} - {""} if snapshot.workload else set()


def _complaint(workload: Workload) -> str:
    progressing = workload.condition("Progressing")
    if progressing is None or progressing.status != "False":
        return ""
    return {DEADLINE_EXCEEDED: "deadline", CREATE_ERROR: "create-error"}.get(progressing.reason, "")


def counted(workload: Workload) -> bool:
    """Say whether the controller's numbers are those of a finished rollout."""
    return workload.observed >= workload.generation and not _counters_short(workload)


def judge(snapshot: Snapshot, expectation: Expectation, memory: Memory, now: float) -> Finding:
    """Judge the rollout of an observed Deployment whose template names the image."""
    workload = snapshot.workload
    assert workload is not None
    if workload.paused:
        return _paused(snapshot, expectation)
    broken = _broken(snapshot, expectation, memory, now)
    if broken is not None:
        return broken
    if workload.want == 0 and workload.counters.total == 0:
        return Finding(State.COMPLETE_EMPTY, "0 replicas wanted: nothing runs the image", reason="empty")
    short = _counters_short(workload)
    if short:
        return moving(_in_the_way(snapshot) or short)
    return _proven(snapshot, expectation)


def _in_the_way(snapshot: Snapshot) -> str:
    """Name ended pods of old ReplicaSets: under Recreate none is made before the last of them is gone."""
    workload = snapshot.workload
    if workload is None or workload.strategy != "Recreate" or workload.counters.updated:
        return ""
    _, old = split(snapshot)
    ended = [f"{pod.name} ({pod.phase})" for pod in old if not pod.deleting and not pod.live]
    return f"Recreate waits for old pods to go: {', '.join(ended[:3])}" if ended else ""


def _paused(snapshot: Snapshot, expectation: Expectation) -> Finding:
    """Judge a paused Deployment: one that had finished before runs the image all the same."""
    workload = snapshot.workload
    assert workload is not None
    if workload.want > 0 and not _counters_short(workload):
        finished = _proven(snapshot, expectation)
        if finished.state is State.COMPLETE or not snapshot.fresh:
            return finished
    return held(
        "paused: the template names the image and nothing rolls",
        reason="paused",
        hint=f"kubectl rollout resume deployment/{workload.name} -n {workload.namespace}",
    )


def _counters_short(workload: Workload) -> str:
    """Return what the controller's own numbers lack, or ""."""
    want, count = workload.want, workload.counters
    if count.updated != want or count.total != want or count.ready < want or count.available < want:
        return count.text(want)
    progressing = workload.condition("Progressing")
    # While it is paused the condition says no more than that.
    if (
        workload.paused
        or progressing is None
        or (progressing.status, progressing.reason) == ("True", "NewReplicaSetAvailable")
    ):
        return ""
    return f"the controller says {progressing.reason}"


def _proven(snapshot: Snapshot, expectation: Expectation) -> Finding:
    workload = snapshot.workload
    assert workload is not None
    want = workload.want
    if snapshot.revisions is None:
        return done(f"complete {want}/{want}", Proof.COUNTERS)
    revision = current(snapshot)
    if revision is None:
        return moving("its new ReplicaSet is not there yet")
    if revision.observed < revision.generation or revision.available < want:
        return moving(f"ReplicaSet {revision.name} has {revision.available}/{want} available")
    if snapshot.pods is None:
        return gone(snapshot, [], expectation) or done(f"complete {want}/{want}", Proof.REVISION)
    new, old = split(snapshot)
    short = short_of_proof(new, old, workload.containers, want)
    if short:
        return moving(short)
    return gone(snapshot, old, expectation) or done(f"complete {want}/{want}", Proof.PODS)


def gone(snapshot: Snapshot, old: list[Pod], expectation: Expectation) -> Finding | None:
    """Return what is missing until no old pod is left, where that was asked for; pods that ended serve nobody."""
    workload = snapshot.workload
    assert workload is not None
    if not expectation.wait_old_gone:
        return None
    left = [pod for pod in old if pod.deleting or pod.live]
    if left:
        return moving(f"old pod {left[0].name} has not gone")
    terminating = workload.facts.get("terminating")
    if terminating is not None and shape.number(terminating):
        return moving(f"{terminating} old pods have not gone")
    if snapshot.pods is None and terminating is None:
        return held(
            "complete, but nobody may look whether old pods are gone",
            reason="unseen",
            hint=f"homelab deploy rbac {workload.slug}  # the right to list pods",
        )
    return None


def _broken(snapshot: Snapshot, expectation: Expectation, memory: Memory, now: float) -> Finding | None:
    """Judge the controller's complaints, but only those about the new ReplicaSet."""
    workload = snapshot.workload
    assert workload is not None
    fact = _complaint(workload)
    if not fact or (fact == "create-error" and expectation.patience is Patience.PATIENT):
        return None
    condition = workload.condition("Progressing")
    assert condition is not None
    text = condition.message or condition.reason
    failure = failed(text, reason=fact, hint=f"kubectl describe deployment/{workload.name} -n {workload.namespace}")
    if not _about_this_template(condition, snapshot, memory):
        return None
    if fact == "deadline":
        return failure
    left = memory.standing.get(fact, now) + STANDS - now
    return failure if left <= 0 else moving(f"the controller says {condition.reason}", again=left)


def _about_this_template(condition: Condition, snapshot: Snapshot, memory: Memory) -> bool:
    """Say whether a complaint is about this rollout: a rollback keeps the old condition until its first progress.

    An exceeded deadline names its ReplicaSet, and one that could not be made is not there; where ReplicaSets may
    not be read, the condition must be younger than the template.
    """
    workload = snapshot.workload
    assert workload is not None
    written = workload.written
    if condition.since is not None and written is not None and condition.since < written:
        return False
    revision = current(snapshot)
    if snapshot.revisions is not None and condition.reason == CREATE_ERROR:
        return revision is None
    if snapshot.revisions is not None and 'ReplicaSet "' in condition.message:
        return revision is not None and f'"{revision.name}"' in condition.message
    begun = written if written is not None else memory.changed_at
    return condition.since is not None and begun is not None and condition.since >= begun
