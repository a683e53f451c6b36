"""Snapshots of one workload by GET and LIST: as much as RBAC allows, as often as it pays.

The workload is read on every look. Its revisions and pods cost more: they are read when the
controller's numbers say that it has finished (only then can a snapshot prove completion), when the
numbers changed, and every few seconds. Layer: the deploy domain, above kinds; talks to the port.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from homelab.clock import Clock
from homelab.deploy import shape
from homelab.deploy.kinds.table import Kind
from homelab.deploy.model import Happening, Pod, Revision, Snapshot, Workload
from homelab.errors import HttpStatus, PermissionMissing
from homelab.kube.port import Cluster, Json

DETAILS_EVERY = 2.0
#: A list of many pods is heavy: look at it less often.
MANY_PODS = 20
MANY_EVERY = 5.0
#: However fast the numbers change.
DETAILS_APART = 1.0
EVENTS_EVERY = 5.0


class Observer:
    """Looks at one workload again and again; remembers only what spares requests."""

    def __init__(self, cluster: Cluster, kind: Kind, namespace: str, name: str, *, clock: Clock) -> None:
        """Ask nothing yet."""
        self._cluster, self._kind, self._clock = cluster, kind, clock
        self._namespace, self._name = namespace, name
        self._denied: dict[str, str] = {}
        self._revisions: tuple[Revision, ...] | None = ()
        self._pods: tuple[Pod, ...] | None = ()
        self._events: tuple[Happening, ...] | None = ()
        self._details_at = self._events_at = float("-inf")
        self._details_of: object = None

    def look(self, *, wants_details: Callable[[Workload], bool]) -> Snapshot:
        """Return a snapshot. ``wants_details`` says whether the pods matter yet.

        Raises PermissionMissing when not even the workload may be read.
        """
        at = self._clock.now()
        try:
            item = self._cluster.get(self._kind.path(self._namespace, self._name))
        except HttpStatus as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return Snapshot(at=at, workload=None)
        workload = self._kind.read(item, self._cluster.skew)
        fresh = wants_details(workload) and self._due(workload)
        if fresh:
            self.read_details(workload)
        return self._snapshot(at, workload, fresh=fresh)

    def _snapshot(self, at: float, workload: Workload, *, fresh: bool) -> Snapshot:
        return Snapshot(
            at=at,
            workload=workload,
            revisions=self._revisions,
            pods=self._pods,
            events=self._events,
            fresh=fresh,
            skipped=tuple(self._denied.values()),
        )

    def _due(self, workload: Workload) -> bool:
        if self._kind.counted(workload):
            return True
        age = self._clock.monotonic() - self._details_at
        if self._details_of != _moving_parts(workload):
            return age >= DETAILS_APART
        return age >= (MANY_EVERY if len(self._pods or ()) > MANY_PODS else DETAILS_EVERY)

    def read_details(self, workload: Workload) -> None:
        """Read revisions and pods, and events where something is not Ready."""
        self._details_at, self._details_of = self._clock.monotonic(), _moving_parts(workload)
        self._revisions = self._read_revisions(workload)
        owners = {workload.uid} | {revision.uid for revision in self._revisions or ()}
        self._pods = self._read_pods(workload, owners) if self._revisions is not None else None
        if self._pods is None or (all(pod.ready for pod in self._pods) and self._kind.counted(workload)):
            return
        if self._clock.monotonic() - self._events_at >= EVENTS_EVERY:
            self.read_events(workload)

    def _read_revisions(self, workload: Workload) -> tuple[Revision, ...] | None:
        if self._kind.revisions is None:
            return ()
        api, plural, form = self._kind.revisions
        found = self._list(
            f"{api}/namespaces/{self._namespace}/{plural}",
            plural,
            {"labelSelector": workload.selector},
            lambda item: form(item, self._cluster.skew) if shape.owned_by(item) == workload.uid else None,
        )
        if found is None:
            self._denied.setdefault("pods", "no pod proof: without its revisions no pod can be tied to it")
        return found

    def _read_pods(self, workload: Workload, owners: set[str]) -> tuple[Pod, ...] | None:
        return self._list(
            f"/api/v1/namespaces/{self._namespace}/pods",
            "pods",
            {"labelSelector": workload.selector},
            lambda item: shape.pod(item, self._cluster.skew) if shape.owned_by(item) in owners else None,
        )

    def read_events(self, workload: Workload) -> tuple[Happening, ...] | None:
        """Read the events about the workload, its revisions and its pods."""
        self._events_at = self._clock.monotonic()
        ours = {workload.uid, *(r.uid for r in self._revisions or ()), *(pod.uid for pod in self._pods or ())}
        self._events = self._list(
            f"/api/v1/namespaces/{self._namespace}/events",
            "events",
            {},
            lambda item: found if (found := shape.happening(item, self._cluster.skew)).about in ours else None,
        )
        return self._events

    def _list(
        self, path: str, what: str, params: dict[str, str], keep: Callable[[Json], Any]
    ) -> tuple[Any, ...] | None:
        """Return what ``keep`` kept; None where listing is forbidden, which is not asked twice."""
        if what in self._denied:
            return None
        try:
            answer = self._cluster.list(path, params, keep=keep)
        except PermissionMissing:
            self._denied[what] = f"no {what} proof: list {what} forbidden"
            return None
        return tuple(item for item in answer["items"] if item is not None)


def _moving_parts(workload: Workload) -> object:
    return (workload.generation, workload.observed, workload.counters, workload.conditions)
