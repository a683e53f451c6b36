"""What one look leaves behind for the next. Pure: a memory and a snapshot give a memory.

Layer: the deploy domain, beside the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from homelab.deploy.identity import names_it
from homelab.deploy.judgement import Expectation, Memory, Seen, State, TroubleKey
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import Counters, Pod, Snapshot, Workload
from homelab.deploy.signals import pull_cause
from homelab.deploy.verdict import judged, signals_of


def remember(memory: Memory, snapshot: Snapshot, expectation: Expectation, now: float) -> Memory:
    """Return the memory after ``snapshot``. Call it before ``verdict`` on the same snapshot."""
    workload = snapshot.workload
    if workload is None:
        return replace(memory, standing=_standing(memory, {"absent"}, now), complete_at=None)
    if memory.uid and workload.uid != memory.uid:
        # Replaced under the same name: nothing learnt about the old object holds for this one.
        memory = Memory(began=now)
    met = names_it(workload.containers, expectation)
    memory = replace(
        memory,
        uid=workload.uid,
        reached=memory.reached or met,
        reference_at=(memory.reference_at if memory.reference_at is not None else now) if met else None,
        standing=_standing(memory, _facts(snapshot, workload), now),
        last=workload,
        causes={**memory.causes, **_causes(snapshot)},
    )
    memory = _with_progress(memory, workload, snapshot, now)
    memory = replace(memory, troubles=_troubles(memory, snapshot, now))
    return _with_completion(memory, snapshot, expectation, now, met=met)


def _facts(snapshot: Snapshot, workload: Workload) -> set[str]:
    facts = KINDS[workload.kind].standing(snapshot)
    if snapshot.gitops is not None and snapshot.gitops.stuck:
        facts |= {"gitops"}
    return facts | ({"unobserved"} if workload.observed < workload.generation else set())


def _standing(memory: Memory, facts: set[str], now: float) -> Mapping[str, float]:
    return {fact: memory.standing.get(fact, now) for fact in facts}


def _causes(snapshot: Snapshot) -> dict[tuple[str, str], str]:
    found = {}
    for pod in snapshot.pods or ():
        for container in pod.containers:
            if container.waiting in ("ErrImagePull", "ImagePullBackOff"):
                cause = pull_cause(pod, container, snapshot.events or ())
                if cause:
                    found[pod.uid, container.name] = cause
    return found


def _stage(pod: Pod) -> int:
    return 2 if pod.ready else int(pod.phase == "Running")


def _with_progress(memory: Memory, workload: Workload, snapshot: Snapshot, now: float) -> Memory:
    """Note the time when anything moved towards the end."""
    stages = {pod.uid: _stage(pod) for pod in snapshot.pods or ()}
    moved = any(stage > memory.stages.get(uid, 0) for uid, stage in stages.items())
    if memory.counters is None or memory.reference_at == now or moved or _rose(memory.counters, workload.counters):
        memory = replace(memory, progress_at=now)
    return replace(memory, counters=workload.counters, stages=stages)


def _rose(before: Counters, after: Counters) -> bool:
    return (
        after.updated > before.updated
        or after.ready > before.ready
        or after.available > before.available
        or after.total - after.updated < before.total - before.updated
    )


def _troubles(memory: Memory, snapshot: Snapshot, now: float) -> dict[TroubleKey, Seen]:
    """Start a clock for each new sign; keep it until its pod is Ready or gone, so that flapping cannot reset it."""
    unready = {pod.uid for pod in snapshot.pods or () if not pod.ready}
    created = {pod.uid: pod.created for pod in snapshot.pods or ()}
    signals = signals_of(snapshot, memory)
    present = {(signal.uid, signal.container, signal.kind): signal for signal in signals}
    kept = {key: seen for key, seen in memory.troubles.items() if key in present or key[0] in unready}
    for key, signal in present.items():
        if key not in kept:
            # Restarts of a pod older than this wait are history; those of a younger one all count.
            young = (created.get(signal.uid) or 0.0) >= memory.began
            kept[key] = Seen(since=now, restarts=0 if young else signal.restarts)
    return kept


def _with_completion(memory: Memory, snapshot: Snapshot, expectation: Expectation, now: float, *, met: bool) -> Memory:
    """Note since when the rollout is finished, by the pods' own stamps where they tell."""
    if not met:
        return replace(memory, complete_at=None, restarts_at_complete={})
    finding = judged(snapshot, expectation, memory, now)
    if finding.state is not State.COMPLETE:
        return replace(memory, complete_at=None)
    if not snapshot.fresh:
        return memory
    stamps = [pod.ready_since for pod in snapshot.pods or () if pod.live]
    told = [stamp for stamp in stamps if stamp is not None]
    since = min(max(told), now) if told and len(told) == len(stamps) else now
    if memory.complete_at is not None:
        # A pod that became Ready again between two looks has restarted, or is new: the hold counts from there.
        since = max(memory.complete_at, min(max(told, default=memory.complete_at), now))
    restarts = {(pod.uid, c.name): c.restarts for pod in snapshot.pods or () for c in pod.containers if pod.live}
    return replace(memory, complete_at=since, restarts_at_complete={**restarts, **memory.restarts_at_complete})
