"""``deploy wait``: follow targets until every one has a verdict, or one has failed.

Woken by watches, decided by fresh snapshots, bounded by the clocks in the request.
Layer: the deploy domain's use case.
"""

from __future__ import annotations

from collections.abc import Sequence

from homelab import poll
from homelab.clock import Clock, Wake
from homelab.deploy.applied import Applied
from homelab.deploy.composite import Composite
from homelab.deploy.events import TargetDecided
from homelab.deploy.evidence import gather
from homelab.deploy.gitops import ownership
from homelab.deploy.gitops.delivered import Delivered
from homelab.deploy.group import Group
from homelab.deploy.judgement import Proof, State
from homelab.deploy.next_command import in_its_cluster
from homelab.deploy.pursuit import Pursuit
from homelab.deploy.request import DeployResult, TargetResult, WaitRequest, folded
from homelab.deploy.scheduled import Scheduled, runs
from homelab.errors import UsageError
from homelab.events import Emit
from homelab.kube.port import Cluster
from homelab.outcome import Outcome
from homelab.settings.model import DeployTarget

#: Beyond the two budgets: for a workload replaced on the way, which starts over.
SLACK = 60.0
#: Seconds between two signs of life.
HEARTBEAT = 30.0


def wait(cluster: Cluster, request: WaitRequest, *, clock: Clock, emit: Emit) -> DeployResult:
    """Wait for every target in one cluster; see :func:`wait_each`."""
    return wait_each([(cluster, request)], clock=clock, emit=emit)


def wait_each(asked: Sequence[tuple[Cluster, WaitRequest]], *, clock: Clock, emit: Emit) -> DeployResult:
    """Wait for every target in every cluster; return when all are done or the first one cannot be.

    Raises UsageError when it cannot tell which container is meant, PermissionMissing when a
    workload may not be read, Unreachable when a server stays away.
    """
    wake = Wake()
    for _, request in asked:
        if request.beside.registry is not None:
            request.beside.registry.rings(wake)
    followers = _followers(asked, clock=clock, emit=emit, wake=wake)
    ends = [request.longest + (0.0 if request.overall else SLACK) for _, request in asked]
    followed = [one for follower in followers for one in _targets(follower)]
    told: set[str] = set()
    try:
        for follower in followers:
            follower.start()
        poll.until(
            lambda: _look(followers, told, emit),
            clock=clock,
            emit=emit,
            waiting_for=followed[0].slug if len(followed) == 1 else f"{len(followed)} deploy targets",
            every=lambda: min(follower.pause() for follower in followers),
            deadline=max(ends),
            wake=wake,
            heartbeat=HEARTBEAT,
        )
    finally:
        for follower in followers:
            follower.stop()
    return folded(tuple(_result(one, followers) for one in followed))


def _followers(
    asked: Sequence[tuple[Cluster, WaitRequest]], *, clock: Clock, emit: Emit, wake: Wake
) -> list[Group | Composite]:
    """Return what follows the targets: a group for each namespace, one by itself for each GitOps object."""
    several = len({cluster.name for cluster, _ in asked}) > 1
    found: list[Group | Composite] = []
    for cluster, request in asked:

        def slug(target: DeployTarget, cluster: Cluster = cluster) -> str:
            return f"{cluster.name}:{target.slug}" if several else target.slug

        spaces: dict[str, list[Pursuit]] = {}
        leaders: dict[str, Delivered] = {}
        for target in request.targets:
            expectation = request.expectation(target)
            if runs(target, wanted=request.run):
                found.append(Scheduled(cluster, expectation, slug=slug(target), clock=clock, emit=emit, wake=wake))
                continue
            if target.kind in ownership.APIS:
                found.append(Applied(cluster, expectation, slug=slug(target), clock=clock, emit=emit, wake=wake))
                continue
            if request.gitops is not None:
                owner = f"{slug(target)} (GitOps)"
                delivered = Delivered(cluster, expectation, slug=owner, clock=clock, emit=emit, wake=wake)
                delivered.leaders = leaders
                found.append(delivered)
            pursuit = Pursuit(expectation, cluster=cluster.name, slug=slug(target), clock=clock, emit=emit)
            spaces.setdefault(target.namespace, []).append(pursuit)
        found += [Group(cluster, pursuits, clock=clock, emit=emit, wake=wake) for pursuits in spaces.values()]
    return found


def _targets(follower: Group | Composite) -> Sequence[Pursuit | Composite]:
    return follower.pursuits if isinstance(follower, Group) else [follower]


def _look(followers: Sequence[Group | Composite], told: set[str], emit: Emit) -> bool | None:
    """Look at every target without a verdict; True when the wait is over."""
    for follower in followers:
        follower.look()
    followed = [one for follower in followers for one in _targets(follower)]
    for one in followed:
        _refuse_ambiguity(one)
        if one.final and len(followed) > 1 and one.slug not in told:
            told.add(one.slug)
            verdict = one.verdict
            decided = TargetDecided(
                one.slug, state=verdict.state, said=verdict.sentence, exit_code=int(verdict.outcome)
            )
            emit(decided)
    lost = any(one.final and one.verdict.outcome is not Outcome.DONE for one in followed)
    return True if lost or all(one.final for one in followed) else None


def _refuse_ambiguity(one: Pursuit | Composite) -> None:
    if one.verdict.state is State.AMBIGUOUS:
        raise UsageError(
            f"{one.slug}: {one.verdict.sentence}",
            why="without a container's name it is not clear whose image is meant",
            fix=one.verdict.hint,
        )


def _result(one: Pursuit | Composite, followers: Sequence[Group | Composite]) -> TargetResult:
    verdict, workload, wanted = one.verdict, one.snapshot.workload, one.expectation.wanted
    return TargetResult(
        target=one.slug,
        kind=one.target.kind,
        cluster=one.cluster,
        state=verdict.state,
        outcome=verdict.outcome,
        sentence=verdict.sentence,
        reason=verdict.reason,
        proof=verdict.proof,
        skipped=(*one.snapshot.skipped, *_unanswered(one)),
        wanted=wanted.oid or wanted.image,
        live={container.name: container.image for container in workload.containers} if workload else {},
        revision=workload.revision if workload else "",
        hint=in_its_cluster(verdict.hint, one.expectation),
        evidence=() if verdict.outcome is Outcome.DONE else _evidence(one, followers),
    )


def _unanswered(one: Pursuit | Composite) -> tuple[str, ...]:
    """Return the proof that no registry gave, as a sentence."""
    why = one.expectation.known.unanswered
    return (f"no digest proof: {why}",) if why and one.verdict.proof is not Proof.DIGEST else ()


def _evidence(one: Pursuit | Composite, followers: Sequence[Group | Composite]) -> tuple[str, ...]:
    """Return the evidence of a target that is not done; of a GitOps object, that of its workload."""
    if isinstance(one, Composite):
        view = one.snapshot.gitops
        lines = [f"{view.shown}: {view.summary}"] if view else []
        lost = [p for p in one.carrying() if p.final and p.verdict.outcome is not Outcome.DONE]
        inner = gather(lost[0], _group_of(lost[0], one.groups)) if lost else ()
        command = in_its_cluster(one.verdict.hint, one.expectation)
        hint = [f"next: {command}"] if command and not inner else []
        return (*lines, *inner, *hint)
    return gather(one, _group_of(one, followers))


def _group_of(pursuit: Pursuit, followers: Sequence[Group | Composite]) -> Group:
    return next(group for group in followers if isinstance(group, Group) and pursuit in group.pursuits)
