"""One target followed to its verdict: judge its snapshots, remember, and say what changed.

Layer: the deploy domain, above verdict and snapshot, below the wait.
"""

from __future__ import annotations

import math
from dataclasses import replace

from homelab.clock import Clock
from homelab.deploy import events as said
from homelab.deploy.beside import known
from homelab.deploy.identity import Standing, identify, names_it
from homelab.deploy.judgement import Expectation, Memory, State, Verdict
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.memory import remember
from homelab.deploy.model import Snapshot, Workload
from homelab.deploy.proof import mirrors
from homelab.deploy.verdict import UNSEEN_SECONDS, verdict
from homelab.events import Emit
from homelab.settings.model import DeployTarget

#: A pod that runs and is not Ready is worth a line after this long.
READINESS_SECONDS = 30.0


class Pursuit:
    """Follows one target through the snapshots it is given."""

    def __init__(self, expectation: Expectation, *, cluster: str, slug: str, clock: Clock, emit: Emit) -> None:
        """Start the reference clock now. ``slug`` names the target in events."""
        self.expectation, self.cluster, self.slug = expectation, cluster, slug
        self._clock, self._emit = clock, emit
        self.memory = Memory(began=clock.now())
        self.snapshot = Snapshot(at=clock.now(), workload=None)
        self.verdict = Verdict(State.REFERENCE, "not looked at yet")
        self._told: set[object] = set()

    @property
    def target(self) -> DeployTarget:
        """The target."""
        return self.expectation.target

    @property
    def final(self) -> bool:
        """Say whether waiting longer cannot change the verdict."""
        return self.verdict.state.final

    @property
    def moving(self) -> bool:
        """Say whether pods are being made, which a watch of the workload does not show in full."""
        return self.verdict.state in (State.PROGRESSING, State.HOLDING)

    def names_it(self, workload: Workload) -> bool:
        """Say whether the template names the wanted image: then its pods matter."""
        self._learn(workload)
        return names_it(workload.containers, self.expectation)

    def _learn(self, workload: Workload) -> None:
        """Ask beside the cluster about the template's images; the answers go into the expectation."""
        found = known(workload, self.expectation, self._clock.now())
        if found != self.expectation.known:
            self.expectation = replace(self.expectation, known=found)

    def take(self, snapshot: Snapshot) -> None:
        """Judge a snapshot and say what it changed."""
        before, now = self.verdict, self._clock.now()
        uid = self.memory.uid
        replaced = bool(uid and snapshot.workload and snapshot.workload.uid != uid)
        if replaced:
            self._told.clear()
        if snapshot.workload is not None:
            self._learn(snapshot.workload)
        self.memory = remember(self.memory, snapshot, self.expectation, now)
        self.snapshot = snapshot
        self.verdict = verdict(snapshot, self.expectation, self.memory, now)
        if replaced:
            self._emit(said.WorkloadReplaced(self.slug, uid=self.memory.uid))
        self._say(before)

    def give_up(self, ended: Verdict) -> None:
        """Take a verdict that somebody else reached."""
        self.verdict = replace(ended, troubles=self.verdict.troubles)

    def _once(self, key: object, event: said.TargetEvent) -> None:
        if key not in self._told:
            self._told.add(key)
            self._emit(event)

    def _say(self, before: Verdict) -> None:
        """Emit what this look changed."""
        workload, wanted = self.snapshot.workload, self.expectation.wanted.shown
        for text in self.snapshot.skipped:
            self._once(text, said.ProofSkipped(self.slug, text=text))
        if self.expectation.known.unanswered:
            why = self.expectation.known.unanswered
            self._once("registry", said.RegistryUnanswered(self.slug, why=why))
        if workload is None:
            if not self.memory.reached:
                self._once("absent", said.WorkloadAwaited(self.slug, wanted=wanted))
        elif self.memory.reference_at is None:
            self._say_reference(workload)
        else:
            self._say_rollout(workload, before)

    def _say_reference(self, workload: Workload) -> None:
        found = identify(workload.containers, self.expectation)
        if found.standing is Standing.HINT and self.expectation.known.asking_until is not None:
            # Its registry is about to say whether it is the wanted one.
            return
        live = found.live
        self._once(("live", live), said.ReferenceAwaited(self.slug, wanted=self.expectation.wanted.shown, live=live))
        owner = self.snapshot.gitops
        if owner is not None:
            seen = said.GitOpsSeen(
                self.slug, owner=owner.shown, summary=owner.summary, revision=owner.revision, stuck=owner.stuck
            )
            self._once(("gitops", owner.summary), seen)

    def _say_rollout(self, workload: Workload, before: Verdict) -> None:
        found = identify(workload.containers, self.expectation)
        # The revision is the controller's: it is not this template's before it was observed.
        observed = workload.observed >= workload.generation or self.final
        if observed:
            named = said.ReferenceNamed(
                self.slug,
                wanted=self.expectation.wanted.shown,
                revision=workload.revision,
                match=found.match,
                newer=found.live if found.standing is Standing.NEWER else "",
            )
            self._once(("named", self.memory.reference_at), named)
        elif self._clock.now() - self.memory.standing.get("unobserved", math.inf) >= UNSEEN_SECONDS:
            silent = said.ControllerSilent(self.slug, generation=workload.generation)
            self._once(("silent", workload.generation), silent)
        new, _ = KINDS[workload.kind].split(self.snapshot)
        for rewrite in mirrors(new, workload.containers):
            self._once(("mirror", rewrite), said.ImageRewritten(self.slug, rewrite=rewrite))
        for trouble in self.verdict.troubles:
            if trouble.kind == "readiness" and self.snapshot.at - trouble.since < READINESS_SECONDS:
                continue
            event = said.PodTroubled(
                self.slug,
                trouble=trouble.kind,
                pod=trouble.pod,
                container=trouble.container,
                image=trouble.image,
                reason=trouble.reason,
                message=trouble.message,
                grace=trouble.left,
            )
            self._once(("trouble", trouble.kind, trouble.container), event)
        if self.verdict.sentence != before.sentence and not self.final:
            self._emit(said.RolloutMoved(self.slug, state=self.verdict.state, said=self.verdict.sentence))
