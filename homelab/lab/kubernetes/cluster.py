"""The parts of one lab cluster put together, and what keeps them moving. Layer: composition of the lab cluster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from homelab.lab.kubernetes.api import Api
from homelab.lab.kubernetes.controllers.claims import Claims
from homelab.lab.kubernetes.controllers.daemonsets import DaemonSets
from homelab.lab.kubernetes.controllers.deployments import Deployments
from homelab.lab.kubernetes.controllers.expiry import Expiry
from homelab.lab.kubernetes.controllers.garbage import Garbage
from homelab.lab.kubernetes.controllers.jobs import Jobs
from homelab.lab.kubernetes.controllers.loop import Controller, Loop
from homelab.lab.kubernetes.controllers.replicasets import ReplicaSets
from homelab.lab.kubernetes.controllers.statefulsets import StatefulSets
from homelab.lab.kubernetes.kinds import NAMESPACE
from homelab.lab.kubernetes.node.images import Images
from homelab.lab.kubernetes.node.kubelet import NAME as KUBELET
from homelab.lab.kubernetes.node.kubelet import Kubelet
from homelab.lab.kubernetes.node.nodes import add_node
from homelab.lab.kubernetes.node.scheduler import Scheduler
from homelab.lab.kubernetes.node.speeds import Speeds
from homelab.lab.kubernetes.store import Store

_AT_ONCE = 16
NAMESPACES = ("default", "kube-system")


class Cluster:
    """A store, the API over it, and every controller."""

    def __init__(
        self, images: Images, *, speeds: Speeds | None = None, nodes: int = 1, now: Callable[[], float] = time.time
    ) -> None:
        """Pull from ``images``; ``now`` is Unix time in seconds."""
        speeds = speeds or Speeds()
        self._awake: asyncio.Event | None = None
        self.store = Store(now)
        self.api = Api(self.store)
        self.kubelet = Kubelet(self.store, images, speeds)
        controllers: list[Controller] = [
            Deployments(self.api),
            ReplicaSets(self.api),
            StatefulSets(self.api),
            DaemonSets(self.api),
            Claims(self.api),
            Jobs(self.api, speeds.crash_back_off),
            Garbage(self.api),
            Expiry(self.store),
            Scheduler(self.store, speeds.schedule),
            self.kubelet,
        ]
        self.loop = Loop(self.store, controllers, wake=self._wake)
        self.kubelet.wake = lambda namespace, name: self.loop.add(KUBELET, namespace, name)
        self._nodes = nodes

    def populate(self) -> None:
        """Make what every cluster starts with, unless an earlier run left it; then look at everything once."""
        self.loop.look_at_everything()
        for name in NAMESPACES:
            self.ensure_namespace(name)
        for number in range(1, self._nodes + 1):
            add_node(self.api, f"lab-{number}")

    def ensure_namespace(self, name: str) -> None:
        """Make a namespace unless it is there."""
        if not self.store.find(NAMESPACE, "", name):
            labels = {"kubernetes.io/metadata.name": name}
            self.api.create(
                NAMESPACE, "", {"metadata": {"name": name, "labels": labels}, "spec": {"finalizers": ["kubernetes"]}}
            )

    def _wake(self) -> None:
        if self._awake:
            self._awake.set()

    async def run(self) -> None:
        """Run the controllers on the current event loop until cancelled."""
        self._awake = asyncio.Event()
        while True:
            self._awake.clear()
            if self.loop.step(_AT_ONCE):
                await asyncio.sleep(0)
                continue
            due = self.loop.next_due()
            wait = None if due is None else max(0.0, due - self.store.now())
            try:
                await asyncio.wait_for(self._awake.wait(), wait)
            except TimeoutError:
                continue


class Clocked(Protocol):
    """A virtual clock a test moves."""

    def now(self) -> float:
        """Return Unix time in seconds."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


def run_for(cluster: Cluster, clock: Clocked, seconds: float) -> None:
    """Run the controllers through ``seconds`` of a virtual clock, without an event loop."""
    end = clock.now() + seconds
    while True:
        while cluster.loop.step():
            pass
        due = cluster.loop.next_due()
        if due is None or due > end:
            clock.sleep(max(0.0, end - clock.now()))
            return
        clock.sleep(max(0.0, due - clock.now()) + 1e-6)
