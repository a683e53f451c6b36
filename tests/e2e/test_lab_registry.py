"""The registry, the image push and the cluster as processes of their own, put together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.lab_cluster import KUBECTL, manifest, until

REVISION = "0123456789abcdef0123456789abcdef01234567"
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Part:
    process: subprocess.Popen[bytes]
    port: int
    state: Path

    def stop(self) -> float:
        """Return the seconds from SIGTERM to the end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(5) == 0
        return time.monotonic() - began


def environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT)}


def start(module: str, folder: Path, *args: str) -> Part:
    ready = folder / "ready.json"
    command = [sys.executable, "-m", module, "--state", str(folder), "--ready", str(ready), "--port", "0", *args]
    process = subprocess.Popen(command, env=environment(folder), stderr=subprocess.DEVNULL)
    until(lambda: ready.exists() or process.poll() is not None)
    announced = json.loads(ready.read_text())
    assert announced["pid"] == process.pid
    return Part(process, announced["port"], folder)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    part = start("homelab.lab.registry", tmp_path_factory.mktemp("registry"))
    yield part
    part.stop()


@pytest.fixture(scope="module")
def cluster(registry: Part, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    folder = tmp_path_factory.mktemp("kubernetes")
    url = f"http://127.0.0.1:{registry.port}"
    part = start("homelab.lab.kubernetes", folder, "--registry", url, "--namespace", "demo")
    yield part
    part.stop()


def push(registry: Part, folder: Path, reference: str, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "homelab.lab.registry.push", reference]
    command += ["--to", f"http://127.0.0.1:{registry.port}", *args]
    return subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)


def kubectl(cluster: Part, *args: str, stdin: str = "") -> str:
    env = environment(cluster.state) | {"KUBECONFIG": str(cluster.state / "kubeconfig")}
    done = subprocess.run(
        [str(KUBECTL), *args], env=env, input=stdin, capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_pushed_image_becomes_what_runs(registry, cluster, tmp_path: Path):
    (tmp_path / "app.py").write_text("print('hello')\n")
    done = push(
        registry,
        tmp_path,
        f"registry.homelab.test/demo/app:{REVISION[:12]}",
        "--revision",
        REVISION,
        "--label",
        "homelab.lab/log=up",
    )
    assert done.returncode == 0, done.stderr
    digest = done.stdout.strip().partition("@")[2]
    item = manifest("web", REVISION[:12])
    item["metadata"]["namespace"] = "demo"
    kubectl(cluster, "apply", "-f", "-", stdin=json.dumps(item))
    kubectl(cluster, "-n", "demo", "rollout", "status", "deployment/web", "--timeout=10s")
    (pod,) = json.loads(kubectl(cluster, "-n", "demo", "get", "pods", "-o", "json"))["items"]
    assert pod["status"]["containerStatuses"][0]["imageID"] == f"registry.homelab.test/demo/app@{digest}"
    assert kubectl(cluster, "-n", "demo", "logs", "deployment/web") == "up\n"


def test_a_tag_that_was_never_pushed_cannot_be_pulled(cluster):
    kubectl(cluster, "apply", "-f", "-", stdin=json.dumps(manifest("missing", "nope")))
    where = ("get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[0].state.waiting.message}")
    text = until(lambda: kubectl(cluster, *where))
    assert "registry.homelab.test/demo/app:nope: not found" in text


def test_the_same_folder_gives_the_same_digest(registry, tmp_path: Path):
    (tmp_path / "app.py").write_text("print('hello')\n")
    first, second = (push(registry, tmp_path, f"registry.homelab.test/demo/same:{tag}") for tag in ("a", "b"))
    assert first.stdout.strip().partition("@")[2] == second.stdout.strip().partition("@")[2] != ""


@pytest.mark.parametrize("reference", ["registry.homelab.test/Demo/app:v1", "a@sha256:" + "0" * 64])
def test_a_reference_without_a_tag_to_push_is_a_usage_error(registry, tmp_path: Path, reference):
    done = push(registry, tmp_path, reference)
    assert done.returncode == 2
    assert "is not a reference with a tag" in done.stderr


def test_a_registry_that_does_not_answer_is_named(tmp_path: Path):
    command = [sys.executable, "-m", "homelab.lab.registry.push", "registry.homelab.test/demo/app:v1"]
    done = subprocess.run(
        [*command, "--to", "http://127.0.0.1:9"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "did not reach http://127.0.0.1:9" in done.stderr


def test_the_push_starts_without_anything_heavy(tmp_path: Path):
    command = [sys.executable, "-X", "importtime", "-m", "homelab.lab.registry.push", "--help"]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not {"aiohttp", "asyncio", "yaml", "httpx"} & loaded


def test_both_stop_at_once_and_keep_the_token(tmp_path: Path):
    for module in ("homelab.lab.registry", "homelab.lab.kubernetes"):
        folder = tmp_path / module
        folder.mkdir()
        assert start(module, folder).stop() < 2
        (folder / "ready.json").unlink()
        before = (folder / "token").read_text() if "kubernetes" in module else ""
        again = start(module, folder)
        assert before == ((folder / "token").read_text() if before else "")
        assert again.stop() < 2


def test_nothing_listens_beyond_loopback(registry, cluster):
    """Checked where the system says so: /proc/net/tcp."""
    listening = Path("/proc/net/tcp")
    if not listening.exists():
        pytest.skip("no /proc here")
    ours = {f"{part.port:04X}" for part in (registry, cluster)}
    addresses = [line.split()[1] for line in listening.read_text().splitlines()[1:]]
    found = {address.partition(":")[0] for address in addresses if address.partition(":")[2] in ours}
    assert found == {"0100007F"}


def test_a_restarted_cluster_goes_on_with_what_it_had(registry, tmp_path: Path):
    url = f"http://127.0.0.1:{registry.port}"
    assert push(registry, tmp_path, "registry.homelab.test/demo/app:kept").returncode == 0
    folder = tmp_path / "cluster"
    folder.mkdir()
    first = start("homelab.lab.kubernetes", folder, "--registry", url)
    kubectl(first, "apply", "-f", "-", stdin=json.dumps(manifest("kept", "kept")))
    kubectl(first, "rollout", "status", "deployment/kept", "--timeout=10s")
    before = kubectl(first, "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
    first.stop()
    (folder / "ready.json").unlink()
    second = start("homelab.lab.kubernetes", folder, "--registry", url)
    try:
        assert kubectl(second, "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}") == before
        kubectl(second, "rollout", "restart", "deployment/kept")
        told = kubectl(second, "rollout", "status", "deployment/kept", "--timeout=10s")
        assert "successfully rolled out" in told
    finally:
        second.stop()
