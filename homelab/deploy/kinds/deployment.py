"""When a Deployment is rolled out. Pure.

The counters are the controller's own (pkg/controller/deployment/sync.go); conditions of a Deployment
may describe an older ReplicaSet (progress.go keeps them until the first progress of a rollback).
Layer: the deploy domain, a kind.
"""

from __future__ import annotations

from homelab.deploy.judgement import Expectation, Memory, Proof, State
from homelab.deploy.kinds.finding import Finding, done, failed, held, moving
from homelab.deploy.model import Pod, Revision, Snapshot, Workload
from homelab.deploy.proof import short_of_proof

#: A condition nobody can tie to the new ReplicaSet must stand this long to count.
STANDS = 30.0
DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
CREATE_ERROR = "ReplicaSetCreateError"


def current(snapshot: Snapshot) -> Revision | None:
    """Return the ReplicaSet made from the live template: by revision number, else by equal template.

    Never the newest by creation: a rollback goes back to an old one.
    """
    workload = snapshot.workload
    if workload is None:
        return None
    revisions = snapshot.revisions or ()
    if workload.revision:
        return next((r for r in revisions if str(r.number) == workload.revision and _made_from(r, workload)), None)
    return next((revision for revision in revisions if revision.template == workload.template), None)


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
    broken = _broken(snapshot, memory, now)
    if broken is not None:
        return broken
    if workload.want == 0 and workload.counters.total == 0:
        return Finding(State.COMPLETE_EMPTY, "0 replicas wanted: nothing runs the image", reason="empty")
    short = _counters_short(workload)
    if short:
        return moving(short)
    return _proven(snapshot, expectation)


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
        return done(f"complete {want}/{want}", Proof.REVISION)
    new, old = split(snapshot)
    short = short_of_proof(new, old, workload.containers, want)
    if not short and expectation.wait_old_gone and old:
        short = f"old pod {old[0].name} has not gone"
    return moving(short) if short else done(f"complete {want}/{want}", Proof.PODS)


def _broken(snapshot: Snapshot, memory: Memory, now: float) -> Finding | None:
    """Judge the controller's complaints, but only those about the new ReplicaSet."""
    workload = snapshot.workload
    assert workload is not None
    fact = _complaint(workload)
    if not fact:
        return None
    condition = workload.condition("Progressing")
    assert condition is not None
    text = condition.message or condition.reason
    failure = failed(text, reason=fact, hint=f"kubectl describe deployment/{workload.name} -n {workload.namespace}")
    if fact == "deadline" and snapshot.revisions is not None and 'ReplicaSet "' in text:
        revision = current(snapshot)
        return failure if revision is not None and f'"{revision.name}"' in text else None
    left = memory.standing.get(fact, now) + STANDS - now
    return failure if left <= 0 else moving(f"the controller says {condition.reason}", again=left)
