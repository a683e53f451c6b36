"""A whole lab cluster on a virtual clock: no server, no thread, no real second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homelab.lab.kubernetes.cluster import Cluster, run_for
from homelab.lab.kubernetes.kinds import (
    DEPLOYMENT,
    EVENT,
    NAMESPACE,
    POD,
    REPLICA_SET,
    Kind,
)
from homelab.lab.kubernetes.node.images import Shelf
from homelab.lab.kubernetes.objects import Object, condition, owned_by
from tests.fakes import FakeClock

APP = "registry.homelab.test/demo/app"


def container(image: str, **more: Any) -> Object:
    return {"name": "app", "image": image, **more}


def template(image: str, **more: Any) -> Object:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container(image)], **more}}


def workload(kind: str, image: str, **spec: Any) -> Object:
    """A manifest named ``web`` in the namespace ``demo``."""
    body = {"selector": {"matchLabels": {"app": "web"}}, "template": template(image), **spec}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "web", "namespace": "demo", "labels": {"app": "web"}},
        "spec": body,
    }


def deployment(image: str, **spec: Any) -> Object:
    return workload("Deployment", image, **spec)


class VirtualLab:
    """A cluster whose images are on a shelf: tag to labels, all of ``APP``."""

    def __init__(self, images: Mapping[str, Mapping[str, str]], *, nodes: int = 1) -> None:
        self.clock = FakeClock()
        self.shelf = Shelf({f"{APP}:{tag}": labels for tag, labels in images.items()})
        self.cluster = Cluster(self.shelf, nodes=nodes, now=self.clock.now)
        self.cluster.populate()
        self.cluster.ensure_namespace("demo")
        self.api = self.cluster.api
        self.store = self.cluster.store

    def run(self, seconds: float) -> None:
        run_for(self.cluster, self.clock, seconds)

    def create(self, kind: Kind, body: Object) -> Object:
        return self.api.create(kind, "demo", body)

    def get(self, kind: Kind, name: str = "web") -> Object:
        return self.store.get(kind, "" if kind == NAMESPACE else "demo", name)

    def change(self, kind: Kind, name: str = "web", **spec: Any) -> Object:
        """Change fields of the spec."""

        def edit(item: Object) -> Object:
            item["spec"] |= spec
            return item

        return self.api.change(kind, "demo", name, edit)

    def set_image(self, tag: str, kind: Kind = DEPLOYMENT) -> Object:
        def edit(item: Object) -> Object:
            item["spec"]["template"]["spec"]["containers"][0]["image"] = f"{APP}:{tag}"
            return item

        return self.api.change(kind, "demo", "web", edit)

    def pods(self) -> list[Object]:
        return self.store.list(POD, "demo")

    def replica_sets(self) -> dict[str, Object]:
        """ReplicaSets by their image tag."""
        found = self.store.list(REPLICA_SET, "demo")
        return {one["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]: one for one in found}

    def pods_of(self, owner: Object) -> list[Object]:
        return [pod for pod in self.pods() if owned_by(pod, owner)]

    def events(self, reason: str = "") -> list[Object]:
        return [one for one in self.store.list(EVENT, "demo") if reason in ("", one["reason"])]

    def messages(self, reason: str) -> list[str]:
        return [one["message"] for one in self.events(reason)]

    def progressing(self) -> Object:
        found = condition(self.get(DEPLOYMENT), "Progressing")
        assert found is not None
        return found


def waiting(pod: Object) -> Object:
    """The ``waiting`` state of the pod's first container."""
    found: Object = pod["status"]["containerStatuses"][0]["state"]["waiting"]
    return found
