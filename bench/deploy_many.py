"""What waiting for fifty targets of twenty pods costs: memory and requests a second, beside waiting for one.

Both waits follow a rollout that begins after they do, in the same lab cluster.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from homelab.lab.kubernetes.node.images import Shelf
from homelab.lab.kubernetes.thread import RunningCluster, running_cluster

TARGETS, PODS = 50, 20
IMAGE = "registry.homelab.test/shop/web"
OLD, NEW = "1" * 40, "0123456789abcdef0123456789abcdef01234567"
SLOW = {"homelab.lab/ready-after": "2", "homelab.lab/start-delay": "1"}


TOKEN = "the-waiting-one"
EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


class Counting:
    """Stands before the server's access check and counts the requests of one token."""

    def __init__(self, access: Any) -> None:
        self.access, self.count = access, 0

    def user(self, authorization: str) -> Any:
        self.count += TOKEN in authorization
        return self.access.user(authorization)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.access, name)


def counted(cluster: RunningCluster) -> Counting:
    """Put the counter in place."""

    def put(server: Any) -> Counting:
        server.access = Counting(server.access)
        return server.access

    return cluster.inside(put)


def deployment(name: str) -> dict[str, object]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [_container(OLD)]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"replicas": PODS, "selector": {"matchLabels": labels}, "template": template},
    }


def _container(oid: str) -> dict[str, object]:
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1}
    return {"name": "web", "image": f"{IMAGE}:{oid[:12]}", "readinessProbe": probe}


def path(name: str = "") -> str:
    return "/apis/apps/v1/namespaces/shop/deployments" + (f"/{name}" if name else "")


def change(cluster: RunningCluster, names: list[str], oid: str) -> None:
    body = {"spec": {"template": {"spec": {"containers": [_container(oid)]}}}}
    for name in names:
        cluster.request("PATCH", path(name), body, content_type="application/strategic-merge-patch+json")


def peak_of(process: subprocess.Popen[bytes]) -> int:
    """Return the peak resident bytes of a process once it has ended.

    The kernel's own figure for a child starts at its parent's size, which is large here.
    """
    status, peak = Path(f"/proc/{process.pid}/status"), 0
    while process.poll() is None:
        try:
            lines = status.read_text().splitlines()
        except OSError:
            break
        peak = max([peak, *(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))])
        time.sleep(0.05)
    return peak


def measure(cluster: RunningCluster, counter: Counting, names: list[str], folder: Path) -> tuple[int, float, int, int]:
    """Return (exit code, seconds, peak bytes, requests) of one wait."""
    env = {"HOME": str(folder), "PATH": os.environ["PATH"], "KUBECONFIG": str(folder / "kubeconfig")}
    targets = [f"shop/{name}" for name in names]
    argv = [sys.executable, "-m", "homelab", "deploy", "wait", *targets, "--sha", NEW, "--stable-for", "3"]
    counter.count, began = 0, time.monotonic()
    process = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    threading.Timer(2.0, change, (cluster, names, NEW)).start()
    peak = peak_of(process)
    return process.wait(), time.monotonic() - began, peak, counter.count


def main() -> None:
    """Print both waits, and the large one as a multiple of the small one."""
    names = [f"web-{number}" for number in range(TARGETS)]
    shelf = Shelf({f"{IMAGE}:{OLD[:12]}": {}, f"{IMAGE}:{NEW[:12]}": SLOW})
    with tempfile.TemporaryDirectory() as folder, running_cluster(images=shelf) as cluster:
        cluster.lab("namespaces/shop")
        cluster.lab("tokens", {"token": TOKEN, "user": "homelab", "rules": [EVERYTHING]})
        cluster.kubeconfig(Path(folder) / "kubeconfig", token=TOKEN)
        counter = counted(cluster)
        for name in names:
            cluster.request("POST", path(), deployment(name))
        figures = {}
        for count, chosen in ((1, names[:1]), (TARGETS, [*names[1:], names[0]])):
            code, took, peak, requests = measure(cluster, counter, chosen, Path(folder))
            figures[count] = (peak, requests / took)
            print(
                f"{count:>3} targets of {PODS} pods: exit {code}, {took:.1f} s, {peak / 2**20:.0f} MB,"
                f" {requests} requests, {requests / took:.1f} a second"
            )
    (small, slow), (large, fast) = figures[1], figures[TARGETS]
    print(f"{TARGETS} targets cost {large / small:.2f} x the memory and {fast / slow:.1f} x the requests of one")
