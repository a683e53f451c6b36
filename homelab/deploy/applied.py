"""A GitOps object as a target: settled by its own word, proven by the workloads it applied.

An Application can be Synced and Healthy about the commit before, or for a moment before its
controllers act; so its workloads are followed like any other target, and all must succeed.
Layer: the deploy domain, beside the group.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus

from homelab.clock import Clock, Wake
from homelab.deploy import events as said
from homelab.deploy import gitops
from homelab.deploy.group import POLL_LONGEST, POLL_MOVING, Group, ask_to_look_now
from homelab.deploy.judgement import OUTCOMES, Expectation, Proof, State, Verdict
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import GitOps, Snapshot
from homelab.deploy.pursuit import Pursuit
from homelab.deploy.reference import match_tag
from homelab.errors import HttpStatus, Unreachable
from homelab.events import Emit, Event
from homelab.kube.port import Cluster
from homelab.outcome import Outcome
from homelab.registry.reference import same_repository
from homelab.settings.model import DeployTarget

#: What the object says must stand this long to count: it is often said in passing.
STUCK_SECONDS, FAILED_SECONDS = 30.0, 60.0
#: Workloads of one object that are followed.
MOST_WORKLOADS = 50


class Applied:
    """Follows one GitOps object and the workloads it applied."""

    def __init__(
        self, cluster: Cluster, expectation: Expectation, *, slug: str, clock: Clock, emit: Emit, wake: Wake
    ) -> None:
        """Start the reference clock now."""
        self.cluster_port, self.expectation, self.slug = cluster, expectation, slug
        self.cluster = cluster.name
        self._clock, self._emit, self._wake = clock, emit, wake
        self.began = clock.now()
        self.snapshot = Snapshot(at=self.began, workload=None)
        self.verdict = Verdict(State.REFERENCE, "not looked at yet")
        self.groups: list[Group] = []
        self._since: dict[str, float] = {}
        self._told: set[object] = set()
        self._looks = 0

    @property
    def target(self) -> DeployTarget:
        """The target."""
        return self.expectation.target

    @property
    def final(self) -> bool:
        """Say whether waiting longer cannot change the verdict."""
        return self.verdict.state.final

    @property
    def pursuits(self) -> list[Pursuit]:
        """Return the workloads that are followed."""
        return [pursuit for group in self.groups for pursuit in group.pursuits]

    def start(self) -> None:
        """Nothing to open yet: the watches are those of its workloads."""

    def stop(self) -> None:
        """Close the watches of its workloads."""
        for group in self.groups:
            group.stop()

    def pause(self) -> float:
        """Return the seconds until the next look is due."""
        own = POLL_MOVING if self.verdict.state is not State.REFERENCE else POLL_LONGEST
        return min([own, *(group.pause() for group in self.groups)])

    def look(self) -> bool:
        """Look at the object and at its workloads."""
        if self.final:
            return False
        try:
            view = self._view()
        except Unreachable:
            if not self._looks:
                raise
            view = self.snapshot.gitops
        if view is not None and self.expectation.refresh and not self._looks:
            stamp = datetime.fromtimestamp(self._clock.now(), UTC).isoformat()
            refused = ask_to_look_now(self.cluster_port, view, stamp=stamp)
            self._emit(said.GitOpsAsked(self.slug, owner=view.shown, refused=refused))
        self._looks += 1
        self.snapshot = Snapshot(at=self._clock.now(), workload=None, gitops=view)
        if view is not None:
            self._follow(view)
            self._say(view)
        for group in self.groups:
            group.look()
        concluded = self._concluded(view, self._clock.now())
        self.verdict = replace(concluded, outcome=OUTCOMES[concluded.state])
        return True

    def _view(self) -> GitOps | None:
        api, plural = gitops.APIS[self.target.kind]
        path = f"{api}/namespaces/{self.target.namespace}/{plural}/{self.target.name}"
        try:
            return gitops.read(self.target.kind, self.cluster_port.get(path), self.cluster_port.skew)
        except HttpStatus as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _follow(self, view: GitOps) -> None:
        """Follow every workload of a kind we know that it applied, namespace by namespace."""
        if not view.here:
            return
        known = {(pursuit.target.kind, pursuit.target.slug) for pursuit in self.pursuits}
        fresh = [
            DeployTarget(namespace, name, kind, image=self.target.image)
            for kind, namespace, name in view.workloads[:MOST_WORKLOADS]
            if kind in KINDS and (kind, f"{namespace}/{name}") not in known
        ]
        for namespace in sorted({target.namespace for target in fresh}):
            pursuits = [
                Pursuit(
                    replace(self.expectation, target=target),
                    cluster=self.cluster,
                    slug=f"{self.slug} → {target.kind}/{target.name}",
                    clock=self._clock,
                    emit=_quiet(self._emit),
                )
                for target in fresh
                if target.namespace == namespace
            ]
            group = Group(self.cluster_port, pursuits, clock=self._clock, emit=self._emit, wake=self._wake)
            self.groups.append(group)
            group.start()

    def _say(self, view: GitOps) -> None:
        if view.summary not in self._told:
            self._told.add(view.summary)
            seen = said.GitOpsSeen(
                self.slug, owner=view.shown, summary=view.summary, revision=view.revision, stuck=view.stuck
            )
            self._emit(seen)

    def carrying(self) -> list[Pursuit]:
        """Return the workloads that carry the app: by its image repository, or because they name the commit."""
        repository = self.target.image or self.expectation.wanted.image
        return [
            pursuit
            for pursuit in self.pursuits
            if pursuit.memory.reached
            or pursuit.verdict.state is State.SUPERSEDED
            or (
                repository
                and pursuit.snapshot.workload is not None
                and any(same_repository(c.image, repository) for c in pursuit.snapshot.workload.containers)
            )
        ]

    def _stands(self, fact: str, text: str, now: float) -> float:
        """Return for how many seconds ``text`` has been said without a break."""
        if not text:
            self._since.pop(fact, None)
            return 0.0
        return now - self._since.setdefault(fact, now)

    def _concluded(self, view: GitOps | None, now: float) -> Verdict:
        left = self.began + self.expectation.reference_timeout - now
        if view is None:
            return self._absent(left)
        held = self._held_back(view, now)
        if held is not None:
            return held
        if self.target.kind != "application" and not any(kind in KINDS for kind, _, _ in view.workloads):
            return self._by_itself(view, left, now)
        carrying = self.carrying()
        lost = [p for p in carrying if p.final and p.verdict.outcome is not Outcome.DONE]
        if lost:
            name = f"{lost[0].target.kind}/{lost[0].target.name}"
            return replace(lost[0].verdict, sentence=f"{name}: {lost[0].verdict.sentence}")
        if not carrying or not all(p.memory.reached for p in carrying):
            return self._unreferenced(view, left)
        return self._settling(view, carrying, now)

    def _absent(self, left: float) -> Verdict:
        if left > 0:
            return Verdict(State.REFERENCE, "no such object yet", again=left)
        return Verdict(State.ABSENT, f"no such {self.target.kind}", reason="absent")

    def _held_back(self, view: GitOps, now: float) -> Verdict | None:
        """Return what only a person can change."""
        if not view.here:
            return Verdict(
                State.NEEDS_ACTION,
                "its workloads live in another cluster",
                reason="elsewhere",
                hint="name them: homelab deploy wait NS/NAME@CONTEXT",
            )
        if self._stands("stuck", view.stuck, now) >= STUCK_SECONDS:
            return Verdict(State.NEEDS_ACTION, f"{view.shown} {view.stuck}", reason="gitops", hint=view.hint)
        return None

    def _unreferenced(self, view: GitOps, left: float) -> Verdict:
        wanted = self.expectation.wanted.shown
        if left > 0:
            return Verdict(State.REFERENCE, f"wants {wanted}; {view.summary}", again=left)
        return Verdict(
            State.REFERENCE_TIMEOUT,
            f"no workload of it named {wanted} in {self.expectation.reference_timeout:.0f} s; {view.summary}",
            reason="reference",
            hint=view.hint,
        )

    def _by_itself(self, view: GitOps, left: float, now: float) -> Verdict:
        """Judge an object that lists no workload: done only when it says it is Ready with the wanted commit."""
        wanted, skipped = self.expectation.wanted, "it lists no workloads"
        named = any(match_tag(version, wanted).proves for version in view.versions)
        applied = self._stands("named", "named" if named else "", now)
        if not named:
            found = self._unreferenced(view, left)
            return replace(found, sentence=f"{found.sentence}; {skipped}", hint=view.search)
        if self._stands("failed", view.failed, now) >= FAILED_SECONDS:
            return Verdict(State.FAILED, f"{view.shown}: {view.failed}", reason="gitops", hint=view.hint)
        held = self._stands("ready", "ready" if view.settled else "", now)
        if view.settled and held >= self.expectation.stable_for:
            self.snapshot = replace(self.snapshot, skipped=(f"no workload proof: {skipped}",))
            sentence = f"Ready with {wanted.shown}, proof: object ({skipped}; no pod was looked at)"
            return Verdict(State.COMPLETE, sentence, proof=Proof.OBJECT)
        if view.settled:
            hold = self.expectation.stable_for
            return Verdict(State.HOLDING, f"{view.summary}, must stay so {hold:.0f} s", again=hold - held)
        late = self.expectation.timeout - (now - self.began if self.expectation.overall else applied)
        if late > 0:
            return Verdict(State.PROGRESSING, view.summary, again=late)
        return Verdict(State.TIMEOUT, f"not done in {self.expectation.timeout:.0f} s: {view.summary}", hint=view.hint)

    def _settling(self, view: GitOps, carrying: list[Pursuit], now: float) -> Verdict:
        """Judge the object once its workloads have the image."""
        if self._stands("failed", view.failed, now) >= FAILED_SECONDS:
            return Verdict(State.FAILED, f"{view.shown}: {view.failed}", reason="gitops", hint=view.hint)
        moving = [pursuit for pursuit in carrying if not pursuit.final]
        started = min(p.memory.reference_at or now for p in carrying)
        left = (self.began if self.expectation.overall else started) + self.expectation.timeout - now
        if moving or not view.settled:
            said_now = moving[0].verdict.sentence if moving else view.summary
            if left <= 0:
                return Verdict(State.TIMEOUT, f"not done in {self.expectation.timeout:.0f} s: {said_now}")
            return Verdict(State.PROGRESSING, said_now, again=left)
        weakest = max((p.verdict.proof for p in carrying), key=list(Proof).index)
        return Verdict(State.COMPLETE, f"settled, {len(carrying)} workloads complete, proof: {weakest}", proof=weakest)


def _quiet(emit: Emit) -> Emit:
    """Pass on what is worth a line: an application's other workloads never name the commit."""

    def pass_on(event: Event) -> None:
        if not isinstance(event, (said.ReferenceAwaited, said.GitOpsSeen, said.WorkloadAwaited)):
            emit(event)

    return pass_on
