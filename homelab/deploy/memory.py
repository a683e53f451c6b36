"""What one look leaves behind for the next. Pure: a memory and a snapshot give a memory.

Layer: the deploy domain, beside the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from homelab.deploy.early import LOOPING
from homelab.deploy.identity import names_it
from homelab.deploy.judgement import Best, Expectation, Memory, Seen, State, TroubleKey
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import Pod, Snapshot, Workload
from homelab.deploy.signals import pull_cause
from homelab.deploy.trouble import signals_of
from homelab.deploy.verdict import judged


def remember(memory: Memory, snapshot: Snapshot, expectation: Expectation, now: float) -> Memory:
    """Return the memory after ``snapshot``. Call it before ``verdict`` on the same snapshot."""
    workload = snapshot.workload
    if workload is None:
        return replace(memory, standing=_standing(memory, {"absent"}, now), complete_at=None)
    if memory.uid and workload.uid != memory.uid:
        # Replaced under the same name: nothing learnt about the old object holds for this one. A deadline of the
        # whole wait goes on.
        memory = Memory(began=memory.began if expectation.overall else now)
    met = names_it(workload.containers, expectation)
    before = memory.last
    memory = replace(
        memory,
        uid=workload.uid,
        reached=memory.reached or met,
        reference_at=(memory.reference_at if memory.reference_at is not None else now) if met else None,
        standing=_standing(memory, _facts(snapshot, workload), now),
        last=workload,
        changed_at=now if before is not None and before.template != workload.template else memory.changed_at,
        causes={**memory.causes, **_causes(snapshot)},
    )
    # Another spec has another way to go: what was reached on the last one is no measure.
    anew = memory.reference_at == now or before is None or before.generation != workload.generation
    memory = _with_progress(memory, workload, snapshot, now, anew=anew)
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


def _with_progress(memory: Memory, workload: Workload, snapshot: Snapshot, now: float, *, anew: bool) -> Memory:
    """Note the time when anything got further than it ever was: what falls back and comes again is no progress."""
    count, best = workload.counters, None if anew else memory.best
    old = count.total - count.updated
    stages = {} if anew else memory.stages
    reached = {pod.uid: _stage(pod) for pod in snapshot.pods or ()}
    further = (
        best is None
        or any(stage > stages.get(uid, 0) for uid, stage in reached.items())
        or count.updated > best.updated
        or count.ready > best.ready
        or count.available > best.available
        or old < best.old
    )
    return replace(
        memory,
        progress_at=now if further else memory.progress_at,
        best=Best(count.updated, count.ready, count.available, old) if best is None else best.with_more(count),
        stages={uid: max(stage, stages.get(uid, 0)) for uid, stage in reached.items()},
    )


def _troubles(memory: Memory, snapshot: Snapshot, now: float) -> dict[TroubleKey, Seen]:
    """Start a clock for each new sign; keep it until its pod is Ready or gone, so that flapping cannot reset it."""
    pods = {pod.uid: pod for pod in snapshot.pods or ()}
    present = {(signal.uid, signal.container, signal.kind): signal for signal in signals_of(snapshot, memory)}
    kept = {
        key: seen
        for key, seen in memory.troubles.items()
        if key in present or (key[0] in pods and not pods[key[0]].ready)
    }
    for key, signal in present.items():
        seen = kept.get(key)
        if seen is None:
            # Restarts of a pod older than this wait are history; those of a younger one all count.
            pod = pods.get(signal.uid)
            young = pod is not None and (pod.created or 0.0) >= memory.began
            seen = Seen(since=now, restarts=0 if young or pod is None else signal.restarts)
        if signal.kind in LOOPING and not seen.standing:
            # Between two crashes nothing stands: the seconds begin with the back-off.
            seen = replace(seen, since=now, standing=signal.looping)
        kept[key] = seen
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
