"""What real servers of this kind do is in tests/e2e/test_vault.py; here is what only others do."""

from __future__ import annotations

import pytest

from homelab.errors import HttpStatus, PersonNeeded, TokenMissing, TokenRejected, Unreachable, WrongService
from homelab.secret import Secret
from homelab.secrets.chain import VaultToken
from homelab.secrets.reference import Reference
from homelab.secrets.vault import read_field
from homelab.settings.model import VaultServer
from tests.secrets.fakes import HEALTHY, FakeVault, refused

REFERENCE = Reference("secret/homelab/ci", "token")
TOKEN = VaultToken(Secret("v"), "VAULT_TOKEN")
VAULT = VaultServer(addr="https://vault.example.org", namespace="team")
MOUNTS = "/v1/sys/internal/ui/mounts/secret/homelab/ci"
V2 = {"data": {"data": {"token": "t", "port": 80}, "metadata": {}}}


def read(vault: FakeVault, reference: Reference = REFERENCE) -> str:
    return read_field(reference, vault=VAULT, token=TOKEN, http=vault).reveal()


def test_where_mounts_may_not_be_asked_version_2_is_tried_first() -> None:
    vault = FakeVault({MOUNTS: refused(403), "/v1/secret/data/homelab/ci": V2})
    assert read(vault) == "t"


def test_where_mounts_may_not_be_asked_version_1_is_tried_next() -> None:
    vault = FakeVault({MOUNTS: refused(403), "/v1/secret/homelab/ci": {"data": {"token": "one"}}})
    assert read(vault) == "one"


def test_where_nothing_may_be_asked_the_token_is_judged() -> None:
    denied = {path: refused(403) for path in (MOUNTS, "/v1/secret/data/homelab/ci", "/v1/secret/homelab/ci")}
    denied |= {path: refused(403) for path in ("/v1/auth/token/lookup-self", "/v1/sys/internal/ui/mounts")}
    with pytest.raises(TokenRejected, match="expired or invalid"):
        read(FakeVault(denied))


def test_a_mount_without_options_is_version_1() -> None:
    vault = FakeVault(
        {MOUNTS: {"data": {"path": "secret/", "options": None}}, "/v1/secret/homelab/ci": {"data": {"token": "one"}}}
    )
    assert read(vault) == "one"


def test_namespace_and_request_header_go_with_the_token_and_nowhere_else() -> None:
    vault = FakeVault({MOUNTS: refused(403), "/v1/secret/data/homelab/ci": V2})
    read(vault)
    assert vault.sites[0].headers == (("X-Vault-Request", "true"), ("X-Vault-Namespace", "team"))
    assert vault.sites[0].token_header == "X-Vault-Token"
    assert {path for path, token in vault.asked if token is None} == {"/v1/sys/health"}


def test_a_field_that_is_not_text_is_not_a_token() -> None:
    vault = FakeVault({MOUNTS: refused(403), "/v1/secret/data/homelab/ci": V2})
    with pytest.raises(TokenMissing, match="is empty or not text"):
        read(vault, Reference("secret/homelab/ci", "port"))


def test_a_standby_node_that_sends_us_on_is_named() -> None:
    elsewhere = WrongService("Vault redirects to https://10.0.0.9:8200/v1", why="-", fix="-")
    vault = FakeVault({"/v1/sys/health": {**HEALTHY, "standby": True}, MOUNTS: elsewhere})
    with pytest.raises(Unreachable, match="is a standby node and did not pass the request on"):
        read(vault)


def test_every_client_is_closed() -> None:
    vault = FakeVault({MOUNTS: refused(403), "/v1/secret/data/homelab/ci": V2})
    read(vault)
    assert vault.closed == len(vault.sites)


def test_a_vault_sealed_between_two_questions_is_called_sealed() -> None:
    sealed = {"initialized": True, "sealed": True}
    vault = FakeVault({"/v1/sys/health": [HEALTHY, sealed], MOUNTS: refused(503, '{"errors":["Vault is sealed"]}')})
    with pytest.raises(PersonNeeded, match="is sealed"):
        read(vault)


def test_a_vault_in_trouble_but_open_keeps_its_own_error() -> None:
    with pytest.raises(HttpStatus, match="Vault answered 500"):
        read(FakeVault({MOUNTS: refused(500, "")}))
