from __future__ import annotations

from pathlib import Path

import pytest

from homelab.errors import TokenMissing
from homelab.secret import Secret
from homelab.secrets.chain import VaultToken, find_token, find_vault_token
from homelab.settings.model import CiServer, VaultServer
from tests.secrets.fakes import FakeVault

SERVER = CiServer("lab", "woodpecker", "https://ci.example.org", token_env=("A_TOKEN", "B_TOKEN"))
IN_VAULT = CiServer(
    "lab", "woodpecker", "https://ci.example.org", token_env=("A_TOKEN",), token_vault="secret/ci#token"
)
VAULT = VaultServer(addr="https://vault.example.org")
NO_VAULT = VaultServer()


def test_the_first_variable_that_is_set_wins(tmp_path: Path) -> None:
    env = {"A_TOKEN": " ", "B_TOKEN": "second\n"}
    assert find_token(SERVER, env=env, home=tmp_path, vault=NO_VAULT, http=FakeVault({})) == Secret("second")


def test_vault_is_not_asked_when_the_environment_has_a_token(tmp_path: Path) -> None:
    vault = FakeVault({})
    find_token(IN_VAULT, env={"A_TOKEN": "a", "VAULT_TOKEN": "v"}, home=tmp_path, vault=VAULT, http=vault)
    assert vault.sites == []


def test_a_token_found_nowhere_names_each_place_and_the_command_for_it(tmp_path: Path) -> None:
    with pytest.raises(TokenMissing, match="no token for woodpecker at https://ci") as caught:
        find_token(IN_VAULT, env={}, home=tmp_path, vault=NO_VAULT, http=FakeVault({}))
    assert caught.value.details == (
        "environment A_TOKEN is not set: export A_TOKEN=…   (a personal token from https://ci.example.org)",
        "Vault secret/ci#token, no address: export VAULT_ADDR=https://…",
        "Vault secret/ci#token, no VAULT_TOKEN and no ~/.vault-token: vault login",
    )
    assert caught.value.why == "looked in 3 places, none holds one"
    assert caught.value.fix.startswith("export A_TOKEN=")
    assert caught.value.outcome == 4


def test_a_vault_without_a_token_names_the_login(tmp_path: Path) -> None:
    with pytest.raises(TokenMissing) as caught:
        find_token(IN_VAULT, env={}, home=tmp_path, vault=VAULT, http=FakeVault({}))
    assert caught.value.details[-1].endswith(": VAULT_ADDR=https://vault.example.org vault login")


def test_a_server_without_any_source_is_told_which_keys_to_add(tmp_path: Path) -> None:
    bare = CiServer("lab", "woodpecker", "https://ci.example.org")
    with pytest.raises(TokenMissing) as caught:
        find_token(bare, env={}, home=tmp_path, vault=VAULT, http=FakeVault({}))
    assert [line.partition(":")[0] for line in caught.value.details] == [
        "no token_env for lab",
        "Vault, no token_vault",
    ]


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"], ids=["empty", "blank", "not text"])
def test_a_token_file_without_a_token_is_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".vault-token").write_bytes(content)
    with pytest.raises(TokenMissing, match="no token for"):
        find_token(IN_VAULT, env={}, home=tmp_path, vault=VAULT, http=FakeVault({}))


@pytest.mark.parametrize(
    ("env", "kept", "found"),
    [
        ({"VAULT_TOKEN": " from-env\n"}, "from-file", VaultToken(Secret("from-env"), "VAULT_TOKEN")),
        ({"VAULT_TOKEN": " "}, "from-file\n", VaultToken(Secret("from-file"), "~/.vault-token")),
        ({}, "from-file", VaultToken(Secret("from-file"), "~/.vault-token")),
        ({}, "", None),
    ],
    ids=["environment first", "a blank one is none", "the file", "neither"],
)
def test_vaults_token_is_the_one_its_own_command_line_would_use(
    tmp_path: Path, env: dict[str, str], kept: str, found: VaultToken | None
) -> None:
    (tmp_path / ".vault-token").write_text(kept)
    assert find_vault_token(env, tmp_path) == found
