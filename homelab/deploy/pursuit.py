"""One target followed to its verdict: look, remember, judge, and say what changed.

Layer: the deploy domain, above verdict and snapshot, below the wait.
"""

from __future__ import annotations

from homelab.clock import Clock, Wake
from homelab.deploy import events as said
from homelab.deploy.identity import identify
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.memory import remember
from homelab.deploy.model import Expectation, Memory, Snapshot, State, Verdict, Workload
from homelab.deploy.snapshot import Observer
from homelab.deploy.verdict import verdict
from homelab.deploy.watching import Listener
from homelab.errors import CertificateRefused, Unreachable, WrongService
from homelab.events import Emit
from homelab.kube.port import Cluster

#: A server that restarts comes back in this time; longer, and nobody can say anything.
UNREACHABLE_SECONDS = 120.0
#: Between looks where no watch is open, shortest and longest; and where one is.
POLL_FIRST, POLL_LONGEST, POLL_WATCHED = 2.0, 5.0, 5.0
#: Between looks while pods are being made: a watch of the workload does not show what ails them.
POLL_MOVING = 2.0


class Pursuit:
    """Follows one target."""

    def __init__(self, cluster: Cluster, expectation: Expectation, *, clock: Clock, emit: Emit, wake: Wake) -> None:
        """Ask nothing yet; the reference clock starts now."""
        target = expectation.target
        kind = KINDS[target.kind]
        self.cluster, self.expectation = cluster, expectation
        self._clock, self._emit = clock, emit
        self.observer = Observer(cluster, kind, target.namespace, target.name, clock=clock)
        self.memory = Memory(began=clock.now())
        self.snapshot = Snapshot(at=clock.now(), workload=None)
        self.verdict = Verdict(State.REFERENCE, "not looked at yet")
        self._listener = Listener(
            cluster,
            kind.path(target.namespace),
            {"fieldSelector": f"metadata.name={target.name}"},
            wake=wake,
            clock=clock,
        )
        self._lost_at: float | None = None
        self._polls = 0
        self._told: set[object] = set()

    def watch(self) -> None:
        """Open the watch that shortens the waits."""
        self._listener.start()

    def stop(self) -> None:
        """Close the watch."""
        self._listener.stop()

    @property
    def final(self) -> bool:
        """Say whether waiting longer cannot change the verdict."""
        return self.verdict.state.final

    def look(self) -> Verdict:
        """Take a snapshot and judge it. Raises what ends the whole wait."""
        try:
            snapshot = self.observer.look(wants_details=self._names_it)
        except (CertificateRefused, WrongService):
            raise
        except Unreachable as error:
            self._lost(error)
            return self.verdict
        self._lost_at = None
        self._polls += 1
        before, now = self.verdict, self._clock.now()
        replaced = bool(self.memory.uid and snapshot.workload and snapshot.workload.uid != self.memory.uid)
        if replaced:
            self._told.clear()
        self.memory = remember(self.memory, snapshot, self.expectation, now)
        self.snapshot = snapshot
        self.verdict = verdict(snapshot, self.expectation, self.memory, now)
        if replaced:
            self._emit(said.WorkloadReplaced(self._slug, uid=self.memory.uid))
        self._say(before)
        return self.verdict

    def pause(self) -> float:
        """Return the seconds until the next look is due, if nothing rings before."""
        moving = self.verdict.state in (State.PROGRESSING, State.HOLDING)
        slow = POLL_WATCHED if self._listener.healthy else min(POLL_FIRST + self._polls * 0.5, POLL_LONGEST)
        pause = POLL_MOVING if moving else slow
        return pause if self.verdict.again is None else min(pause, max(self.verdict.again, 0.0))

    def _names_it(self, workload: Workload) -> bool:
        return identify(workload.containers, self.expectation).match.proves or self.expectation.newer_ok

    @property
    def _slug(self) -> str:
        return self.expectation.target.slug

    def _lost(self, error: Unreachable) -> None:
        """Bear a server that stops answering, for a while; one that never answered is not there."""
        if not self._polls:
            raise error
        now = self._clock.monotonic()
        if self._lost_at is None:
            self._lost_at = now
            self._emit(said.ClusterUnanswered(self._slug, why=error.what))
        elif now - self._lost_at >= UNREACHABLE_SECONDS:
            raise error

    def _once(self, key: object, event: said.TargetEvent) -> None:
        if key not in self._told:
            self._told.add(key)
            self._emit(event)

    def _say(self, before: Verdict) -> None:
        """Emit what this look changed."""
        workload, wanted = self.snapshot.workload, self.expectation.wanted.shown
        for text in self.snapshot.skipped:
            self._once(text, said.ProofSkipped(self._slug, text=text))
        if workload is None:
            if not self.memory.reached:
                self._once("absent", said.WorkloadAwaited(self._slug, wanted=wanted))
        elif self.memory.reference_at is None:
            live = identify(workload.containers, self.expectation).live
            self._once(("live", live), said.ReferenceAwaited(self._slug, wanted=wanted, live=live))
        else:
            self._say_rollout(workload, before)

    def _say_rollout(self, workload: Workload, before: Verdict) -> None:
        found = identify(workload.containers, self.expectation)
        # The revision is the controller's: it is not this template's before it was observed.
        observed = workload.observed >= workload.generation or self.final
        if observed:
            named = said.ReferenceNamed(
                self._slug, wanted=self.expectation.wanted.shown, revision=workload.revision, match=found.match
            )
            self._once(("named", self.memory.reference_at), named)
        for trouble in self.verdict.troubles:
            event = said.PodTroubled(
                self._slug,
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
            self._emit(said.RolloutMoved(self._slug, state=self.verdict.state, said=self.verdict.sentence))
