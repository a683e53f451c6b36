"""When a Job has done its work, and what a CronJob can promise. Pure.

A Job's template never changes: a new image is a new Job. Layer: the deploy domain, a kind.
"""

from __future__ import annotations

from dataclasses import replace

from homelab.deploy import shape
from homelab.deploy.judgement import Expectation, Memory, Proof, State
from homelab.deploy.kinds.finding import Finding, failed, held, moving
from homelab.deploy.model import Counters, Pod, Revision, Snapshot, Workload
from homelab.deploy.reference import rewritten
from homelab.kube.port import Json

#: Restarts are the Job's own business: its backoffLimit decides.
FORGIVEN = frozenset({"crash", "start"})


def read(item: Json, skew: float = 0.0) -> Workload:
    """Return a Job; it has no observedGeneration, its conditions speak for its one template."""
    spec, status = item.get("spec") or {}, item.get("status") or {}
    completions = spec.get("completions")
    want = shape.number(spec.get("parallelism") or 1) if completions is None else shape.number(completions)
    succeeded = shape.number(status.get("succeeded"))
    facts = {"ttl": spec.get("ttlSecondsAfterFinished") is not None, "failed": shape.number(status.get("failed"))}
    found = shape.workload("job", item, skew, facts=facts)
    return replace(
        found,
        observed=found.generation,
        want=want,
        paused=bool(spec.get("suspend")),
        counters=Counters(succeeded, shape.number(status.get("ready")), succeeded, shape.number(status.get("active"))),
    )


def read_cron(item: Json, skew: float = 0.0) -> Workload:
    """Return a CronJob: its template is one level deeper, and nothing of it rolls."""
    spec = item.get("spec") or {}
    template = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
    flat = {**item, "spec": {"template": template}}
    found = shape.workload("cronjob", flat, skew, facts={"schedule": str(spec.get("schedule") or "")})
    return replace(found, observed=found.generation, paused=bool(spec.get("suspend")))


def current(_snapshot: Snapshot) -> Revision | None:
    """Return None: a Job is its own revision."""
    return None


def split(snapshot: Snapshot) -> tuple[list[Pod], list[Pod]]:
    """Return all pods as new: a Job never has others."""
    return list(snapshot.pods or ()), []


def standing(_snapshot: Snapshot) -> set[str]:
    """Return nothing: conditions of a Job are final."""
    return set()


def _true(workload: Workload, type_: str) -> str | None:
    condition = workload.condition(type_)
    return (condition.message or condition.reason) if condition and condition.status == "True" else None


def counted(workload: Workload) -> bool:
    """Say whether the Job says it is complete."""
    return _true(workload, "Complete") is not None


def finished(workload: Workload) -> bool:
    """Say whether a Job that has vanished had done its work, and was meant to be cleaned up."""
    return bool(workload.facts.get("ttl")) and workload.counters.updated >= workload.want > 0


def judge(snapshot: Snapshot, _expectation: Expectation, _memory: Memory, _now: float) -> Finding:
    """Judge a Job whose template names the image."""
    workload = snapshot.workload
    assert workload is not None
    for type_ in ("Failed", "FailureTarget"):
        condition = workload.condition(type_)
        if condition is not None and condition.status == "True":
            return failed(
                f"job failed: {condition.reason}: {condition.message}",
                reason="job",
                hint=f"kubectl logs job/{workload.name} -n {workload.namespace}",
            )
    if _true(workload, "Complete") is not None:
        ran = any(_succeeded(pod, workload) for pod in snapshot.pods or ())
        proof = Proof.PODS if ran else Proof.COUNTERS
        return Finding(
            State.COMPLETE, f"complete {workload.counters.updated}/{workload.want}", proof=proof, lasting=True
        )
    if workload.paused:
        return held(
            "suspended: the job does not run",
            reason="suspended",
            hint=f'kubectl patch job/{workload.name} -n {workload.namespace} -p \'{{"spec":{{"suspend":false}}}}\'',
        )
    ending = "; succeeded, its pods still end" if _true(workload, "SuccessCriteriaMet") is not None else ""
    count = workload.counters
    return moving(f"{count.updated}/{workload.want} succeeded, {count.total} active{ending}")


def _succeeded(pod: Pod, workload: Workload) -> bool:
    images = {container.name: container.image for container in workload.containers if not container.init}
    same = all(
        rewritten(images[status.name], status.image) is not False for status in pod.containers if status.name in images
    )
    return pod.phase == "Succeeded" and same


def judge_cron(snapshot: Snapshot, _expectation: Expectation, _memory: Memory, _now: float) -> Finding:
    """Judge a CronJob: its next run has the image; nothing has run it yet."""
    workload = snapshot.workload
    assert workload is not None
    if workload.paused:
        return held(
            "suspended: it names the image and never runs",
            reason="suspended",
            hint=f'kubectl patch cronjob/{workload.name} -n {workload.namespace} -p \'{{"spec":{{"suspend":false}}}}\'',
        )
    sentence = f"its next run ({workload.facts['schedule']}) has the image; not run yet"
    return Finding(State.COMPLETE, sentence, proof=Proof.NONE, lasting=True)
