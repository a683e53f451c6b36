"""When a StatefulSet is rolled out. Pure.

It has no conditions and no deadline; its revisions are two hashes in its status
(pkg/controller/statefulset/stateful_set_control.go). Layer: the deploy domain, a kind.
"""

from __future__ import annotations

from homelab.deploy import shape
from homelab.deploy.judgement import Expectation, Memory, Proof, State
from homelab.deploy.kinds.finding import Finding, done, failed, held, moving
from homelab.deploy.model import Pod, Revision, Snapshot, Workload
from homelab.deploy.proof import short_of_proof, unproven
from homelab.deploy.terms import Patience
from homelab.kube.port import Json

#: A pod of an old revision that stays unready this long blocks the rollout for good.
BLOCKED_SECONDS = 60.0


def read(item: Json, skew: float = 0.0) -> Workload:
    """Return a StatefulSet."""
    spec, status = item.get("spec") or {}, item.get("status") or {}
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    facts = {
        "update": str(status.get("updateRevision") or ""),
        "current": str(status.get("currentRevision") or ""),
        "partition": shape.number(rolling.get("partition")),
        "start": shape.number((spec.get("ordinals") or {}).get("start")),
        "ordered": spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady",
    }
    return shape.workload("statefulset", item, skew, facts=facts)


def current(_snapshot: Snapshot) -> Revision | None:
    """Return None: the revision is a hash in the status, its object is not needed."""
    return None


def split(snapshot: Snapshot) -> tuple[list[Pod], list[Pod]]:
    """Return the pods of the update revision, and the others."""
    workload = snapshot.workload
    update = workload.facts.get("update") if workload else None
    pods = snapshot.pods or ()
    new = [pod for pod in pods if update and pod.hash == update]
    return new, [pod for pod in pods if pod not in new]


def _fact(workload: Workload, name: str) -> int:
    return shape.number(workload.facts.get(name))


def _partition(workload: Workload) -> int:
    """Return how many pods the partition keeps back: none where there is but one revision."""
    update = workload.facts.get("update")
    if update and update == workload.facts.get("current") and workload.strategy != "OnDelete":
        return 0
    return min(_fact(workload, "partition"), workload.want)


def _ordinal(pod: Pod) -> int:
    return shape.number(pod.name.rpartition("-")[2])


def blocking(snapshot: Snapshot) -> list[Pod]:
    """Return pods of an old revision that are not Ready: ordered management never replaces them."""
    workload = snapshot.workload
    if workload is None or not workload.facts.get("ordered") or workload.strategy == "OnDelete":
        return []
    first = _fact(workload, "start") + _partition(workload)
    _, old = split(snapshot)
    return [pod for pod in old if not pod.deleting and not pod.ready and _ordinal(pod) >= first]


def standing(snapshot: Snapshot) -> set[str]:
    """Return a fact for each blocking pod; it counts after :data:`BLOCKED_SECONDS`."""
    return {f"blocked {pod.uid}" for pod in blocking(snapshot)}


def counted(workload: Workload) -> bool:
    """Say whether the controller's numbers are those of a finished rollout."""
    return workload.observed >= workload.generation and not _counters_short(workload)


def judge(snapshot: Snapshot, expectation: Expectation, memory: Memory, now: float) -> Finding:
    """Judge the rollout of an observed StatefulSet whose template names the image."""
    workload = snapshot.workload
    assert workload is not None
    if workload.want == 0 and workload.counters.total == 0:
        return Finding(State.COMPLETE_EMPTY, "0 replicas wanted: nothing runs the image", reason="empty")
    if workload.strategy == "OnDelete":
        return on_delete(snapshot, *_split_of(snapshot))
    if _partition(workload) >= workload.want:
        return held(
            f"staged: partition {_fact(workload, 'partition')} of {workload.want} keeps every pod on the old revision",
            reason="staged",
            hint=_lower_partition(workload),
        )
    blocked = _blocked(snapshot, workload, expectation, memory, now)
    if blocked is not None:
        return blocked
    short = _counters_short(workload)
    if short:
        return moving(short)
    return _partial(_proven(snapshot, workload), workload, expectation)


def _lower_partition(workload: Workload) -> str:
    patch = '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}'
    return f"kubectl patch statefulset/{workload.name} -n {workload.namespace} --type merge -p '{patch}'"


def _blocked(
    snapshot: Snapshot, workload: Workload, expectation: Expectation, memory: Memory, now: float
) -> Finding | None:
    for pod in blocking(snapshot):
        left = memory.standing.get(f"blocked {pod.uid}", now) + BLOCKED_SECONDS - now
        if left <= 0 and expectation.patience is not Patience.PATIENT:
            return failed(
                f"blocked: {pod.name} of an old revision is not Ready, so nothing replaces it",
                reason="blocked",
                hint=f"kubectl delete pod {pod.name} -n {workload.namespace}",
            )
        return moving(f"{pod.name} of the old revision is not Ready", again=max(left, 0.0) or None)
    return None


def _counters_short(workload: Workload) -> str:
    want, count, partition = workload.want, workload.counters, _partition(workload)
    if count.total != want or count.updated < want - partition or count.ready < want or count.available < want:
        return count.text(want)
    if partition == 0 and workload.facts["current"] != workload.facts["update"]:
        return "its current revision is not yet the new one"
    return ""


def _proven(snapshot: Snapshot, workload: Workload) -> Finding:
    want = workload.want - _partition(workload)
    if snapshot.pods is None:
        return done(f"complete {want}/{workload.want}", Proof.COUNTERS)
    first = _fact(workload, "start") + _partition(workload)
    new, old = split(snapshot)
    wanted = [pod for pod in new if _ordinal(pod) >= first]
    stale = [pod for pod in old if _ordinal(pod) >= first]
    short = short_of_proof(wanted, stale, workload.containers, want)
    return moving(short) if short else done(f"complete {want}/{workload.want}", Proof.PODS)


def _partial(finding: Finding, workload: Workload, expectation: Expectation) -> Finding:
    """Accept a partition only when the caller does."""
    if finding.state is not State.COMPLETE or _partition(workload) == 0 or expectation.allow_partial:
        return finding
    return held(
        f"partial: {workload.want - _partition(workload)}/{workload.want} pods, the partition holds the rest back",
        reason="partial",
        hint=f"{expectation.again('--allow-partial')}  # or: {_lower_partition(workload)}",
    )


def on_delete(snapshot: Snapshot, new: list[Pod], old: list[Pod]) -> Finding:
    """Judge strategy OnDelete, of a StatefulSet or a DaemonSet: a person replaces pods by deleting them."""
    workload = snapshot.workload
    assert workload is not None
    want = workload.want
    if snapshot.pods is None:
        count = workload.counters
        if count.updated >= want and count.available >= want:
            return done(f"complete {want}/{want}", Proof.COUNTERS)
        return held(f"OnDelete: {count.text(want)}", reason="on-delete", hint=_delete_hint(workload, []))
    waiting = [pod for pod in old if pod.live]
    if waiting:
        names = ", ".join(pod.name for pod in waiting[:5]) + (" …" if len(waiting) > 5 else "")  # noqa: PLR2004 -- shown
        return held(
            f"OnDelete: {len(waiting)} pods keep the old revision: {names}",
            reason="on-delete",
            hint=_delete_hint(workload, waiting),
        )
    short = short_of_proof(new, [], workload.containers, want)
    return moving(short) if short else done(f"complete {want}/{want}", Proof.PODS)


def _split_of(snapshot: Snapshot) -> tuple[list[Pod], list[Pod]]:
    """Split by what the pods run where the hash of the new revision is not known."""
    workload = snapshot.workload
    assert workload is not None
    if workload.facts.get("update"):
        return split(snapshot)
    pods = snapshot.pods or ()
    new = [pod for pod in pods if not unproven(pod, workload.containers)]
    return new, [pod for pod in pods if pod not in new]


def _delete_hint(workload: Workload, pods: list[Pod]) -> str:
    names = " ".join(pod.name for pod in pods[:5]) or "POD"
    return f"kubectl delete pod {names} -n {workload.namespace}, one after the other"
