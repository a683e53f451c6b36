"""The token chain against a real OpenBao behind a real Caddy: each way to fail is its own sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from homelab.errors import PermissionMissing, PersonNeeded, TokenMissing, TokenRejected, Unreachable
from homelab.events import Event
from homelab.http.client import Client
from homelab.http.port import JsonHttp, Site
from homelab.lab.openbao import Running
from homelab.lab.ports import free_port
from homelab.secret import Secret
from homelab.secrets.chain import find_token
from homelab.settings.model import CiServer, VaultServer
from tests.e2e.conftest import StartCaddy

CI_TOKEN = "ci-token-5f0c"


def ci(reference: str) -> CiServer:
    return CiServer("lab", "woodpecker", "https://ci.homelab.test", token_env=("CI_TOKEN",), token_vault=reference)


def http(site: Site, token: Secret | None) -> JsonHttp:
    return Client(site, token=token, budget=3.0, read_only=True)


@pytest.fixture(scope="module")
def admin(openbao: Running) -> Iterator[Client]:
    site = Site(f"http://{openbao.address}", name="Vault", token_header="X-Vault-Token")
    client = Client(site, token=openbao.root_token, budget=5.0)
    openbao.write("homelab/ci", {"token": CI_TOKEN, "note": "n", "empty": ""})
    openbao.write("homelab/deleted", {"token": CI_TOKEN})
    client.send("DELETE", "/v1/secret/data/homelab/deleted")
    client.send("POST", "/v1/sys/mounts/kv/team", json={"type": "kv", "options": {"version": "1"}})
    client.send("POST", "/v1/kv/team/ci", json={"token": CI_TOKEN})
    yield client
    client.close()


@pytest.fixture(scope="module")
def vault(openbao: Running, caddy: StartCaddy) -> VaultServer:
    front = caddy({"vault.homelab.test": openbao.address})
    return VaultServer(addr="https://vault.homelab.test", dial=front.dial, ca_file=front.ca_file)


Find = Callable[..., Secret]


@pytest.fixture
def find(openbao: Running, admin: Client, vault: VaultServer, tmp_path: Path) -> Find:
    def find(reference: str, token: Secret | None = None, **changed: Any) -> Secret:
        token = token or openbao.root_token
        server = changed.pop("vault", vault)
        return find_token(ci(reference), env={"VAULT_TOKEN": token.reveal()}, home=tmp_path, vault=server, http=http)

    return find


def user(admin: Client, rules: dict[str, list[str]], **more: Any) -> Secret:
    text = "\n".join(
        f'path "{path}" {{ capabilities = {str(list(can)).replace(chr(39), chr(34))} }}' for path, can in rules.items()
    )
    admin.send("PUT", "/v1/sys/policies/acl/narrow", json={"policy": text})
    made = admin.send("POST", "/v1/auth/token/create", json={"policies": ["narrow"], **more}).json()
    return Secret(made["auth"]["client_token"])


def test_a_version_2_secret_is_found(find: Find) -> None:
    assert find("secret/homelab/ci#token").reveal() == CI_TOKEN


def test_a_version_1_secret_on_a_nested_mount_is_found(find: Find) -> None:
    assert find("kv/team/ci#token").reveal() == CI_TOKEN


def test_a_token_that_may_only_read_its_path_is_enough(find: Find, openbao: Running) -> None:
    assert find("secret/homelab/ci#token", openbao.user_token("homelab/ci")).reveal() == CI_TOKEN


def test_the_token_file_of_vaults_own_command_line_is_used(
    vault: VaultServer, openbao: Running, admin: Client, tmp_path: Path
) -> None:
    (tmp_path / ".vault-token").write_text(openbao.root_token.reveal() + "\n")
    found = find_token(ci("secret/homelab/ci#token"), env={}, home=tmp_path, vault=vault, http=http)
    assert found.reveal() == CI_TOKEN


def test_a_bogus_vault_token_is_said_to_be_expired_or_invalid(find: Find) -> None:
    with pytest.raises(TokenRejected, match="token from VAULT_TOKEN is expired or invalid") as caught:
        find("secret/homelab/ci#token", Secret("s.bogus"))
    assert " vault login" in caught.value.fix


def test_a_revoked_vault_token_is_said_to_be_expired_or_invalid(find: Find, admin: Client) -> None:
    token = user(admin, {"secret/data/homelab/ci": ["read"]})
    admin.send("POST", "/v1/auth/token/revoke", json={"token": token.reveal()})
    with pytest.raises(TokenRejected, match="expired or invalid"):
        find("secret/homelab/ci#token", token)


def test_a_valid_token_without_the_right_is_told_its_policies(find: Find, admin: Client) -> None:
    token = user(admin, {"secret/data/else": ["read"]})
    with pytest.raises(PermissionMissing, match="may not read secret/homelab/ci") as caught:
        find("secret/homelab/ci#token", token)
    assert caught.value.why == "it is valid; its policies are default, narrow"


def test_a_token_without_the_default_policy_is_not_called_invalid(find: Find, admin: Client) -> None:
    token = user(admin, {"secret/data/else": ["read"]}, no_default_policy=True)
    with pytest.raises(PermissionMissing, match="may not read secret/homelab/ci"):
        find("secret/homelab/ci#token", token)


def test_a_missing_path_is_said_to_hold_nothing(find: Find) -> None:
    with pytest.raises(TokenMissing, match="Vault has no secret secret/homelab/none") as caught:
        find("secret/homelab/none#token")
    assert caught.value.why == "nothing is stored at that path"


def test_a_path_of_the_api_instead_of_the_command_line_is_recognised(find: Find) -> None:
    with pytest.raises(TokenMissing) as caught:
        find("secret/data/homelab/ci#token")
    assert "leave data/ out: secret/homelab/ci#token" in caught.value.why


def test_a_deleted_version_is_said_to_be_deleted(find: Find) -> None:
    with pytest.raises(TokenMissing) as caught:
        find("secret/homelab/deleted#token")
    assert caught.value.why == "its latest version was deleted"


def test_a_missing_field_lists_the_names_that_exist_and_no_value(find: Find) -> None:
    with pytest.raises(TokenMissing, match="field key of Vault's secret/homelab/ci is not there") as caught:
        find("secret/homelab/ci#key")
    assert caught.value.why == "fields there: empty, note, token"
    assert CI_TOKEN not in str(caught.value.record())


def test_an_empty_field_is_said_to_be_empty(find: Find) -> None:
    with pytest.raises(TokenMissing, match="is empty or not text"):
        find("secret/homelab/ci#empty")


def test_an_unreachable_vault_is_unreachable(find: Find) -> None:
    gone = VaultServer(addr="https://vault.homelab.test", dial=f"127.0.0.1:{free_port()}")
    with pytest.raises(Unreachable, match=r"https://vault\.homelab\.test .* refuses the connection"):
        find("secret/homelab/ci#token", vault=gone)


def test_a_sealed_vault_needs_a_person_and_says_so_at_once(
    vault: VaultServer, openbao: Running, admin: Client, tmp_path: Path
) -> None:
    retries: list[Event] = []

    def watched(site: Site, token: Secret | None) -> JsonHttp:
        return Client(site, token=token, emit=retries.append, budget=3.0)

    env = {"VAULT_TOKEN": openbao.root_token.reveal()}
    openbao.seal()
    try:
        with pytest.raises(PersonNeeded, match=r"Vault at https://vault\.homelab\.test is sealed") as caught:
            find_token(ci("secret/homelab/ci#token"), env=env, home=tmp_path, vault=vault, http=watched)
        assert retries == []
        assert " vault operator unseal" in caught.value.fix
    finally:
        openbao.unseal()
