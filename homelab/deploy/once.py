"""One look at one target, for the verbs that do not wait. Layer: the deploy domain, above snapshot."""

from __future__ import annotations

from dataclasses import replace

from homelab.clock import Clock
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import Pod, Snapshot, Workload
from homelab.deploy.snapshot import Observer
from homelab.errors import NothingThere, UsageError
from homelab.kube.port import Cluster
from homelab.settings.model import DeployTarget


def look(cluster: Cluster, target: DeployTarget, *, clock: Clock, events: bool = False) -> Snapshot:
    """Return a snapshot with revisions and pods, and with events when asked.

    Raises NothingThere where the workload is absent, UsageError for a kind without pods of its own.
    """
    observer = Observer(cluster, target.namespace, [target], clock=clock)
    snapshot = observer.look([target], wants_details=lambda _target, _workload: True)[target]
    if events and snapshot.workload is not None:
        observer.read_events({target: snapshot.workload})
        snapshot = replace(snapshot, events=observer.known_events(target), skipped=observer.skipped)
    return snapshot


def workload_of(snapshot: Snapshot, target: DeployTarget) -> Workload:
    """Return the workload. Raises NothingThere."""
    if snapshot.workload is None:
        raise NothingThere(
            f"{target.slug}: no such {target.kind}",
            why="the cluster answered 404",
            fix=f"kubectl get {KINDS[target.kind].plural} -n {target.namespace}",
        )
    return snapshot.workload


def known(target: DeployTarget) -> DeployTarget:
    """Return a target of a kind that has a template. Raises UsageError for a GitOps object."""
    if target.kind not in KINDS:
        raise UsageError(
            f"{target.slug}: a {target.kind} has no pods of its own",
            why="it applies workloads; this verb is about one of them",
            fix="name the workload: NS/KIND/NAME",
        )
    return target


def newest_pods(snapshot: Snapshot) -> tuple[list[Pod], bool]:
    """Return the pods of the live template's revision, else those there are; and whether they are the live one's."""
    workload = snapshot.workload
    if workload is None:
        return [], True
    new, old = KINDS[workload.kind].split(snapshot)
    return (new, True) if new or not old else (old, False)
