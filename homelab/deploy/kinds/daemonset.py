"""When a DaemonSet is rolled out. Pure.

Its counters look at one pod a node, the oldest (pkg/controller/daemon/daemon_controller.go).
Layer: the deploy domain, a kind.
"""

from __future__ import annotations

from dataclasses import replace

from homelab.deploy import shape
from homelab.deploy.judgement import Expectation, Memory, Proof, State
from homelab.deploy.kinds.finding import Finding, done, moving
from homelab.deploy.kinds.statefulset import on_delete
from homelab.deploy.model import Counters, Pod, Revision, Snapshot, Workload
from homelab.deploy.proof import short_of_proof
from homelab.kube.port import Json


def read(item: Json, skew: float = 0.0) -> Workload:
    """Return a DaemonSet; what it wants is what its controller found nodes for."""
    status, spec = item.get("status") or {}, item.get("spec") or {}
    pod_spec = (spec.get("template") or {}).get("spec") or {}
    counters = Counters(
        updated=shape.number(status.get("updatedNumberScheduled")),
        ready=shape.number(status.get("numberReady")),
        available=shape.number(status.get("numberAvailable")),
        total=shape.number(status.get("currentNumberScheduled")),
    )
    read_as = shape.workload("daemonset", item, skew, facts={"selects": _selects(pod_spec)})
    return replace(read_as, want=shape.number(status.get("desiredNumberScheduled")), counters=counters)


def _selects(pod_spec: Json) -> str:
    """Return what keeps its pods off nodes, as one clause: selector, affinity, and taints it does not tolerate."""
    chosen = ", ".join(f"{key}={value}" for key, value in (pod_spec.get("nodeSelector") or {}).items())
    affinity = (pod_spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    rules = [
        f"{rule.get('key')} {rule.get('operator')} {','.join(rule.get('values') or [])}".strip()
        for term in required.get("nodeSelectorTerms") or []
        for rule in [*(term.get("matchExpressions") or []), *(term.get("matchFields") or [])]
    ]
    tolerated = [str(one.get("key") or "everything") for one in pod_spec.get("tolerations") or []]
    parts = [
        f"nodeSelector {chosen}" if chosen else "",
        f"affinity {'; '.join(rules)}" if rules else "",
        f"tolerates {', '.join(tolerated)}" if tolerated else "tolerates no taint",
    ]
    return ", ".join(part for part in parts if part)


def revision(item: Json, skew: float = 0.0) -> Revision:
    """Return a ControllerRevision."""
    about = item.get("metadata") or {}
    template = ((item.get("data") or {}).get("spec") or {}).get("template") or {}
    return Revision(
        name=str(about.get("name") or ""),
        uid=str(about.get("uid") or ""),
        number=shape.number(item.get("revision")),
        hash=str((about.get("labels") or {}).get("controller-revision-hash") or ""),
        created=shape.moment(about.get("creationTimestamp"), skew),
        containers=shape.containers(template),
        cause=str((about.get("annotations") or {}).get("kubernetes.io/change-cause") or ""),
    )


def current(snapshot: Snapshot) -> Revision | None:
    """Return the newest revision by number."""
    return max(snapshot.revisions or (), key=lambda revision: revision.number, default=None)


def split(snapshot: Snapshot) -> tuple[list[Pod], list[Pod]]:
    """Return the pods of the newest revision, and the others."""
    newest = current(snapshot)
    pods = snapshot.pods or ()
    new = [pod for pod in pods if newest is not None and pod.hash == newest.hash]
    return new, [pod for pod in pods if pod not in new]


def standing(_snapshot: Snapshot) -> set[str]:
    """Return nothing: no fact of a DaemonSet needs to age."""
    return set()


def counted(workload: Workload) -> bool:
    """Say whether the controller's numbers are those of a finished rollout."""
    count, want = workload.counters, workload.want
    finished = count.updated == count.total == want and count.available == want
    return workload.observed >= workload.generation and finished


def judge(snapshot: Snapshot, expectation: Expectation, _memory: Memory, _now: float) -> Finding:
    """Judge the rollout of an observed DaemonSet whose template names the image."""
    workload = snapshot.workload
    assert workload is not None
    if workload.want == 0:
        said = f"no node is meant to run it ({workload.facts.get('selects')})"
        return Finding(State.COMPLETE_EMPTY, said, reason="empty")
    if workload.strategy == "OnDelete":
        return on_delete(snapshot, *split(snapshot))
    left_out = _left_out(snapshot) if expectation.ignore_unready_nodes else frozenset[str]()
    want = workload.want - len(left_out)
    if want <= 0:
        return moving(f"none of its {workload.want} nodes is ready: {', '.join(sorted(left_out))}")
    if not left_out and not counted(workload):
        return moving(_said(workload, snapshot))
    if snapshot.pods is None or snapshot.revisions is None:
        return done(f"complete {want}/{want}", Proof.COUNTERS)
    new, old = split(snapshot)
    short = short_of_proof(
        [pod for pod in new if pod.node not in left_out],
        [pod for pod in old if pod.node not in left_out],
        workload.containers,
        want,
    )
    without = f", without {', '.join(sorted(left_out))}" if left_out else ""
    return moving(short) if short else done(f"complete {want}/{workload.want}{without}", Proof.PODS)


def _left_out(snapshot: Snapshot) -> frozenset[str]:
    """Return the nodes that are not ready or cordoned and hold one of our pods."""
    ours = {pod.node for pod in snapshot.pods or ()}
    return frozenset(
        node.name for node in snapshot.nodes or () if node.name in ours and (not node.ready or node.cordoned)
    )


def _said(workload: Workload, snapshot: Snapshot) -> str:
    """Return the counters, and the dead node that holds them back where it is known."""
    dead = ", ".join(sorted(_left_out(snapshot)))
    return workload.counters.text(workload.want) + (f"; not ready: {dead}" if dead else "")
