from __future__ import annotations

from pathlib import Path

import pytest

from homelab.errors import UsageError
from homelab.settings.model import CiServer, VaultServer
from tests.settings.fakes import origins, settings, shown

FILE = """
[ci.home]
kind = "woodpecker"
url = "https://ci.example.org"
dial = "192.0.2.10"
token_env = ["HOME_TOKEN"]
token_vault = "secret/ci#token"
"""
TWO = FILE + '[ci.work]\nkind = "woodpecker"\nurl = "https://ci.work.example"\n'
BOTH = ("HOMELAB_CI_TOKEN", "WOODPECKER_TOKEN")


def test_every_variable_arrives(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    loaded = settings(
        tmp_path,
        HOMELAB_CI_URL="https://ci.homelab.test/",
        HOMELAB_CI_KIND="woodpecker",
        HOMELAB_CI_DIAL="127.0.0.1:8443",
        HOMELAB_CI_CA_FILE="ca.pem",
        VAULT_ADDR="https://vault.homelab.test",
        VAULT_NAMESPACE="team",
        VAULT_CACERT=str(tmp_path / "ca.pem"),
        KUBECONFIG="/a:/b",
        HOMELAB_TIMEOUT_CI="2m",
        HOMELAB_TIMEOUT_STABLE_FOR="0",
    )
    assert loaded.ci == {
        "environment": CiServer(
            name="environment",
            kind="woodpecker",
            url="https://ci.homelab.test",
            dial="127.0.0.1:8443",
            ca_file=tmp_path / "ca.pem",
            token_env=BOTH,
        )
    }
    assert loaded.vault == VaultServer(addr="https://vault.homelab.test", ca_file=tmp_path / "ca.pem", namespace="team")
    assert loaded.kubernetes.kubeconfig is None
    assert shown(loaded)["kubernetes.kubeconfig"] == "/a:/b"
    assert (loaded.timeouts.ci, loaded.timeouts.stable_for) == (120.0, 0.0)
    assert origins(loaded)["ci.environment.dial"] == "environment HOMELAB_CI_DIAL"
    assert origins(loaded)["timeouts.ci"] == "environment HOMELAB_TIMEOUT_CI"


def test_another_url_inherits_no_token_no_address_and_no_authority_of_the_file(tmp_path: Path) -> None:
    for url in ("https://ci.other.example", "http://ci.example.org", "https://ci.example.org:8443"):
        server = settings(tmp_path, FILE, HOMELAB_CI_URL=url).ci["environment"]
        assert server == CiServer(name="environment", kind="woodpecker", url=url, token_env=BOTH)


def test_the_same_origin_keeps_the_address_and_the_token_sources_of_the_file(tmp_path: Path) -> None:
    loaded = settings(tmp_path, FILE, HOMELAB_CI_URL="https://CI.example.org:443/")
    server = loaded.ci["environment"]
    assert (server.dial, server.token_vault) == ("192.0.2.10", "secret/ci#token")
    assert server.token_env == (*BOTH, "HOME_TOKEN")
    assert origins(loaded)["ci.environment.dial"].endswith("config.toml:5")


def test_a_dial_alone_changes_the_only_server(tmp_path: Path) -> None:
    loaded = settings(tmp_path, FILE, HOMELAB_CI_DIAL="127.0.0.1:1")
    assert loaded.ci["home"].dial == "127.0.0.1:1"
    assert loaded.ci["home"].token_env == ("HOME_TOKEN",)


@pytest.mark.parametrize("text", [None, TWO], ids=["none", "several"])
def test_a_dial_alone_is_refused_where_it_is_not_clear_whose_it_is(tmp_path: Path, text: str | None) -> None:
    with pytest.raises(UsageError, match="not clear for which CI server"):
        settings(tmp_path, text, HOMELAB_CI_DIAL="127.0.0.1:1")


def test_one_token_is_not_offered_to_two_hosts(tmp_path: Path) -> None:
    loaded = settings(tmp_path, TWO, WOODPECKER_TOKEN="t")
    assert loaded.ci["work"].token_env == ()
    assert shown(loaded)["ci.work.token_env"].startswith("(none")
    only = settings(tmp_path, '[ci.a]\nkind="woodpecker"\nurl="https://a.example"')
    assert only.ci["a"].token_env == BOTH
    beside = settings(
        tmp_path, '[ci.a]\nkind="woodpecker"\nurl="https://a.example"', HOMELAB_CI_URL="https://b.example"
    )
    assert (beside.ci["a"].token_env, beside.ci["environment"].token_env) == ((), BOTH)


def test_another_vault_inherits_nothing_of_the_files(tmp_path: Path) -> None:
    text = '[vault]\naddr = "https://vault.example.org"\ndial = "192.0.2.1"\nnamespace = "n"'
    assert settings(tmp_path, text, VAULT_ADDR="https://v.example").vault == VaultServer(addr="https://v.example")
    same = settings(tmp_path, text, VAULT_ADDR="https://vault.example.org/").vault
    assert same == VaultServer(addr="https://vault.example.org", dial="192.0.2.1", namespace="n")


@pytest.mark.parametrize(
    "variable",
    [
        {"HOMELAB_CI_URL": "ci.example.org"},
        {"HOMELAB_CI_URL": "https://u:hunter2@ci.example.org"},
        {"HOMELAB_CI_URL": "https://a", "HOMELAB_CI_KIND": "jenkins"},
        {"HOMELAB_CI_URL": "https://a", "HOMELAB_CI_DIAL": "a:b"},
        {"HOMELAB_CI_URL": "https://a", "HOMELAB_CI_CA_FILE": "gone.pem"},
        {"VAULT_ADDR": "unix:///run/vault"},
        {"VAULT_CACERT": "/gone.pem"},
        {"HOMELAB_TIMEOUT_CI": "soon"},
        {"HOMELAB_TIMEOUT_DEPLOYS": "5m"},
    ],
    ids=" ".join,
)
def test_a_variable_that_cannot_be_is_named_and_its_value_is_not(tmp_path: Path, variable: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        settings(tmp_path, **variable)
    assert list(variable)[-1] in caught.value.what
    assert "hunter2" not in f"{caught.value.what}{caught.value.why}{caught.value.fix}"


def test_an_empty_variable_is_an_unset_one(tmp_path: Path) -> None:
    assert settings(tmp_path, HOMELAB_CI_URL="", VAULT_ADDR="", KUBECONFIG="").ci == {}


def test_a_token_named_for_woodpecker_goes_to_no_other_kind(tmp_path: Path) -> None:
    loaded = settings(tmp_path, HOMELAB_CI_URL="https://git.example.org", HOMELAB_CI_KIND="forgejo")
    assert loaded.ci["environment"].token_env == ("HOMELAB_CI_TOKEN",)
    only = settings(tmp_path, '[ci.a]\nkind="gitea"\nurl="https://a.example"')
    assert only.ci["a"].token_env == ("HOMELAB_CI_TOKEN",)
