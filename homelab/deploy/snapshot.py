"""Snapshots of the workloads of one namespace by GET and LIST: as much as RBAC allows, as often as it pays.

Workloads are read on every look. Their revisions and pods cost more: they are read when a
controller's numbers say that it has finished (only then can a snapshot prove completion), when the
numbers changed, and every few seconds. A few targets are read one by one, narrowed by their
selectors; many share whole lists of the namespace. Layer: the deploy domain, above kinds; talks to
the port.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from homelab.clock import Clock
from homelab.deploy import pod_shape, shape
from homelab.deploy.kinds.table import KINDS, Kind
from homelab.deploy.model import Happening, Node, Pod, Revision, Snapshot, Workload
from homelab.errors import HttpStatus, PermissionMissing
from homelab.kube.port import Cluster, Json, Params
from homelab.settings.model import DeployTarget

#: Between two looks at details, by how much there is to read: from the first to the second.
DETAILS_EVERY, DETAILS_EVERY_MANY = 2.0, 5.0
#: However fast the numbers change.
DETAILS_APART = 0.5
#: Objects that are many: a list of so many pods is about 130 kB of JSON.
MANY_OBJECTS = 20
EVENTS_EVERY = 5.0
#: Up to this many targets are read one by one.
FEW = 3
#: A look at details may use this part of a second's requests, however many pages it has.
REQUESTS_A_SECOND = 2.5


@dataclass(frozen=True, slots=True)
class Details:
    """What was read about one workload beyond itself."""

    revisions: tuple[Revision, ...] | None = ()
    pods: tuple[Pod, ...] | None = ()
    events: tuple[Happening, ...] | None = ()
    of: object = None


class Observer:
    """Looks at the targets of one namespace again and again; remembers only what spares requests."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        targets: Sequence[DeployTarget],
        *,
        clock: Clock,
        with_nodes: bool = False,
    ) -> None:
        """Ask nothing yet. ``with_nodes`` also reads nodes, for DaemonSets that leave some out."""
        self._cluster, self._namespace, self._clock = cluster, namespace, clock
        self._targets = tuple(targets)
        self._with_nodes = with_nodes
        self._denied: dict[str, str] = {}
        self._known: dict[DeployTarget, Details] = {}
        self._nodes: tuple[Node, ...] | None = None
        self._details_at = self._events_at = float("-inf")
        self._cost = self._objects = 0
        #: Seconds until changed numbers may be followed by a look at details; None: nothing is owed.
        self.owed: float | None = None

    @property
    def skipped(self) -> tuple[str, ...]:
        """Return the proofs that RBAC denied so far, as sentences."""
        return tuple(self._denied.values())

    def look(
        self, targets: Sequence[DeployTarget], *, wants_details: Callable[[DeployTarget, Workload], bool]
    ) -> Mapping[DeployTarget, Snapshot]:
        """Return a snapshot of each target. ``wants_details`` says whether its pods matter yet.

        Raises PermissionMissing when not even a workload may be read.
        """
        at = self._clock.now()
        workloads = self._workloads(targets)
        wanting = [t for t, workload in workloads.items() if workload and wants_details(t, workload)]
        fresh = self._due(wanting, workloads)
        if fresh:
            self.read_details({target: _present(workloads[target]) for target in wanting})
        return {
            target: self._snapshot(at, target, workload, fresh=fresh and target in wanting)
            for target, workload in workloads.items()
        }

    def _snapshot(self, at: float, target: DeployTarget, workload: Workload | None, *, fresh: bool) -> Snapshot:
        known = self._known.get(target, Details()) if workload else Details()
        return Snapshot(
            at=at,
            workload=workload,
            revisions=known.revisions,
            pods=known.pods,
            events=known.events,
            nodes=self._nodes,
            fresh=fresh,
            skipped=self.skipped,
        )

    def _workloads(self, targets: Sequence[DeployTarget]) -> dict[DeployTarget, Workload | None]:
        if len(targets) <= FEW or "sweep" in self._denied:
            return {target: self._workload(target) for target in targets}
        found: dict[tuple[str, str], Workload] = {}
        for kind in sorted({target.kind for target in targets}):
            keep = self._reader(KINDS[kind], {target.name for target in targets if target.kind == kind})
            try:
                answer = self._cluster.list(KINDS[kind].path(self._namespace), keep=keep)
            except PermissionMissing:
                self._denied["sweep"] = f"targets are read one by one: list {KINDS[kind].plural} forbidden"
                return {target: self._workload(target) for target in targets}
            found |= {(kind, workload.name): workload for workload in answer["items"] if workload is not None}
        return {target: found.get((target.kind, target.name)) for target in targets}

    def _reader(self, kind: Kind, names: set[str]) -> Callable[[Json], Workload | None]:
        return lambda item: self._read(kind, item) if (item.get("metadata") or {}).get("name") in names else None

    def _workload(self, target: DeployTarget) -> Workload | None:
        kind = KINDS[target.kind]
        item = self._got(kind.path(self._namespace, target.name))
        return None if item is None else self._read(kind, item)

    def _read(self, kind: Kind, item: Json) -> Workload:
        """Read a workload, and the template it only refers to."""
        workload = kind.read(item, self._cluster.skew)
        path = kind.reference(workload)
        other = self._got(path) if path else None
        return workload if other is None else kind.refer(workload, other)

    def _got(self, path: str) -> Json | None:
        try:
            return self._cluster.get(path)
        except HttpStatus as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _due(self, wanting: Sequence[DeployTarget], workloads: Mapping[DeployTarget, Workload | None]) -> bool:
        self.owed = None
        if not wanting:
            return False
        age = self._clock.monotonic() - self._details_at
        few = len(wanting) <= FEW
        much = self._objects / MANY_OBJECTS
        apart = min(DETAILS_APART * max(1.0, much), DETAILS_EVERY)
        every = max(DETAILS_EVERY, min(DETAILS_EVERY_MANY * much, DETAILS_EVERY_MANY))
        if not few:
            apart, every = (max(pause, self._cost / REQUESTS_A_SECOND) for pause in (DETAILS_APART, every))
        present = [(target, _present(workloads[target])) for target in wanting]
        changed = [target for target, workload in present if self._of(target) != _moving_parts(workload)]
        if any(KINDS[target.kind].counted(workload) for target, workload in present) and (few or age >= apart):
            return True
        if changed and age < apart:
            self.owed = apart - age
        return age >= (apart if changed else every)

    def _of(self, target: DeployTarget) -> object:
        return self._known.get(target, Details()).of

    def read_details(self, workloads: Mapping[DeployTarget, Workload]) -> None:
        """Read revisions and pods of these, and events where something is not Ready."""
        self._details_at, self._cost, self._objects = self._clock.monotonic(), 0, 0
        whole = len(workloads) > FEW
        revisions = self._revisions(workloads, whole=whole)
        pods = self._pods(workloads, revisions, whole=whole)
        if self._with_nodes:
            self._nodes = self._list("/api/v1/nodes", "nodes", {}, _node)
        for target, workload in workloads.items():
            before = self._known.get(target, Details())
            self._known[target] = Details(revisions[target], pods[target], before.events, _moving_parts(workload))
        troubled = [target for target in workloads if self._troubled(target, workloads[target])]
        if troubled and self._clock.monotonic() - self._events_at >= EVENTS_EVERY:
            self.read_events({target: workloads[target] for target in troubled})

    def _troubled(self, target: DeployTarget, workload: Workload) -> bool:
        pods = self._known[target].pods
        return pods is not None and not (all(pod.ready for pod in pods) and KINDS[target.kind].counted(workload))

    def _revisions(
        self, workloads: Mapping[DeployTarget, Workload], *, whole: bool
    ) -> dict[DeployTarget, tuple[Revision, ...] | None]:
        found: dict[DeployTarget, tuple[Revision, ...] | None] = dict.fromkeys(workloads, ())
        lists: dict[str, tuple[tuple[str, Revision], ...] | None] = {}
        for target, workload in workloads.items():
            form = KINDS[target.kind].revisions
            if form is None:
                continue
            api, plural, read = form
            key = plural if whole else f"{plural} {target.slug}"
            if key not in lists:
                lists[key] = self._list(
                    f"{api}/namespaces/{self._namespace}/{plural}",
                    plural,
                    {} if whole else {"labelSelector": workload.selector},
                    self._with_owner(read),
                )
            listed = lists[key]
            found[target] = None if listed is None else tuple(r for owner, r in listed if owner == workload.uid)
        return found

    def _with_owner(self, read: Callable[[Json, float], Revision]) -> Callable[[Json], tuple[str, Revision]]:
        return lambda item: (shape.owned_by(item), read(item, self._cluster.skew))

    def _pods(
        self,
        workloads: Mapping[DeployTarget, Workload],
        revisions: Mapping[DeployTarget, tuple[Revision, ...] | None],
        *,
        whole: bool,
    ) -> dict[DeployTarget, tuple[Pod, ...] | None]:
        owners = {t: {w.uid, *(r.uid for r in revisions[t] or ())} for t, w in workloads.items()}
        ours = frozenset(uid for uids in owners.values() for uid in uids)
        shared = self._pods_of({}, ours) if whole else ()
        found: dict[DeployTarget, tuple[Pod, ...] | None] = {}
        for target, workload in workloads.items():
            if revisions[target] is None:
                self._denied.setdefault("owners", "no pod proof: without revisions no pod can be tied to its workload")
                found[target] = None
                continue
            listed = shared if whole else self._pods_of({"labelSelector": workload.selector}, owners[target])
            if not workload.selector and not whole:
                listed = ()
            found[target] = None if listed is None else tuple(p for p in listed if p.owner in owners[target])
        return found

    def _pods_of(self, params: Params, owners: frozenset[str] | set[str]) -> tuple[Pod, ...] | None:
        if params.get("labelSelector") == "":
            return ()
        return self._list(
            f"/api/v1/namespaces/{self._namespace}/pods",
            "pods",
            params,
            lambda item: pod_shape.pod(item, self._cluster.skew) if shape.owned_by(item) in owners else None,
        )

    def read_events(self, workloads: Mapping[DeployTarget, Workload]) -> None:
        """Read the events about these workloads, their revisions and their pods."""
        self._events_at = self._clock.monotonic()
        ours: dict[str, DeployTarget] = {}
        for target, workload in workloads.items():
            known = self._known.get(target, Details())
            uids = [workload.uid, *(r.uid for r in known.revisions or ()), *(pod.uid for pod in known.pods or ())]
            ours |= dict.fromkeys(uids, target)
        found: tuple[Happening, ...] | None = self._list(
            f"/api/v1/namespaces/{self._namespace}/events",
            "events",
            {"fieldSelector": "type=Warning"} if len(self._targets) > FEW else {},
            lambda item: event if (event := pod_shape.happening(item, self._cluster.skew)).about in ours else None,
        )
        for target in workloads:
            known = self._known.get(target, Details())
            mine = None if found is None else tuple(event for event in found if ours[event.about] == target)
            self._known[target] = Details(known.revisions, known.pods, mine, known.of)

    def known_events(self, target: DeployTarget) -> tuple[Happening, ...] | None:
        """Return the events read last about a target; None where listing them is forbidden."""
        return self._known.get(target, Details()).events

    def _list(self, path: str, what: str, params: Params, keep: Callable[[Json], Any]) -> tuple[Any, ...] | None:
        """Return what ``keep`` kept; None where listing is forbidden, which is not asked twice."""
        if what in self._denied:
            return None
        counted = 0

        def counting(item: Json) -> Any:
            nonlocal counted
            counted += 1
            return keep(item)

        try:
            answer = self._cluster.list(path, params, keep=counting)
        except PermissionMissing:
            self._denied[what] = f"no {what} proof: list {what} forbidden"
            return None
        self._cost += 1 + counted // 250
        self._objects += counted
        return tuple(item for item in answer["items"] if item is not None)


def _present(workload: Workload | None) -> Workload:
    assert workload is not None
    return workload


def _node(item: Json) -> Node:
    conditions = {c.type: c.status for c in shape.conditions(item.get("status") or {})}
    cordoned = bool((item.get("spec") or {}).get("unschedulable"))
    return Node(str((item.get("metadata") or {}).get("name")), conditions.get("Ready") == "True", cordoned)


def _moving_parts(workload: Workload) -> object:
    return (workload.generation, workload.observed, workload.counters, workload.conditions)
