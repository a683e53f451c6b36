"""A GitOps object as a target: settled by its own word, proven by the workloads it applied.

An Application can be Synced and Healthy about the commit before, or for a moment before its
controllers act; so its workloads are followed like any other target, and all must succeed.
Layer: the deploy domain, above the GitOps object.
"""

from __future__ import annotations

from dataclasses import replace

from homelab.deploy import events as said
from homelab.deploy.gitops.object import FAILED_SECONDS, GitOpsObject
from homelab.deploy.gitops.owner import labelled
from homelab.deploy.group import OWNER_EVERY
from homelab.deploy.judgement import OUTCOMES, Proof, State, Verdict
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import GitOps, Snapshot
from homelab.deploy.pursuit import Pursuit
from homelab.deploy.reference import match_tag
from homelab.errors import Unreachable
from homelab.events import Emit, Event
from homelab.outcome import Outcome
from homelab.registry.reference import same_repository
from homelab.settings.model import DeployTarget

#: Workloads of one object that are followed.
MOST_WORKLOADS = 50


class Applied(GitOpsObject):
    """Follows one GitOps object and the workloads it applied."""

    #: What was found by labels, for an object that lists nothing, and when.
    _labelled: tuple[tuple[str, str, str], ...] = ()
    _labelled_at = float("-inf")

    def look(self) -> bool:
        """Look at the object and at its workloads."""
        if self.final:
            return False
        view = self._read()
        if view is not None:
            self._refresh(view)
            view = self._with_labelled(view)
            self._say(view)
            self._follow(view)
        self.snapshot = Snapshot(at=self._clock.now(), workload=None, gitops=view)
        for group in self.groups:
            group.look()
        concluded = self._concluded(view, self._clock.now())
        self.verdict = replace(concluded, outcome=OUTCOMES[concluded.state])
        return True

    def _with_labelled(self, view: GitOps) -> GitOps:
        """Return the view with the workloads that carry its labels, where it lists none itself."""
        if view.kind == "application" or any(kind in KINDS for kind, _, _ in view.workloads):
            return view
        now = self._clock.monotonic()
        if now - self._labelled_at >= OWNER_EVERY:
            self._labelled_at = now
            try:
                self._labelled = labelled(self.cluster_port, view)
            except Unreachable:
                return replace(view, workloads=self._labelled)
        return replace(view, workloads=self._labelled)

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
            self._pursue([self._pursuit(target) for target in fresh if target.namespace == namespace])

    def _pursuit(self, target: DeployTarget) -> Pursuit:
        return Pursuit(
            replace(self.expectation, target=target),
            cluster=self.cluster,
            slug=f"{self.slug} → {target.kind}/{target.name}",
            clock=self._clock,
            emit=_quiet(self._emit),
        )

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

    def _concluded(self, view: GitOps | None, now: float) -> Verdict:
        left = self.began + self.expectation.reference_timeout - now
        if view is None:
            return self._absent(left)
        obstructed = _elsewhere(view) or self._obstructed(view, left, now)
        if obstructed is not None:
            return obstructed
        if view.kind != "application" and not any(kind in KINDS for kind, _, _ in view.workloads):
            return self._by_itself(view, left, now)
        carrying = self.carrying()
        lost = [p for p in carrying if p.final and p.verdict.outcome is not Outcome.DONE]
        if lost:
            name = f"{lost[0].target.kind}/{lost[0].target.name}"
            return replace(lost[0].verdict, sentence=f"{name}: {lost[0].verdict.sentence}")
        if not carrying or not all(p.memory.reached for p in carrying):
            return self._unreferenced(view, left)
        return self._settling(view, carrying, now)

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
        """Judge an object whose workloads cannot be found: done only when it is Ready with what is wanted.

        That is the release's own versions, or the GitOps commit that was asked for: its commits are never
        compared with the app's.
        """
        wanted, skipped = self.expectation.wanted, "it lists no workloads"
        asked = self.expectation.gitops
        named = asked is not None or any(match_tag(version, wanted).proves for version in view.versions)
        applied = self._stands("named", "named" if named else "", now)
        if not named:
            found = self._unreferenced(view, left)
            return replace(
                found, sentence=f"{found.sentence}; {skipped}", hint=f"kubectl get deploy,sts,ds -A -l {view.label}"
            )
        self.snapshot = replace(self.snapshot, skipped=(f"no workload proof: {skipped}",))
        sentence = f"Ready with {f'GitOps commit {asked.shown}' if asked else wanted.shown}"
        return self._settled(view, sentence, f"{skipped}; no pod was looked at", began=now - applied, now=now)

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
        count = f"{len(carrying)} workload{'s' if len(carrying) > 1 else ''}"
        return Verdict(State.COMPLETE, f"settled, {count} complete, proof: {weakest}", proof=weakest)


def _elsewhere(view: GitOps) -> Verdict | None:
    if view.here:
        return None
    return Verdict(
        State.NEEDS_ACTION,
        "its workloads live in another cluster",
        reason="elsewhere",
        hint="name them: homelab deploy wait NS/NAME@CONTEXT",
    )


def _quiet(emit: Emit) -> Emit:
    """Pass on what is worth a line: an application's other workloads never name the commit."""

    def pass_on(event: Event) -> None:
        if not isinstance(event, (said.ReferenceAwaited, said.GitOpsSeen, said.WorkloadAwaited)):
            emit(event)

    return pass_on
