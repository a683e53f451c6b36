"""How long after the deciding event a watch has ended, in the lab: beside an empty Python's whole life.

A listener of our own hears the same event stream and the same watch; the figure is the time from
its hearing the decision to the end of the homelab process, the interpreter's own exit included.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench._measure import medians
from homelab.clock import SystemClock
from homelab.http.client import Client
from homelab.http.port import Site
from homelab.kube.cluster import connect
from homelab.lab.down import down
from homelab.lab.guide import environment, without_servers
from homelab.lab.layout import IMAGE, Layout
from homelab.lab.parts import vault_token
from homelab.lab.remote import git
from homelab.lab.up import up
from homelab.secret import Secret
from homelab.settings.model import KubernetesAccess

ROUNDS = 5
PIPELINE = """\
when:
  - event: push
    branch: main
steps:
  - name: think
    image: bash
    commands: [sleep 1.5]
"""


def main() -> None:
    """Print the median of both figures."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Layout(Path(folder) / "lab")
        up(lab, env=os.environ, clock=SystemClock(), emit=lambda _: None)
        try:
            empty = medians({"empty": [sys.executable, "-c", "pass"]})["empty"]
            for name, measure in (("ci watch", _ci), ("deploy wait", _deploy)):
                taken = [measure(lab) for _ in range(ROUNDS)]
                median, worst = statistics.median(taken), max(taken)
                print(
                    f"{name:<12} ends {median * 1000:.0f} ms after the event, at worst {worst * 1000:.0f} ms:"
                    f" {median / empty:.1f} x an empty python"
                )
        finally:
            down(lab)


def _homelab(lab: Layout, *words: str) -> tuple[subprocess.Popen[bytes], Callable[[], float]]:
    """Start a homelab command; return it, and a function that waits for its end and returns when that was."""
    env = {**without_servers(os.environ), **environment(lab, vault_token=vault_token(lab).reveal())}
    argv = [sys.executable, "-m", "homelab", *words]
    process = subprocess.Popen(
        argv, cwd=lab.clone, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )

    def ended() -> float:
        process.wait(timeout=60)
        at = time.monotonic()
        assert process.returncode == 0, process.stderr.read().decode() if process.stderr else ""
        return at

    return process, ended


def _ci(lab: Layout) -> float:
    """Push, watch, and return the seconds from the final event to the watch's end."""
    (lab.clone / ".woodpecker.yaml").write_text(PIPELINE)
    (lab.clone / "stamp").write_text(str(time.time_ns()))
    git(lab.clone, "add", "--all", env=os.environ)
    git(lab.clone, "commit", "--quiet", "--message", "Think", env=os.environ)
    oid = git(lab.clone, "rev-parse", "HEAD", env=os.environ)
    dial = json.loads(lab.ready.read_text())["dial"]
    site = Site("https://ci.homelab.test", dial=dial, ca_file=lab.part("caddy") / "data/pki/authorities/local/root.crt")
    http = Client(site, token=Secret((lab.secrets / "ci-token").read_text()), clock=SystemClock())
    heard: list[float] = []
    listening = threading.Event()

    def listen() -> None:
        with http.stream("/api/stream/events", idle=60) as stream:
            listening.set()
            for event in stream:
                pipeline = json.loads(event.data).get("pipeline", {})
                if pipeline.get("commit") == oid and pipeline.get("status") == "success":
                    heard.append(time.monotonic())
                    return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    listening.wait(10)
    git(lab.clone, "push", "--quiet", env=os.environ)
    _, ended = _homelab(lab, "ci", "watch")
    end = ended()
    thread.join(10)
    http.close()
    return end - heard[0]


def _deploy(lab: Layout) -> float:
    """Change the image, wait for it, and return the seconds from the last pod's readiness to the wait's end."""
    oid = git(lab.clone, "rev-parse", "HEAD", env=os.environ)
    cluster = connect(
        KubernetesAccess(kubeconfig=lab.kubeconfig, context="lab"),
        env=os.environ,
        clock=SystemClock(),
        emit=lambda _: None,
    )
    tag = f"{oid}-{time.time_ns()}"
    registry = (lab.secrets / "registry").read_text()
    push = [sys.executable, "-m", "homelab.lab.registry.push", f"{IMAGE}:{tag}", "--to", registry]
    subprocess.run(push, check=True, cwd=lab.clone, stdout=subprocess.DEVNULL)
    heard: list[float] = []

    def listen() -> None:
        path = "/apis/apps/v1/namespaces/demo/deployments"
        version = cluster.list(path)["resourceVersion"]
        for event in cluster.watch(path, resource_version=version, timeout=60):
            if _complete(event["object"], tag):
                heard.append(time.monotonic())
                return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    _, ended = _homelab(lab, "deploy", "wait", "--image", f"{IMAGE}:{tag}", "--stable-for", "0")
    time.sleep(1.5)
    kubectl = [str(lab.tools / "kubectl"), "--kubeconfig", str(lab.kubeconfig), "-n", "demo"]
    subprocess.run(
        [*kubectl, "set", "image", "deployment/hello", f"hello={IMAGE}:{tag}"], check=True, stdout=subprocess.DEVNULL
    )
    end = ended()
    thread.join(10)
    return end - heard[0]


def _complete(deployment: dict[str, object], tag: str) -> bool:
    """Say whether this snapshot is the first that proves the rollout."""
    spec, status, metadata = deployment["spec"], deployment["status"], deployment["metadata"]
    assert isinstance(spec, dict)
    assert isinstance(status, dict)
    assert isinstance(metadata, dict)
    if status["observedGeneration"] < metadata["generation"]:
        return False
    image = spec["template"]["spec"]["containers"][0]["image"]
    counts = [status.get(name) for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    reasons = [condition["reason"] for condition in status.get("conditions", [])]
    return bool(image.endswith(tag) and counts == [spec["replicas"]] * 4 and "NewReplicaSetAvailable" in reasons)
