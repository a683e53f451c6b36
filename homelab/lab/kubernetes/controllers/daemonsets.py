"""DaemonSets: one pod on each node that fits. Layer: controller.

From ``pkg/controller/daemon/{daemon_controller,update}.go`` and ``util/daemonset_util.go``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from homelab.lab.kubernetes.api import Api
from homelab.lab.kubernetes.controllers.loop import Name
from homelab.lab.kubernetes.controllers.pod_owner import PodOwner
from homelab.lab.kubernetes.controllers.pods import available, next_availability, ready
from homelab.lab.kubernetes.controllers.revisions import HASH, Revisions, hash_of
from homelab.lab.kubernetes.controllers.rollout_sizes import scaled
from homelab.lab.kubernetes.controllers.templates import pod_from
from homelab.lab.kubernetes.kinds import DAEMON_SET, NODE
from homelab.lab.kubernetes.node.taints import untolerated
from homelab.lab.kubernetes.objects import (
    Object,
    deleting,
    labels_of,
    name_of,
    namespace_of,
)
from homelab.lab.kubernetes.store import Change

_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


@dataclass(frozen=True, slots=True)
class Daemon:
    """One DaemonSet, the hash of its live template, and its pods by node, oldest first."""

    item: Object
    hash: str
    pods: dict[str, list[Object]]

    @property
    def wait(self) -> float:
        """``minReadySeconds``."""
        return float(self.item["spec"].get("minReadySeconds", 0))

    def newest(self, pod: Object) -> bool:
        """Say whether the pod is of the live template."""
        return labels_of(pod).get(HASH) == self.hash


class DaemonSets:
    """The DaemonSet controller."""

    name = "daemonset"

    def __init__(self, api: Api) -> None:
        """Read and write through ``api``."""
        self._store = api.store
        self._revisions = Revisions(api)
        self._owner = PodOwner(api, DAEMON_SET)

    def concerns(self, change: Change) -> Iterable[Name]:
        """Itself, the owner of a pod, and all of them when a node changed."""
        if change.kind == NODE:
            return [(namespace_of(item), name_of(item)) for item in self._store.list(DAEMON_SET)]
        return self._owner.concerns(change)

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Place missing pods, remove wrong ones, move the update on, count."""
        item = self._store.find(DAEMON_SET, namespace, name)
        if item is None:
            return None
        revision = self._revisions.latest(item)
        daemon = self._look(item, hash_of(revision))
        if not deleting(item):
            self._place(daemon)
            if item["spec"]["updateStrategy"]["type"] == "RollingUpdate":
                self._update(self._look(item, daemon.hash))
        daemon = self._look(item, daemon.hash)
        self._count(daemon)
        self._revisions.prune(item, {name_of(revision)})
        pods = [pod for pods in daemon.pods.values() for pod in pods]
        return next_availability(pods, daemon.wait, self._store.now())

    def _look(self, item: Object, hashed: str) -> Daemon:
        found: dict[str, list[Object]] = {}
        # Stamps have whole seconds; of two pods made in one second the one of the live template came later.
        pods = sorted(
            self._owner.pods(item),
            key=lambda pod: (pod["metadata"]["creationTimestamp"], labels_of(pod).get(HASH) == hashed),
        )
        for pod in pods:
            found.setdefault(_node_of(pod), []).append(pod)
        return Daemon(item, hashed, found)

    def _place(self, daemon: Daemon) -> None:
        for node in self._store.list(NODE):
            name, pods = name_of(node), daemon.pods.get(name_of(node), [])
            runs, stays = _belongs(daemon.item, node)
            if runs and not pods:
                self._create(daemon, name)
            for pod in pods:
                finished = pod["status"].get("phase") in ("Failed", "Succeeded")
                if not deleting(pod) and (finished or not stays):
                    self._owner.remove(daemon.item, pod)

    def _update(self, daemon: Daemon) -> None:
        rules = daemon.item["spec"]["updateStrategy"].get("rollingUpdate") or {}
        nodes = [name_of(node) for node in self._store.list(NODE) if _belongs(daemon.item, node)[0]]
        surge = scaled(rules.get("maxSurge", 0), len(nodes), up=True)
        if surge:
            self._update_by_surge(daemon, nodes, surge)
            return
        budget = scaled(rules.get("maxUnavailable", 1), len(nodes), up=True) or 1
        broken, healthy = [], []
        for node in nodes:
            pods = daemon.pods.get(node, [])
            old = [pod for pod in pods if not daemon.newest(pod) and not deleting(pod)]
            if not old:
                budget -= 0 if pods and all(self._available(daemon, pod) for pod in pods) else 1
            elif self._available(daemon, old[0]):
                healthy.append(old[0])
            else:
                broken.append(old[0])
        for pod in broken + healthy[: max(0, budget)]:
            self._owner.remove(daemon.item, pod)

    def _update_by_surge(self, daemon: Daemon, nodes: list[str], surge: int) -> None:
        wanting = []
        for node in nodes:
            pods = [pod for pod in daemon.pods.get(node, []) if not deleting(pod)]
            new = [pod for pod in pods if daemon.newest(pod)]
            old = [pod for pod in pods if not daemon.newest(pod)]
            if old and new and self._available(daemon, new[0]):
                self._owner.remove(daemon.item, old[0])
            elif old and not new:
                wanting.append(node)
            elif old:
                surge -= 1
        for node in wanting[: max(0, surge)]:
            self._create(daemon, node)

    def _available(self, daemon: Daemon, pod: Object) -> bool:
        return not deleting(pod) and available(pod, daemon.wait, self._store.now())

    def _create(self, daemon: Daemon, node: str) -> None:
        pod = _pod(daemon.item, node)
        pod["metadata"].setdefault("labels", {})[HASH] = daemon.hash
        self._owner.make(daemon.item, pod)

    def _count(self, daemon: Daemon) -> None:
        counters = dict.fromkeys(
            (
                "desiredNumberScheduled",
                "currentNumberScheduled",
                "numberMisscheduled",
                "numberReady",
                "updatedNumberScheduled",
                "numberAvailable",
            ),
            0,
        )
        for node in self._store.list(NODE):
            pods = daemon.pods.get(name_of(node), [])
            if not _belongs(daemon.item, node)[0]:
                counters["numberMisscheduled"] += bool(pods)
                continue
            counters["desiredNumberScheduled"] += 1
            if pods:
                # Only the oldest pod of a node counts, so during a surge a node is the old one's.
                counters["currentNumberScheduled"] += 1
                counters["numberReady"] += ready(pods[0])
                counters["numberAvailable"] += available(pods[0], daemon.wait, self._store.now())
                counters["updatedNumberScheduled"] += daemon.newest(pods[0])
        missing = counters["desiredNumberScheduled"] - counters["numberAvailable"]
        status = {"observedGeneration": daemon.item["metadata"]["generation"], **counters}
        self._owner.write_status(daemon.item, status | ({"numberUnavailable": missing} if missing else {}))


def _pod(item: Object, node: str) -> Object:
    pod = pod_from(item, item["spec"]["template"])
    tolerations = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in _TOLERATED]
    pod["spec"]["tolerations"] = [*(pod["spec"].get("tolerations") or []), *tolerations]
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    affinity = pod["spec"].setdefault("affinity", {}).setdefault("nodeAffinity", {})
    affinity["requiredDuringSchedulingIgnoredDuringExecution"] = terms
    return pod


def _node_of(pod: Object) -> str:
    rules = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return str(pod["spec"].get("nodeName") or rules["nodeSelectorTerms"][0]["matchFields"][0]["values"][0])


def _belongs(item: Object, node: Object) -> tuple[bool, bool]:
    """Return (a pod should be started on the node, one that is there may stay)."""
    spec = _pod(item, name_of(node))["spec"]
    wanted = (spec.get("nodeSelector") or {}).items()
    if not wanted <= labels_of(node).items():
        return False, False
    tolerations = spec["tolerations"]
    if untolerated(node, tolerations, ("NoExecute", "NoSchedule")) is None:
        return True, True
    return False, untolerated(node, tolerations, ("NoExecute",)) is None
