"""``deploy status``: one look at each target, judged by the same rules as the wait.

Layer: the deploy domain's use case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from homelab.clock import Clock
from homelab.deploy import gitops, once
from homelab.deploy.group import owner_view
from homelab.deploy.judgement import Memory, Proof, State, Verdict
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.memory import remember
from homelab.deploy.model import Container, Snapshot
from homelab.deploy.reference import Wanted, match_marked
from homelab.deploy.request import WORST_FIRST, WaitRequest
from homelab.deploy.verdict import verdict
from homelab.errors import HttpStatus, PermissionMissing
from homelab.kube.port import Cluster
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.settings.model import DeployTarget

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """How one target stands now."""

    target: str
    kind: str
    cluster: str
    state: State
    outcome: Outcome
    sentence: str
    proof: Proof
    wanted: str
    #: (container, image, how it names the wanted commit) of each container.
    live: tuple[tuple[str, str, str], ...]
    revision: str
    #: Seconds since the template was written, where that is known.
    age: float | None
    owner: str
    #: What the GitOps owner says, or "".
    gitops: str
    hint: str

    def lines(self) -> list[str]:
        """Return the status for a reader."""
        told = [f"{self.target}: {self.sentence}"]
        told += [f"  {name}  {image}" + (f"  ({how})" if how else "") for name, image, how in self.live]
        facts = [f"revision {self.revision}"] if self.revision else []
        facts += [f"template {ago(self.age)} old"] if self.age is not None else []
        facts += [f"by {self.owner}"] if self.owner else []
        if facts:
            told.append("  " + ", ".join(facts))
        return told + ([f"  {self.gitops}"] if self.gitops else [])

    def record(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        return {
            "target": self.target,
            "kind": self.kind,
            "cluster": self.cluster,
            "state": self.state.value,
            "outcome": self.outcome.word,
            "exit_code": int(self.outcome),
            "sentence": self.sentence,
            "proof": self.proof.value,
            "wanted": self.wanted,
            "live": [{"container": name, "image": image, "match": how} for name, image, how in self.live],
            "revision": self.revision,
            "age": self.age,
            "owner": self.owner,
            "gitops": self.gitops,
            "hint": self.hint,
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


def ago(seconds: float) -> str:
    """Return a duration as people say it: ``42s``, ``7m``, ``3h``, ``12d``."""
    for unit, letter in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if seconds >= unit:
            return f"{seconds / unit:.0f}{letter}"
    return f"{max(seconds, 0):.0f}s"


def status(asked: Sequence[tuple[Cluster, WaitRequest]], *, clock: Clock) -> StatusResult:
    """Look once at every target in every cluster."""
    found = tuple(
        _status(cluster, request, target, clock=clock) for cluster, request in asked for target in request.targets
    )
    worst = min(found, key=lambda one: WORST_FIRST.index(one.outcome))
    done = sum(one.outcome is Outcome.DONE for one in found)
    headline = f"{worst.target}: {worst.sentence}" if len(found) == 1 else f"{done}/{len(found)} targets done"
    return StatusResult(worst.outcome, headline, targets=found)


def _status(cluster: Cluster, request: WaitRequest, target: DeployTarget, *, clock: Clock) -> TargetStatus:
    if target.kind in gitops.APIS:
        return _of_gitops(cluster, target)
    snapshot = once.look(cluster, target, clock=clock, events=True)
    # A look is not a wait: what is not there now is not there, and what holds now holds.
    expectation = replace(request.expectation(target), stable_for=0.0, reference_timeout=float("inf"))
    unknown = not expectation.wanted.shown
    if unknown and snapshot.workload is not None and snapshot.workload.containers:
        chosen = snapshot.workload.containers[0]
        wanted = Wanted(image=chosen.image, trust_tag=True)
        expectation = replace(expectation, wanted=wanted, target=replace(target, container=chosen.name))
    now = clock.now()
    memory = remember(Memory(began=now), snapshot, expectation, now)
    concluded = verdict(snapshot, expectation, memory, now)
    return _told(cluster, target, snapshot, expectation.wanted, concluded, unknown=unknown, now=now)


def _told(
    cluster: Cluster,
    target: DeployTarget,
    snapshot: Snapshot,
    wanted: Wanted,
    concluded: Verdict,
    *,
    unknown: bool,
    now: float,
) -> TargetStatus:
    workload = snapshot.workload
    owner = gitops.owner_of(workload) if workload else None
    view = owner_view(cluster, workload) if workload else None
    state, outcome, sentence = concluded.state, concluded.outcome, concluded.sentence
    if workload is None:
        state, outcome, sentence = State.ABSENT, Outcome.NOTHING, f"no such {target.kind}"
    live = workload.containers if workload else ()
    return TargetStatus(
        target=target.slug,
        kind=target.kind,
        cluster=cluster.name,
        state=state,
        outcome=outcome,
        sentence=sentence,
        proof=concluded.proof,
        wanted="" if unknown else wanted.oid or wanted.image,
        live=tuple((c.name, c.image, "" if unknown else _how(c, wanted)) for c in live),
        revision=workload.revision if workload else "",
        age=_age(snapshot, now),
        owner=owner.shown if owner else "",
        gitops=f"{view.shown}: {view.summary}" if view else "",
        hint=concluded.hint,
    )


def _age(snapshot: Snapshot, now: float) -> float | None:
    """Return how long ago the template was written: by its writer's stamp, else by its revision's birth."""
    workload = snapshot.workload
    if workload is None:
        return None
    revision = KINDS[workload.kind].current(snapshot)
    born = workload.written if workload.written is not None else (revision.created if revision else None)
    return None if born is None else now - born


def _how(container: Container, wanted: Wanted) -> str:
    found = match_marked(container.image, container.marks, wanted)
    if found.proves:
        return f"is {wanted.shown}"
    return "tag says so, digest not verified" if found == "hint" else ""


def _of_gitops(cluster: Cluster, target: DeployTarget) -> TargetStatus:
    """Return the status of a GitOps object, in its own words: its workloads are targets of their own."""
    api, plural = gitops.APIS[target.kind]
    path = f"{api}/namespaces/{target.namespace}/{plural}/{target.name}"
    state, outcome, sentence, hint, revision = State.ABSENT, Outcome.NOTHING, f"no such {target.kind}", "", ""
    try:
        view = gitops.read(target.kind, cluster.get(path), cluster.skew)
    except PermissionMissing:
        raise
    except HttpStatus:
        pass
    else:
        sentence, hint, revision = view.summary, view.hint, view.revision
        state, outcome = State.PROGRESSING, Outcome.PENDING
        if view.stuck:
            state, outcome, sentence = State.NEEDS_ACTION, Outcome.PERSON, f"{view.stuck}; {view.summary}"
        elif view.failed:
            state, outcome, sentence = State.FAILED, Outcome.RED, view.failed
        elif view.settled:
            state, outcome = State.COMPLETE, Outcome.DONE
    return TargetStatus(
        target=target.slug,
        kind=target.kind,
        cluster=cluster.name,
        state=state,
        outcome=outcome,
        sentence=sentence,
        proof=Proof.NONE,
        wanted="",
        live=(),
        revision=revision,
        age=None,
        owner="",
        gitops="",
        hint=hint,
    )
