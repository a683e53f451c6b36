"""``deploy status``: one look at each target, judged by the same rules as the wait.

Layer: the deploy domain's use case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from homelab.clock import Clock, Wake
from homelab.deploy import once
from homelab.deploy.ages import ago
from homelab.deploy.applied import Applied
from homelab.deploy.beside import settled
from homelab.deploy.gitops import ownership
from homelab.deploy.gitops.owner import owner_view
from homelab.deploy.judgement import OUTCOMES, Expectation, Memory, Proof, State, Verdict
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.memory import remember
from homelab.deploy.model import Container, GitOps, Snapshot, Workload
from homelab.deploy.next_command import in_its_cluster
from homelab.deploy.pod_lines import pod_lines
from homelab.deploy.reference import Wanted, match_marked
from homelab.deploy.request import WORST_FIRST, WaitRequest
from homelab.deploy.verdict import verdict
from homelab.kube.port import Cluster
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.settings.model import DeployTarget


@dataclass(frozen=True, slots=True)
class Live:
    """A container that carries the app: its name, its image, and how that names the wanted commit, or ""."""

    container: str
    image: str
    match: str


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """How one target stands now: what is judged, and what a person asks next."""

    target: str
    kind: str
    cluster: str
    verdict: Verdict
    #: The commit or image, "" where none is known.
    wanted: str = ""
    live: tuple[Live, ...] = ()
    revision: str = ""
    #: Seconds since the template was written, where that is known.
    age: float | None = None
    owner: str = ""
    #: What the GitOps owner says, or "".
    gitops: str = ""
    #: Proofs that RBAC denies.
    skipped: tuple[str, ...] = ()
    #: What ails its pods, a line each.
    troubled: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the status for a reader."""
        told = [f"{self.target}: {self.verdict.sentence}"]
        told += [f"  {one.container}  {one.image}" + (f"  ({one.match})" if one.match else "") for one in self.live]
        facts = [f"revision {self.revision}"] if self.revision else []
        facts += [f"template {ago(self.age)} old"] if self.age is not None else []
        facts += [f"by {self.owner}"] if self.owner else []
        told += [f"  {', '.join(facts)}"] if facts else []
        told += [f"  {line}" for line in (self.gitops, *self.skipped, *self.troubled) if line]
        return told + ([f"  next: {self.verdict.hint}"] if self.verdict.hint else [])

    def record(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        plain = {key: value for key, value in asdict(self).items() if key != "verdict"}
        verdict = self.verdict
        return {
            **plain,
            "state": verdict.state.value,
            "outcome": verdict.outcome.word,
            "exit_code": int(verdict.outcome),
            "sentence": verdict.sentence,
            "proof": verdict.proof.value,
            "hint": verdict.hint,
        }


@dataclass(frozen=True, slots=True)
class StatusResult(Result):
    """The status of every target; the worst decides."""

    targets: tuple[TargetStatus, ...] = ()

    def lines(self) -> list[str]:
        """Return every target's lines."""
        return [line for target in self.targets for line in target.lines()]

    def record(self) -> dict[str, Any]:
        """Return every target."""
        return {"targets": [target.record() for target in self.targets]}


def status(asked: Sequence[tuple[Cluster, WaitRequest]], *, clock: Clock) -> StatusResult:
    """Look once at every target in every cluster."""
    several = len({cluster.name for cluster, _ in asked}) > 1
    found = tuple(
        _Look(cluster, request, target, clock, f"{cluster.name}:{target.slug}" if several else target.slug).taken()
        for cluster, request in asked
        for target in request.targets
    )
    worst = min(found, key=lambda one: WORST_FIRST.index(one.verdict.outcome))
    done = sum(one.verdict.outcome is Outcome.DONE for one in found)
    headline = f"{worst.target}: {worst.verdict.sentence}" if len(found) == 1 else f"{done}/{len(found)} targets done"
    return StatusResult(worst.verdict.outcome, headline, targets=found)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at one target."""

    cluster: Cluster
    request: WaitRequest
    target: DeployTarget
    clock: Clock
    slug: str

    def taken(self) -> TargetStatus:
        # A look is not a wait: what is not there now is not there, and what holds now holds.
        expectation = replace(self.request.expectation(self.target), stable_for=0.0, reference_timeout=float("inf"))
        found = self._of_object(expectation) if self.target.kind in ownership.APIS else self._of_workload(expectation)
        judged = found.verdict
        return replace(found, verdict=replace(judged, hint=in_its_cluster(judged.hint, expectation)))

    def _of_workload(self, expectation: Expectation) -> TargetStatus:
        snapshot = once.look(self.cluster, self.target, clock=self.clock, events=True)
        workload, now = snapshot.workload, self.clock.now()
        if workload is None:
            return TargetStatus(self.slug, self.target.kind, self.cluster.name, _absent(self.target))
        unknown = not expectation.wanted.shown
        if unknown and workload.containers:
            chosen = workload.containers[0]
            wanted = Wanted(image=chosen.image, trust_tag=True)
            expectation = replace(expectation, wanted=wanted, target=replace(self.target, container=chosen.name))
        expectation = replace(expectation, known=settled(workload, expectation, self.clock))
        memory = remember(Memory(began=now), snapshot, expectation, now)
        judged = verdict(snapshot, expectation, memory, now)
        owner = ownership.owner_of(workload)
        view = owner_view(self.cluster, workload, now=now)
        return TargetStatus(
            self.slug,
            self.target.kind,
            self.cluster.name,
            judged,
            wanted="" if unknown else expectation.wanted.oid or expectation.wanted.image,
            live=_live(workload, None if unknown else expectation.wanted),
            revision=workload.revision,
            age=_age(snapshot, workload, now),
            owner=owner.shown if owner else "",
            gitops=f"{view.shown}: {view.summary}" if view else "",
            skipped=snapshot.skipped,
            troubled=tuple(pod_lines(snapshot, judged.troubles)),
        )

    def _of_object(self, expectation: Expectation) -> TargetStatus:
        """Judge a GitOps object as the wait does: by its own word, and by the workloads it applied."""
        wanted = expectation.wanted
        looked = Applied(
            self.cluster,
            expectation,
            slug=self.slug,
            clock=self.clock,
            emit=lambda _event: None,
            wake=Wake(),
            listening=False,
        )
        looked.look()
        view = looked.snapshot.gitops
        workloads = [one.snapshot.workload for one in looked.carrying() or looked.pursuits]
        return TargetStatus(
            self.slug,
            self.target.kind,
            self.cluster.name,
            _absent(self.target) if view is None else _now(view, looked.verdict, known=bool(wanted.shown)),
            wanted=wanted.oid or wanted.image,
            live=tuple(one for w in workloads if w for one in _live(w, wanted if wanted.shown else None, named=True)),
            revision=view.revision if view else "",
            gitops=f"{view.shown}: {view.summary}" if view else "",
        )


def _absent(target: DeployTarget) -> Verdict:
    return Verdict(State.ABSENT, f"no such {target.kind}", outcome=OUTCOMES[State.ABSENT])


def _now(view: GitOps, judged: Verdict, *, known: bool) -> Verdict:
    """Return what a wait would say at once: what it says only after a while, and without a commit its own word."""
    if view.stuck:
        found = Verdict(State.NEEDS_ACTION, f"{view.stuck}; {view.summary}", hint=view.hint)
    elif view.failed or view.error:
        found = Verdict(State.FAILED, view.failed or view.error, hint=view.hint)
    elif known:
        return judged
    else:
        found = Verdict(State.COMPLETE if view.settled else State.PROGRESSING, view.summary, proof=Proof.OBJECT)
    return replace(found, outcome=OUTCOMES[found.state])


def _live(workload: Workload, wanted: Wanted | None, *, named: bool = False) -> tuple[Live, ...]:
    place = f"{workload.kind}/{workload.name} " if named else ""
    return tuple(Live(place + c.name, c.image, "" if wanted is None else _how(c, wanted)) for c in workload.containers)


def _age(snapshot: Snapshot, workload: Workload, now: float) -> float | None:
    """Return how long ago the template was written: by its writer's stamp, else by its revision's birth."""
    revision = KINDS[workload.kind].current(snapshot)
    born = workload.written if workload.written is not None else (revision.created if revision else None)
    return None if born is None else now - born


def _how(container: Container, wanted: Wanted) -> str:
    found = match_marked(container.image, container.marks, wanted)
    if found.proves:
        return f"is {wanted.shown}"
    return "tag says so, digest not verified" if found == "hint" else ""
