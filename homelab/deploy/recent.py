"""``deploy events``: what the cluster recorded about a workload, its revisions and its pods.

Layer: the deploy domain's use case.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from homelab.clock import Clock
from homelab.deploy import once
from homelab.deploy.ages import ago
from homelab.deploy.happenings import merged
from homelab.deploy.model import Happening
from homelab.deploy.redaction import redact
from homelab.kube.port import Cluster
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.settings.model import DeployTarget


@dataclass(frozen=True, slots=True)
class EventsResult(Result):
    """Events, oldest first; the same ones merged."""

    events: tuple[Happening, ...] = ()
    now: float = 0.0

    def lines(self) -> list[str]:
        """Return a line for each event: how long ago, how often, about what, why."""
        return [
            f"{ago(self.now - (event.last or self.now)):>4}  {event.type:<7}  {event.reason}"
            + (f" x{event.count}" if event.count > 1 else "")
            + f"  {event.where}: {redact(' '.join(event.message.split()))[:200]}"
            for event in self.events
        ]

    def record(self) -> dict[str, Any]:
        """Return every event."""
        return {"events": [asdict(event) for event in self.events]}


def recent(
    cluster: Cluster, target: DeployTarget, *, clock: Clock, limit: int = 20, warnings: bool = False
) -> EventsResult:
    """Return the newest ``limit`` events. Raises NothingThere, and PermissionMissing where listing is denied."""
    snapshot = once.look(cluster, once.known(target), clock=clock, events=True)
    once.workload_of(snapshot, target)
    if snapshot.events is None:
        # Asked once more, so that the refusal is the cluster's own.
        cluster.list(f"/api/v1/namespaces/{target.namespace}/events", {"limit": 1})
    found = [event for event in snapshot.events or () if not warnings or event.type != "Normal"]
    newest = merged(found)[-limit:] if limit else []
    warned = sum(event.type != "Normal" for event in newest)
    headline = f"{target.slug}: {len(newest)} events, {warned} warnings" if newest else f"{target.slug}: no events"
    return EventsResult(Outcome.DONE, headline, events=tuple(newest), now=clock.now())
