"""Kubeconfig and service account, as kubectl reads them."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from homelab.errors import CredentialsError, TokenMissing, UsageError
from homelab.kube.access import kubeconfig_paths, open_channel
from homelab.settings.model import KubernetesAccess


def kubeconfig(path: Path, *contexts: str, current: str | None = None, user: dict[str, Any] | None = None) -> Path:
    """Write a kubeconfig with these contexts, each with a cluster and a token of its name."""
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": c, "cluster": {"server": f"https://{c}.example:6443"}} for c in contexts],
        "users": [{"name": c, "user": user or {"token": f"token-{c}"}} for c in contexts],
        "contexts": [{"name": c, "context": {"cluster": c, "user": c, "namespace": f"ns-{c}"}} for c in contexts],
    }
    if current:
        body["current-context"] = current
    path.write_text(json.dumps(body))
    return path


def test_the_current_context_gives_host_namespace_and_token(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "a", "one", "two", current="two")
    channel = open_channel(KubernetesAccess(), {"KUBECONFIG": str(path)})
    assert (channel.name, channel.host, channel.namespace) == ("two", "https://two.example:6443", "ns-two")
    assert channel.authorization() == "Bearer token-two"


def test_the_first_file_that_names_a_current_context_wins(tmp_path: Path) -> None:
    first = kubeconfig(tmp_path / "a", "one", current="one")
    second = kubeconfig(tmp_path / "b", "two", current="two")
    env = {"KUBECONFIG": f"{first}:{tmp_path / 'missing'}:{second}"}
    assert open_channel(KubernetesAccess(), env).name == "one"
    assert open_channel(KubernetesAccess(context="two"), env).host == "https://two.example:6443"


def test_an_unknown_context_lists_those_that_are_there(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "a", "one", "two", current="one")
    with pytest.raises(UsageError) as raised:
        open_channel(KubernetesAccess(kubeconfig=path, context="three"), {})
    assert raised.value.what.endswith("no context named three")
    assert raised.value.why == "contexts there: one, two"


def test_no_current_context_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no current context"):
        open_channel(KubernetesAccess(kubeconfig=kubeconfig(tmp_path / "a", "one")), {})


@pytest.mark.parametrize("text", ["", "[]", "a: [", "contexts: [1]", "contexts: [{name: x}]"])
def test_a_broken_kubeconfig_is_a_usage_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_text(text)
    with pytest.raises(UsageError):
        open_channel(KubernetesAccess(kubeconfig=tmp_path / "a"), {})


def test_a_context_without_its_cluster_is_a_usage_error(tmp_path: Path) -> None:
    text = "current-context: x\ncontexts: [{name: x, context: {cluster: gone, user: u}}]\nclusters: []\nusers: []\n"
    (tmp_path / "a").write_text(text)
    with pytest.raises(UsageError, match="cannot be used"):
        open_channel(KubernetesAccess(kubeconfig=tmp_path / "a"), {})


def test_without_kubeconfig_or_account_it_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(TokenMissing) as raised:
        open_channel(KubernetesAccess(), {"HOME": str(tmp_path)})
    assert str(tmp_path / ".kube" / "config") in raised.value.why


def test_the_setting_comes_before_the_environment(tmp_path: Path) -> None:
    access = KubernetesAccess(kubeconfig=tmp_path / "mine")
    assert kubeconfig_paths(access, {"KUBECONFIG": "/elsewhere"}) == [tmp_path / "mine"]


def test_a_pods_account_is_used_where_there_is_no_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("pod-token")
    (tmp_path / "ca.crt").write_text("not empty")
    (tmp_path / "namespace").write_text("shop\n")
    env = {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    channel = open_channel(KubernetesAccess(), env, account=tmp_path / "token")
    assert (channel.name, channel.host, channel.namespace) == ("in-cluster", "https://10.0.0.1:443", "shop")
    assert channel.authorization() == "bearer pod-token"


def plugin(tmp_path: Path, script: str) -> dict[str, Any]:
    path = tmp_path / "plugin"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    api = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": api, "command": str(path), "interactiveMode": "Never"}}


def test_an_exec_plugins_token_is_sent(tmp_path: Path) -> None:
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "from-plugin"},
    }
    user = plugin(tmp_path, f"echo '{json.dumps(answer)}'")
    path = kubeconfig(tmp_path / "a", "one", current="one", user=user)
    channel = open_channel(KubernetesAccess(kubeconfig=path), {})
    assert channel.authorization() == "Bearer from-plugin"


def test_a_failing_exec_plugin_is_an_error_and_not_an_anonymous_request(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    user = plugin(tmp_path, "echo 'please log in' >&2; exit 1")
    path = kubeconfig(tmp_path / "a", "one", current="one", user=user)
    with pytest.raises(CredentialsError) as raised:
        open_channel(KubernetesAccess(kubeconfig=path), {})
    assert "please log in" in raised.value.why
    assert capfd.readouterr().err == ""


def test_an_exec_plugin_that_exceeds_its_limit_is_ended_with_everything_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    user = plugin(tmp_path, f"sleep 300 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; wait")
    path = kubeconfig(tmp_path / "a", "one", current="one", user=user)
    with pytest.raises(CredentialsError, match="did not answer within 1 s"):
        open_channel(KubernetesAccess(kubeconfig=path), {}, plugin_seconds=1.0)
    limit = time.monotonic() + 5
    left = [int(pid) for pid in pids.read_text().split()]
    while left and time.monotonic() < limit:
        left = [pid for pid in left if runs(pid)]
        time.sleep(0.02)
    assert left == []


def runs(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be reaped does not."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/status")
        return not (status.exists() and "State:\tZ" in status.read_text())
    except (ProcessLookupError, FileNotFoundError):
        return False
