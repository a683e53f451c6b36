"""A served lab cluster and the clients that talk to it, for tests that need the wire."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from homelab.lab.kubernetes.node.images import Shelf
from homelab.lab.kubernetes.objects import Object
from homelab.lab.kubernetes.thread import RunningCluster

APP = "registry.homelab.test/demo/app"
KUBECTL = Path(sys.executable).with_name("kubectl")

IMAGES: dict[str, Mapping[str, str]] = {
    f"{APP}:v1": {"homelab.lab/log": "one\ntwo\nthree"},
    f"{APP}:v2": {},
    f"{APP}:chatty": {"homelab.lab/log": "first", "homelab.lab/log-every": "0.05", "homelab.lab/crash-after": "0.6"},
    f"{APP}:done": {"homelab.lab/crash-after": "0.2", "homelab.lab/exit-code": "0", "homelab.lab/log": "worked"},
    f"{APP}:crash": {"homelab.lab/crash-after": "0.2", "homelab.lab/last-log": "boom"},
}


def shelf() -> Shelf:
    return Shelf(IMAGES)


def manifest(name: str, tag: str = "v1", **spec: Any) -> Object:
    labels = {"app": name}
    containers = [{"name": "app", "image": f"{APP}:{tag}"}]
    body = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        **spec,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": body,
    }


DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def until(claim: Callable[[], Any], *, within: float = 8.0) -> Any:
    """Return what ``claim`` returns once it is true."""
    end = time.monotonic() + within
    while not (found := claim()):
        assert time.monotonic() < end, f"not within {within} s: {claim}"
        time.sleep(0.02)
    return found


def available(cluster: RunningCluster, name: str, replicas: int = 1) -> bool:
    status = cluster.request("GET", f"{DEPLOYMENTS}/{name}").get("status", {})
    wanted = ("updatedReplicas", "replicas", "availableReplicas")
    return all(status.get(counter) == replicas for counter in wanted)


class Kubectl:
    """The real kubectl, pointed at one cluster."""

    def __init__(self, cluster: RunningCluster, folder: Path, *, token: str = "") -> None:
        self._env = {
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "KUBECONFIG": str(cluster.kubeconfig(folder / f"kubeconfig{token}", token=token)),
        }

    def run(self, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(KUBECTL), *args], env=self._env, input=stdin, capture_output=True, text=True, timeout=20, check=False
        )

    def __call__(self, *args: str, stdin: str = "") -> str:
        """Return what a command that must succeed prints."""
        done = self.run(*args, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(args)}: {done.stderr}"
        return done.stdout

    def apply(self, *items: Object, args: tuple[str, ...] = ()) -> str:
        return self("apply", *args, "-f", "-", stdin="\n---\n".join(json.dumps(item) for item in items))
