"""``deploy wait``: follow targets until every one has a verdict, or one has failed.

Woken by watches, decided by fresh snapshots, bounded by the clocks in the request.
Layer: the deploy domain's use case.
"""

from __future__ import annotations

from homelab import poll
from homelab.clock import Clock, Wake
from homelab.deploy.events import TargetDecided
from homelab.deploy.evidence import gather
from homelab.deploy.model import State
from homelab.deploy.pursuit import Pursuit
from homelab.deploy.request import DeployResult, TargetResult, WaitRequest, folded
from homelab.errors import UsageError
from homelab.events import Emit
from homelab.kube.port import Cluster
from homelab.outcome import Outcome

#: Beyond the two budgets: for a workload replaced on the way, which starts over.
SLACK = 60.0


def wait(cluster: Cluster, request: WaitRequest, *, clock: Clock, emit: Emit) -> DeployResult:
    """Wait for every target; return when all are done or the first one cannot be.

    Raises UsageError when it cannot tell which container is meant, PermissionMissing when the
    workload may not be read, Unreachable when the server stays away.
    """
    wake = Wake()
    pursuits = [
        Pursuit(cluster, request.expectation(target), clock=clock, emit=emit, wake=wake) for target in request.targets
    ]
    try:
        for pursuit in pursuits:
            pursuit.watch()
        poll.until(
            lambda: _look(pursuits, emit),
            clock=clock,
            emit=emit,
            waiting_for=_named(pursuits),
            every=lambda: min((p.pause() for p in pursuits if not p.final), default=0.0),
            deadline=request.reference_timeout + request.timeout + request.stable_for + SLACK,
            wake=wake,
        )
    finally:
        for pursuit in pursuits:
            pursuit.stop()
    return folded(tuple(_result(pursuit) for pursuit in pursuits))


def _named(pursuits: list[Pursuit]) -> str:
    first = pursuits[0].expectation.target.slug
    return first if len(pursuits) == 1 else f"{len(pursuits)} deploy targets"


def _look(pursuits: list[Pursuit], emit: Emit) -> bool | None:
    """Look at every target without a verdict; True when the wait is over."""
    for pursuit in pursuits:
        if pursuit.final:
            continue
        verdict = pursuit.look()
        if verdict.state is State.AMBIGUOUS:
            raise UsageError(
                f"{pursuit.expectation.target.slug}: {verdict.sentence}",
                why="without a container's name it is not clear whose image is meant",
                fix=f"say which: {verdict.hint}",
            )
        if verdict.state.final and len(pursuits) > 1:
            slug = pursuit.expectation.target.slug
            emit(TargetDecided(slug, state=verdict.state, said=verdict.sentence, exit_code=int(verdict.outcome)))
    over = all(pursuit.final for pursuit in pursuits)
    lost = any(pursuit.final and pursuit.verdict.outcome is not Outcome.DONE for pursuit in pursuits)
    return True if over or lost else None


def _result(pursuit: Pursuit) -> TargetResult:
    verdict, workload, target = pursuit.verdict, pursuit.snapshot.workload, pursuit.expectation.target
    return TargetResult(
        target=target.slug,
        kind=target.kind,
        cluster=pursuit.cluster.name,
        state=verdict.state,
        outcome=verdict.outcome,
        sentence=verdict.sentence,
        reason=verdict.reason,
        proof=verdict.proof,
        skipped=pursuit.snapshot.skipped,
        wanted=pursuit.expectation.wanted.oid or pursuit.expectation.wanted.image,
        live={container.name: container.image for container in workload.containers} if workload else {},
        revision=workload.revision if workload else "",
        hint=verdict.hint,
        evidence=gather(pursuit) if verdict.outcome is not Outcome.DONE else (),
    )
