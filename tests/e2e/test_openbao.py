"""The lab's OpenBao behind the lab's Caddy: what later parts stand on."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from homelab.errors import HttpStatus, PersonNeeded, WrongService
from homelab.http.client import Client
from homelab.http.port import Site
from homelab.lab import process
from homelab.lab.openbao import Running, start_openbao
from homelab.secret import Secret
from tests.e2e.conftest import StartCaddy


def client(running: Running, token: Secret | None) -> Client:
    site = Site(f"http://{running.address}", name="Vault", token_header="X-Vault-Token")
    return Client(site, token=token, budget=2.0)


def test_a_user_token_reads_its_path_and_no_other(openbao: Running) -> None:
    openbao.write("homelab/ci", {"token": "abc"})
    openbao.write("homelab/other", {"token": "xyz"})
    http = client(openbao, openbao.user_token("homelab/ci"))
    assert http.get("/v1/secret/data/homelab/ci")["data"]["data"] == {"token": "abc"}
    with pytest.raises(HttpStatus) as caught:
        http.get("/v1/secret/data/homelab/other")
    assert caught.value.status == 403
    http.close()


def test_vault_answers_under_its_public_name_through_the_load_balancer(openbao: Running, caddy: StartCaddy) -> None:
    front = caddy({"vault.homelab.test": openbao.address})
    http = Client(Site("https://vault.homelab.test", dial=front.dial, ca_file=front.ca_file, name="Vault"), budget=5.0)
    assert http.get("/v1/sys/seal-status")["sealed"] is False
    http.close()


def test_https_to_its_plain_port_is_told_and_sends_no_token(openbao: Running) -> None:
    site = Site("https://vault.homelab.test", dial=openbao.address, name="Vault")
    http = Client(site, token=openbao.root_token, budget=2.0)
    with pytest.raises(WrongService, match="does not speak TLS"):
        http.get("/v1/sys/health")
    http.close()


def test_key_and_root_token_are_readable_by_their_owner_alone(openbao: Running) -> None:
    assert stat.S_IMODE((openbao.folder / "init.json").stat().st_mode) == 0o600
    holders = [path for path in openbao.folder.rglob("*") if path.is_file() and holds(path, openbao.root_token)]
    assert [path.name for path in holders] == ["init.json"]


def holds(path: Path, token: Secret) -> bool:
    return token.reveal().encode() in path.read_bytes()


def test_what_was_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    first = start_openbao(tmp_path / "bao")
    first.write("homelab/ci", {"token": "abc"})
    user = first.user_token("homelab/ci")
    process.stop(first.child)
    second = start_openbao(tmp_path / "bao")
    try:
        http = client(second, user)
        assert http.get("/v1/secret/data/homelab/ci")["data"]["data"] == {"token": "abc"}
        http.close()
    finally:
        process.stop(second.child)


def test_data_without_its_key_needs_a_person(tmp_path: Path) -> None:
    first = start_openbao(tmp_path / "bao")
    process.stop(first.child)
    (tmp_path / "bao" / "init.json").unlink()
    with pytest.raises(PersonNeeded, match="cannot be unsealed"):
        start_openbao(tmp_path / "bao")
