"""When an Argo Rollouts ``Rollout`` is rolled out. Pure.

Its phase is the controller's own conclusion (argo-rollouts utils/rollout/rolloututil.go); a phase
Healthy may still be about the revision before. Layer: the deploy domain, a kind.
"""

from __future__ import annotations

from dataclasses import replace

from homelab.deploy import shape
from homelab.deploy.judgement import Expectation, Memory, Proof, State
from homelab.deploy.kinds.deployment import gone
from homelab.deploy.kinds.finding import Finding, done, failed, held, moving
from homelab.deploy.model import Pod, Revision, Snapshot, Workload
from homelab.deploy.proof import short_of_proof
from homelab.kube.port import Json

WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"
REVISION = "rollout.argoproj.io/revision"


def read(item: Json, skew: float = 0.0) -> Workload:
    """Return a Rollout. Its observedGeneration is text; one that is no number comes from an old controller."""
    spec, status, about = item.get("spec") or {}, item.get("status") or {}, item.get("metadata") or {}
    found = shape.workload("rollout", item, skew)
    observed = str(status.get("observedGeneration") or "")
    reference = spec.get("workloadRef") or {}
    facts = {
        "phase": str(status.get("phase") or ""),
        "message": str(status.get("message") or ""),
        "hash": str(status.get("currentPodHash") or ""),
        "stable": str(status.get("stableRS") or ""),
        "unpausing": bool(status.get("controllerPause")) and not status.get("pauseConditions"),
        "timed": _timed(spec, status),
        "reference": f"{reference.get('kind')}/{reference.get('name')}" if reference else "",
        "reference_seen": str(status.get("workloadObservedGeneration") or ""),
    }
    return replace(
        found,
        observed=int(observed) if observed.isdigit() else (found.generation if observed else 0),
        revision=str((about.get("annotations") or {}).get(REVISION) or ""),
        facts=facts,
    )


def _timed(spec: Json, status: Json) -> str:
    """Return how long a pause lasts that ends by itself, or "": a canary step's, a promotion's by the clock."""
    reasons = {str(one.get("reason")) for one in status.get("pauseConditions") or []}
    strategy = spec.get("strategy") or {}
    steps = (strategy.get("canary") or {}).get("steps") or []
    at = shape.number(status.get("currentStepIndex"))
    if reasons == {"CanaryPauseStep"} and at < len(steps):
        duration = (steps[at].get("pause") or {}).get("duration")
        return "" if duration is None else f"{duration}s" if str(duration).isdigit() else str(duration)
    seconds = (strategy.get("blueGreen") or {}).get("autoPromotionSeconds")
    return f"{seconds}s" if reasons == {"BlueGreenPause"} and seconds else ""


def reference_path(workload: Workload) -> str:
    """Return the path of the Deployment that holds the template, or "" where the Rollout does."""
    kind, _, name = str(workload.facts.get("reference") or "").partition("/")
    return f"/apis/apps/v1/namespaces/{workload.namespace}/deployments/{name}" if kind == "Deployment" else ""


def with_reference(workload: Workload, item: Json) -> Workload:
    """Return the Rollout with the template of the Deployment it refers to."""
    other = shape.workload("deployment", item)
    facts = {**workload.facts, "reference_generation": str(other.generation)}
    return replace(workload, containers=other.containers, template=other.template, selector=other.selector, facts=facts)


def current(snapshot: Snapshot) -> Revision | None:
    """Return the ReplicaSet with the current pod hash."""
    workload = snapshot.workload
    wanted = workload.facts.get("hash") if workload else None
    return next((revision for revision in snapshot.revisions or () if wanted and revision.hash == wanted), None)


def split(snapshot: Snapshot) -> tuple[list[Pod], list[Pod]]:
    """Return the pods of the current hash, and the others."""
    newest = current(snapshot)
    pods = snapshot.pods or ()
    new = [pod for pod in pods if newest is not None and pod.owner == newest.uid]
    return new, [pod for pod in pods if pod not in new]


def standing(_snapshot: Snapshot) -> set[str]:
    """Return nothing: the controller's phase has its own deadlines."""
    return set()


def counted(workload: Workload) -> bool:
    """Say whether the controller calls it healthy with nothing left to promote."""
    same = bool(workload.facts.get("hash")) and workload.facts["hash"] == workload.facts.get("stable")
    return workload.observed >= workload.generation and workload.facts.get("phase") == "Healthy" and same


def judge(snapshot: Snapshot, expectation: Expectation, _memory: Memory, _now: float) -> Finding:
    """Judge an observed Rollout whose template names the image."""
    workload = snapshot.workload
    assert workload is not None
    stopped = _stopped(workload)
    if stopped is not None:
        return stopped
    if workload.want == 0 and workload.counters.total == 0:
        return Finding(State.COMPLETE_EMPTY, "0 replicas wanted: nothing runs the image", reason="empty")
    if not counted(workload):
        phase, message = workload.facts.get("phase"), workload.facts.get("message")
        return moving(f"phase {phase or 'unknown'}: {message or 'the new revision is not the stable one'}")
    return _proven(snapshot, workload, expectation)


def _stopped(workload: Workload) -> Finding | None:
    """Return what its controller says that is neither finished nor moving: not looked yet, paused, degraded."""
    facts = workload.facts
    seen = workload.annotations.get(WORKLOAD_GENERATION, "")
    meant = facts.get("reference_generation", seen)
    if facts.get("unpausing") or (facts.get("reference") and not seen == facts.get("reference_seen") == meant):
        return moving("its controller is about to look at it")
    phase, message = str(facts.get("phase")), str(facts.get("message"))
    if phase == "Paused" and not workload.paused and facts.get("timed"):
        said = f"paused for {facts['timed']}, then it goes on by itself"
        return Finding(State.PROGRESSING, said, planned=True)
    if workload.paused or phase == "Paused":
        return held(
            f"rollout paused{f': {message}' if message else ''}",
            reason="paused",
            hint=f"kubectl argo rollouts promote {workload.name} -n {workload.namespace}",
        )
    if phase == "Degraded":
        hint = f"kubectl argo rollouts get rollout {workload.name} -n {workload.namespace}"
        return failed(f"rollout degraded: {message or 'aborted'}", reason="degraded", hint=hint)
    return None


def _proven(snapshot: Snapshot, workload: Workload, expectation: Expectation) -> Finding:
    want = workload.want
    if snapshot.pods is None or snapshot.revisions is None:
        return gone(snapshot, [], expectation) or done(f"complete {want}/{want}", Proof.COUNTERS)
    new, old = split(snapshot)
    # Old replicas may stay on purpose (scaleDownDelay): only the new ones are asked.
    short = short_of_proof(new, [], workload.containers, want)
    if short:
        return moving(short)
    return gone(snapshot, old, expectation) or done(f"complete {want}/{want}", Proof.PODS)
