"""A lab cluster with one Deployment in it, for the tests that run the whole command."""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homelab.cli import run
from homelab.lab.kubernetes.node.images import Shelf
from homelab.lab.kubernetes.node.speeds import Speeds
from homelab.lab.kubernetes.thread import RunningCluster, running_cluster
from homelab.world import World

OLD = "1111111111111111111111111111111111111111"
NEW = "0123456789abcdef0123456789abcdef01234567"
NEXT = "2222222222222222222222222222222222222222"
REPOSITORY = "registry.homelab.test/shop/web"


def image(oid: str, repository: str = REPOSITORY) -> str:
    """The image CI would push for a commit."""
    return f"{repository}:{oid[:12]}"


@dataclass
class Answer:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@dataclass
class Lab:
    """One cluster, its shelf of images, and a home from which commands run."""

    cluster: RunningCluster
    home: Path
    shelf: Shelf
    env: dict[str, str] = field(default_factory=dict)

    def deployment(
        self, oid: str = OLD, *, name: str = "web", labels: Mapping[str, str] | None = None, **spec: Any
    ) -> None:
        """Create a Deployment of ``oid``'s image, with a shelf entry that behaves as ``labels`` say."""
        self.shelf.images[image(oid)] = dict(labels or {})
        template = {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "web", "image": image(oid)}], "terminationGracePeriodSeconds": 0},
        }
        body = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": template, **spec},
        }
        self.cluster.request("POST", "/apis/apps/v1/namespaces/shop/deployments", body)

    def set_image(self, oid: str, *, name: str = "web", labels: Mapping[str, str] | None = None) -> None:
        """Change the template; ``labels`` None leaves the image out of the registry."""
        if labels is not None:
            self.shelf.images[image(oid)] = dict(labels)
        containers = [{"name": "web", "image": image(oid)}]
        self.patch({"spec": {"template": {"spec": {"containers": containers}}}}, name=name)

    def patch(self, body: dict[str, Any], *, name: str = "web") -> None:
        self.cluster.request(
            "PATCH",
            f"/apis/apps/v1/namespaces/shop/deployments/{name}",
            body,
            content_type="application/strategic-merge-patch+json",
        )

    def run(self, *argv: str, cwd: Path | None = None) -> Answer:
        """Run a command as a user would, with its streams caught."""
        stdout, stderr = io.StringIO(), io.StringIO()
        world = World(env=self.env, cwd=cwd or self.home, stdin=None, stdout=stdout, stderr=stderr)
        code = run(list(argv), world)
        return Answer(self.joined(code), stdout.getvalue(), stderr.getvalue())

    def joined(self, code: int) -> int:
        """Return ``code`` once every watch's thread has ended: no connection may outlive the server of the test."""
        for thread in threading.enumerate():
            if thread.name.startswith("watch "):
                thread.join(timeout=5)
        return code

    def settled(self, *, name: str = "web") -> None:
        """Wait until the Deployment of the lab has rolled out what it was made with."""
        answer = self.run("deploy", "wait", f"shop/{name}", "--sha", OLD, "--stable-for", "0", "--timeout", "20s")
        assert answer.code == 0, answer.stderr


@contextmanager
def lab(folder: Path, *, speeds: Speeds | None = None, nodes: int = 1) -> Iterator[Lab]:
    """Serve a lab cluster with the namespace ``shop``."""
    shelf = Shelf({})
    with running_cluster(images=shelf, speeds=speeds, nodes=nodes) as cluster:
        cluster.lab("namespaces/shop")
        kubeconfig = cluster.kubeconfig(folder / "kubeconfig", namespace="shop")
        env = {"HOME": str(folder), "KUBECONFIG": str(kubeconfig), "PATH": os.environ["PATH"]}
        yield Lab(cluster, folder, shelf, env)
