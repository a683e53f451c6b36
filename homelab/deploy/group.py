"""The targets of one namespace of one cluster: one observer, its watches, and when to look again.

Layer: the deploy domain, above pursuit and snapshot, below the wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from homelab.clock import Clock, Wake
from homelab.deploy import events as said
from homelab.deploy.gitops.owner import ask_to_look_now, owner_view
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import GitOps, Snapshot
from homelab.deploy.pursuit import Pursuit
from homelab.deploy.snapshot import FEW, Observer
from homelab.deploy.watching import Listener
from homelab.errors import CertificateRefused, Unreachable, WrongService
from homelab.events import Emit
from homelab.kube.port import Cluster
from homelab.settings.model import DeployTarget

#: A server that restarts comes back in this time; longer, and nobody can say anything.
UNREACHABLE_SECONDS = 120.0
#: Between looks where no watch is open, shortest and longest; and where one is.
POLL_FIRST, POLL_LONGEST, POLL_WATCHED = 2.0, 5.0, 5.0
#: Between looks while pods are being made: a watch of the workload does not show what ails them.
POLL_MOVING = 2.0
#: However often the watches of many targets ring.
MANY_APART = 1.0
#: Between two questions to the owner of a template.
OWNER_EVERY = 10.0


class Group:
    """Follows the targets of one namespace together."""

    def __init__(self, cluster: Cluster, pursuits: Sequence[Pursuit], *, clock: Clock, emit: Emit, wake: Wake) -> None:
        """Ask nothing yet."""
        self.cluster, self.pursuits = cluster, list(pursuits)
        self._clock, self._emit = clock, emit
        targets = [pursuit.target for pursuit in pursuits]
        namespace = targets[0].namespace
        with_nodes = any(p.expectation.ignore_unready_nodes and p.target.kind == "daemonset" for p in pursuits)
        self.observer = Observer(cluster, namespace, targets, clock=clock, with_nodes=with_nodes)
        self._listeners = [
            Listener(cluster, KINDS[kind].path(namespace), params, wake=wake, clock=clock)
            for kind, params in _watched(targets)
        ]
        self._lost_at: float | None = None
        self._looked_at = float("-inf")
        self._looks = 0
        self._owners: dict[DeployTarget, tuple[float, GitOps | None]] = {}

    def start(self) -> None:
        """Open the watches that shorten the waits."""
        for listener in self._listeners:
            listener.start()

    def stop(self) -> None:
        """Close them."""
        for listener in self._listeners:
            listener.stop()

    @property
    def waiting(self) -> list[Pursuit]:
        """Return the pursuits without a verdict."""
        return [pursuit for pursuit in self.pursuits if not pursuit.final]

    def look(self) -> bool:
        """Look at every target without a verdict, unless it is too early; say whether it looked.

        Raises what ends the whole wait.
        """
        waiting = self.waiting
        if not waiting or self._early() > 0:
            return False
        by_target = {pursuit.target: pursuit for pursuit in waiting}
        try:
            snapshots = self.observer.look(
                list(by_target), wants_details=lambda target, workload: by_target[target].names_it(workload)
            )
        except (CertificateRefused, WrongService):
            raise
        except Unreachable as error:
            self._lost(error)
            return True
        self._lost_at, self._looked_at = None, self._clock.monotonic()
        self._looks += 1
        for target, snapshot in snapshots.items():
            by_target[target].take(self._with_owner(by_target[target], snapshot))
        return True

    def _early(self) -> float:
        """Return the seconds until another look is allowed: watches of many targets ring all the time."""
        apart = MANY_APART if len(self.pursuits) > FEW else 0.0
        return self._looked_at + apart - self._clock.monotonic()

    def pause(self) -> float:
        """Return the seconds until the next look is due, if nothing rings before."""
        waiting = self.waiting
        if not waiting:
            return POLL_WATCHED
        healthy = all(listener.healthy for listener in self._listeners)
        slow = POLL_WATCHED if healthy else min(POLL_FIRST + self._looks * 0.5, POLL_LONGEST)
        pause = POLL_MOVING if any(pursuit.moving for pursuit in waiting) else slow
        sooner = [again for again in (self.observer.owed, *(p.verdict.again for p in waiting)) if again is not None]
        return max(min(pause, *sooner, pause), self._early(), 0.0)

    def _lost(self, error: Unreachable) -> None:
        """Bear a server that stops answering, for a while; one that never answered is not there."""
        if not self._looks:
            raise error
        now = self._clock.monotonic()
        if self._lost_at is None:
            self._lost_at = now
            self._emit(said.ClusterUnanswered(self.waiting[0].slug, why=error.what))
        elif now - self._lost_at >= UNREACHABLE_SECONDS:
            raise error

    def _with_owner(self, pursuit: Pursuit, snapshot: Snapshot) -> Snapshot:
        """Add what the GitOps owner says, while the template does not name the image."""
        workload = snapshot.workload
        if workload is None or pursuit.names_it(workload):
            return snapshot
        asked_at, known = self._owners.get(pursuit.target, (float("-inf"), None))
        if self._clock.monotonic() - asked_at >= OWNER_EVERY:
            known = owner_view(self.cluster, workload, now=self._clock.now(), before=known)
            if known is not None and pursuit.expectation.refresh and pursuit.target not in self._owners:
                self._refresh(pursuit, known)
            self._owners[pursuit.target] = (self._clock.monotonic(), known)
        return Snapshot(at=snapshot.at, workload=workload, skipped=snapshot.skipped, gitops=known, fresh=False)

    def _refresh(self, pursuit: Pursuit, view: GitOps) -> None:
        """Ask the owner, once, to look now; a refusal costs a line, not the wait."""
        stamp = datetime.fromtimestamp(self._clock.now(), UTC).isoformat()
        refused = ask_to_look_now(self.cluster, view, stamp=stamp)
        self._emit(said.GitOpsAsked(pursuit.slug, owner=view.shown, refused=refused))


def _watched(targets: list[DeployTarget]) -> list[tuple[str, dict[str, str]]]:
    """Return (kind, parameters) of each watch: by name for a few targets, whole lists for many."""
    if len(targets) <= FEW:
        return [(target.kind, {"fieldSelector": f"metadata.name={target.name}"}) for target in targets]
    return [(kind, {}) for kind in sorted({target.kind for target in targets})]
