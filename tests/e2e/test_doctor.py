"""doctor against the lab's real parts, well and broken one way at a time."""

from __future__ import annotations

import io
import json
import os
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from homelab.cli import run
from homelab.clock import SystemClock
from homelab.lab.caddy import Certificate
from homelab.lab.layout import Layout
from homelab.lab.ledger import Ledger
from homelab.lab.openbao import Running
from homelab.world import World
from tests.e2e.ci_shop import actions_shop
from tests.e2e.conftest import StartCaddy
from tests.fakes import written

Checks = dict[str, dict[str, Any]]


@dataclass
class User:
    """Somebody in the lab's clone."""

    lab: Layout
    env: Mapping[str, str]

    def doctor(self, **env: str) -> tuple[int, Checks]:
        here = World({**self.env, **env}, self.lab.clone, None, io.StringIO(), io.StringIO())
        code = run(["doctor", "--json"], here)
        shown = written(here.stdout) + written(here.stderr)
        for secret in self.lab.secrets.iterdir():
            assert secret.read_text().strip() not in shown, secret.name
        return code, {check["name"]: check for check in json.loads(written(here.stdout))["checks"]}

    def config(self, *, without: str = "", **replaced: str) -> str:
        """Write another user file beside the lab's and return its path."""
        lines = [line for line in self.lab.config.read_text().splitlines() if not without or without not in line]
        text = "\n".join(lines)
        for before, after in replaced.items():
            text = text.replace(before.replace("_", "."), after)
        path = self.lab.root / "other.toml"
        path.write_text(text)
        return str(path)


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    home = tmp_path_factory.mktemp("home")
    lab = Layout(home / "lab")
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    env = {**kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}

    def types(*argv: str) -> None:
        assert run(argv, World(env, home, None, io.StringIO(), io.StringIO())) == 0, argv

    types("lab", "up", "--dir", str(lab.root))
    try:
        sourced = subprocess.run(["sh", "-c", f". {lab.env} && env -0"], env=env, capture_output=True, check=True)
        env = dict(line.split("=", 1) for line in sourced.stdout.decode().split("\0") if "=" in line)
        types("trust", "--yes", "-C", str(lab.clone))
        yield User(lab, env)
    finally:
        types("lab", "down", "--dir", str(lab.root))


def test_a_whole_lab_is_well(user: User) -> None:
    code, checks = user.doctor()
    assert {name: check["says"] for name, check in checks.items() if check["grade"] != "ok"} == {}
    assert code == 0
    assert checks["ci.lab.token"]["says"] == "Vault secret/homelab/ci#token is person"
    assert checks["ci.lab.repository"]["says"] == "demo/hello, the token may push"
    assert "certificate" in checks["ci.lab"]["says"]


def test_an_unknown_authority_is_5_and_the_token_stays_here(user: User) -> None:
    code, checks = user.doctor(HOMELAB_CONFIG=user.config(without="ca_file"), HOMELAB_CI_TOKEN="hunter2")
    assert (code, checks["ci.lab"]["exit_code"]) == (5, 5)
    assert "authority" in checks["ci.lab"]["says"]
    assert checks["ci.lab.token"]["grade"] == "skip"
    assert checks["vault"]["exit_code"] == 5
    assert checks["kubernetes"]["grade"] == "ok"


def test_a_certificate_for_another_name_is_5(user: User, caddy: StartCaddy, tmp_path: Path) -> None:
    authority, chain, key, ca_file = trustme.CA(), *(tmp_path / name for name in ("chain.pem", "key.pem", "ca.pem"))
    leaf = authority.issue_cert("other.homelab.test")
    chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    authority.cert_pem.write_to_path(str(ca_file))
    front = caddy({"ci.homelab.test": "127.0.0.1:9"}, certificate=Certificate(chain, key))
    code, checks = user.doctor(HOMELAB_CI_DIAL=front.dial, HOMELAB_CI_CA_FILE=str(ca_file))
    assert code == 5
    assert "for another name" in checks["ci.lab"]["says"]
    assert checks["ci.lab.token"]["grade"] == "skip"


def test_a_load_balancer_that_does_not_answer_is_5_and_the_rest_is_still_looked_at(user: User) -> None:
    code, checks = user.doctor(HOMELAB_CI_DIAL="127.0.0.1:9", HOMELAB_TIMEOUT_HTTP="2s")
    assert (code, checks["ci.lab"]["exit_code"]) == (5, 5)
    assert checks["vault"]["grade"] == checks["kubernetes"]["grade"] == checks["remote"]["grade"] == "ok"


def test_a_wrong_token_is_4_and_not_shown(user: User) -> None:
    code, checks = user.doctor(HOMELAB_CI_TOKEN="hunter2")
    assert (code, checks["ci.lab.token"]["exit_code"]) == (4, 4)
    assert checks["ci.lab.repository"]["grade"] == "skip"
    assert "hunter2" not in json.dumps(checks)


def test_a_wrong_vault_token_is_4(user: User) -> None:
    code, checks = user.doctor(VAULT_TOKEN="hunter2")
    assert (code, checks["vault"]["exit_code"]) == (4, 4)
    assert checks["ci.lab.token"]["exit_code"] == 4


def test_a_repository_ci_does_not_know_is_7(user: User) -> None:
    git = ["git", "-C", str(user.lab.clone)]
    url = subprocess.run(
        [*git, "remote", "get-url", "origin"], capture_output=True, text=True, check=True
    ).stdout.strip()
    subprocess.run([*git, "remote", "set-url", "origin", url.replace("/hello", "/absent")], check=True)
    try:
        code, checks = user.doctor()
    finally:
        subprocess.run([*git, "remote", "set-url", "origin", url], check=True)
    assert checks["ci.lab.repository"]["exit_code"] == 7
    assert checks["remote"]["exit_code"] == 7
    assert code == 7


def test_a_sealed_vault_is_6(user: User) -> None:
    child = Ledger(user.lab.ledger).children()["openbao"]
    listener = json.loads((user.lab.part("openbao") / "openbao.json").read_text())["listener"]
    port = int(listener[0]["tcp"]["address"].rpartition(":")[2])
    vault = Running(child, port, user.lab.part("openbao"), SystemClock())
    vault.seal()
    try:
        code, checks = user.doctor()
    finally:
        vault.unseal()
    assert (code, checks["vault"]["exit_code"], checks["ci.lab.token"]["exit_code"]) == (6, 6, 6)
    assert " vault operator unseal" in checks["vault"]["fix"]


def test_missing_rights_in_the_cluster_are_named(user: User) -> None:
    def lab(path: str, body: dict[str, Any]) -> None:
        part = user.lab.part("kubernetes")
        server = json.loads((part / "kubeconfig").read_text())["clusters"][0]["cluster"]["server"]
        headers = {
            "Authorization": f"Bearer {(part / 'token').read_text().strip()}",
            "Content-Type": "application/json",
        }
        request = urllib.request.Request(f"{server}/_lab/{path}", json.dumps(body).encode(), headers, method="POST")
        context = ssl.create_default_context(cafile=str(part / "ca.pem"))
        urllib.request.urlopen(request, context=context, timeout=5).close()

    lab("deny", {"verbs": ["list"], "resources": ["pods"]})
    code, checks = user.doctor()
    assert (code, checks["kubernetes.demo.rights"]["grade"]) == (0, "warn")
    lab("deny", {"verbs": ["get"], "resources": ["deployments"]})
    code, checks = user.doctor()
    lab("allow", {})
    assert (code, checks["kubernetes.demo/hello"]["exit_code"]) == (4, 4)


def test_a_cluster_that_does_not_answer_is_5_in_bounded_time(user: User) -> None:
    text = (user.lab.part("kubernetes") / "kubeconfig").read_text()
    config = json.loads(text)
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    path = user.lab.root / "gone-kubeconfig"
    path.write_text(json.dumps(config))
    code, checks = user.doctor(KUBECONFIG=str(path), HOMELAB_TIMEOUT_HTTP="2s")
    assert (code, checks["kubernetes"]["exit_code"]) == (5, 5)
    assert checks["ci.lab"]["grade"] == "ok"


def test_a_file_that_is_malformed_is_2_and_everything_else_is_said(user: User) -> None:
    code, checks = user.doctor(HOMELAB_CONFIG=user.config(kind="kinds"))
    assert (code, checks["configuration"]["exit_code"]) == (2, 2)
    assert "other.toml:3 [ci.lab.kinds]" in checks["configuration"]["says"]
    assert checks["remote"]["grade"] == "ok"


@pytest.mark.parametrize("kind", ["forgejo", "gitea"])
def test_actions_of_a_forge_are_checked_by_the_same_words(tmp_path: Path, kind: str) -> None:
    with actions_shop(tmp_path / "lab", kind, "D") as here:

        def doctor(**env: str) -> Checks:
            world = World({**here.env, **env}, here.world.folder / "clone", None, io.StringIO(), io.StringIO())
            run(["doctor", "--json"], world)
            return {check["name"]: check for check in json.loads(written(world.stdout))["checks"]}

        well, refused = doctor(), doctor(HOMELAB_CI_TOKEN="hunter2")
    name = next(name for name in well if name.startswith("ci."))
    assert [well[f"{name}{part}"]["grade"] for part in ("", ".token", ".repository")] == ["ok", "ok", "ok"]
    assert "version" in well[name]["says"]
    assert (refused[f"{name}.token"]["exit_code"], refused[f"{name}.repository"]["grade"]) == (4, "skip")
