"""Random walks: whatever was done to a workload, it settles into what was asked for."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from homelab.lab.kubernetes.kinds import DAEMON_SET, DEPLOYMENT, POD, REPLICA_SET, STATEFUL_SET, Kind
from homelab.lab.kubernetes.node.nodes import set_ready
from homelab.lab.kubernetes.objects import owned_by
from tests.lab.kubernetes.fakes import APP, VirtualLab, workload

GOOD = ("v1", "v2", "v3")
IMAGES: dict[str, dict[str, str]] = {"v1": {}, "v2": {}, "v3": {}, "crash": {"homelab.lab/crash-after": "0.5"}}
SEEDS = range(8)


class Walk:
    """One workload and a sequence of random deeds."""

    def __init__(self, kind: Kind, seed: int, **spec: object) -> None:
        print(f"seed {seed}")  # noqa: T201 -- shown when the walk fails
        self.kind = kind
        self.random = random.Random(seed)
        self.lab = VirtualLab(IMAGES, nodes=3)
        self.lab.create(kind, workload(kind.kind, f"{APP}:v1", **spec))
        self.paused = False

    def deeds(self) -> list[Callable[[], object]]:
        return [self.set_image, self.delete_a_pod, self.flap_a_node, self.rest]

    def set_image(self) -> None:
        self.lab.set_image(self.random.choice((*GOOD, "crash", "missing")), self.kind)

    def scale(self) -> None:
        self.lab.change(self.kind, replicas=self.random.randrange(6))

    def pause(self) -> None:
        self.paused = not self.paused
        self.lab.change(self.kind, paused=self.paused)

    def delete_a_pod(self) -> None:
        if pods := self.lab.pods():
            self.lab.api.delete(POD, "demo", self.random.choice(pods)["metadata"]["name"])

    def flap_a_node(self) -> None:
        node = f"lab-{self.random.randint(1, 3)}"
        set_ready(self.lab.api, node, ready=False)
        self.lab.run(self.random.random())
        set_ready(self.lab.api, node, ready=True)

    def rest(self) -> None:
        self.lab.run(self.random.random() * 3)

    def go(self, deeds: list[Callable[[], object]], *, each: Callable[[], None] = lambda: None) -> None:
        for _ in range(25):
            self.random.choice(deeds)()
            for _ in range(self.random.randrange(8)):
                self.lab.cluster.loop.step(self.random.randint(1, 4))
                each()

    def images(self) -> set[str]:
        return {pod["spec"]["containers"][0]["image"].rpartition(":")[2] for pod in self.lab.pods()}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_deployment_settles_and_never_exceeds_its_surge(seed):
    walk = Walk(DEPLOYMENT, seed, replicas=3)
    lab = walk.lab

    def within_surge() -> None:
        """At most five replicas are ever wanted, so at most seven may be asked of all sets with the surge of 25 %."""
        assert sum(one["spec"]["replicas"] for one in lab.store.list(REPLICA_SET, "demo")) <= 7

    walk.go([*walk.deeds(), walk.scale, walk.pause], each=within_surge)
    lab.change(DEPLOYMENT, paused=False, replicas=4)
    lab.set_image("v2")
    lab.run(300)
    status = lab.get(DEPLOYMENT)["status"]
    counters = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    assert counters == [4, 4, 4, 4]
    assert status["observedGeneration"] == lab.get(DEPLOYMENT)["metadata"]["generation"]
    assert (walk.images(), lab.progressing()["reason"]) == ({"v2"}, "NewReplicaSetAvailable")
    new = lab.replica_sets()["v2"]
    assert all(owned_by(pod, new) for pod in lab.pods())
    assert sum(one["spec"]["replicas"] for one in lab.replica_sets().values()) == 4


@pytest.mark.parametrize("seed", SEEDS)
def test_a_parallel_stateful_set_settles(seed):
    walk = Walk(STATEFUL_SET, seed, replicas=3, podManagementPolicy="Parallel")
    walk.go([*walk.deeds(), walk.scale])
    walk.lab.change(STATEFUL_SET, replicas=3)
    walk.lab.set_image("v2", STATEFUL_SET)
    walk.lab.run(300)
    status = walk.lab.get(STATEFUL_SET)["status"]
    assert [pod["metadata"]["name"] for pod in walk.lab.pods()] == ["web-0", "web-1", "web-2"]
    assert (status["updatedReplicas"], status["readyReplicas"], walk.images()) == (3, 3, {"v2"})
    assert status["currentRevision"] == status["updateRevision"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_daemon_set_settles(seed):
    walk = Walk(DAEMON_SET, seed)
    walk.go(walk.deeds())
    walk.lab.set_image("v2", DAEMON_SET)
    walk.lab.run(300)
    status = walk.lab.get(DAEMON_SET)["status"]
    assert [status[name] for name in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")] == [
        3,
        3,
        3,
    ]
    assert walk.images() == {"v2"}
    assert sorted(pod["spec"]["nodeName"] for pod in walk.lab.pods()) == ["lab-1", "lab-2", "lab-3"]


@pytest.mark.parametrize("seed", SEEDS)
def test_versions_only_rise_and_a_watcher_sees_every_state(seed):
    walk = Walk(DEPLOYMENT, seed, replicas=2)
    lab = walk.lab
    start = lab.store.version
    seen = {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in lab.store.list(POD)}
    walk.go([*walk.deeds(), walk.scale])
    lab.run(30)
    changes = lab.store.since(start)
    assert [change.version for change in changes] == sorted({change.version for change in changes})
    for change in changes:
        key = (change.item["metadata"].get("namespace", ""), change.item["metadata"]["name"])
        if change.kind == POD and change.type == "DELETED":
            del seen[key]
        elif change.kind == POD:
            seen[key] = change.item
    assert seen == {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in lab.store.list(POD)}
