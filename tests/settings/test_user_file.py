from __future__ import annotations

from pathlib import Path

import pytest

from homelab.errors import ConfigError, UsageError
from homelab.settings.model import CiServer, Forge, KubernetesAccess, RegistryServer, SchemaSource, VaultServer
from tests.settings.fakes import origins, settings

WHOLE = """
[ci.home]
kind = "woodpecker"
url = "https://ci.example.org/"
dial = "192.0.2.10:8443"
ca_file = "ca.pem"
token_env = ["A_TOKEN", "B_TOKEN"]
token_vault = "secret/homelab/ci#token"
forges = ["Git.Example.org"]

[forge."git.example.org"]
kind = "forgejo"
api = "https://git.example.org/api/v1"
base_path = "git"
ssh_host = "ssh.example.org"

[registry."Registry.example.org:5000"]
url = "http://192.0.2.9:5000"

[schema.actions]
url = "https://schemas.example.org/workflow.json"

[vault]
addr = "https://vault.example.org"
namespace = "team"

[kubernetes]
kubeconfig = "~/k"
context = "home"

[timeouts]
ci = "2h"
stable_for = 0

[work]
strategy = "squash"
"""


def test_every_key_arrives_where_it_belongs(tmp_path: Path) -> None:
    folder = tmp_path / "h" / ".config" / "homelab"
    folder.mkdir(parents=True)
    (folder / "ca.pem").touch()
    loaded = settings(tmp_path, WHOLE)
    assert loaded.ci["home"] == CiServer(
        name="home",
        kind="woodpecker",
        url="https://ci.example.org",
        dial="192.0.2.10:8443",
        ca_file=folder / "ca.pem",
        token_env=("A_TOKEN", "B_TOKEN"),
        token_vault="secret/homelab/ci#token",
        forges=("git.example.org",),
    )
    assert loaded.forges["git.example.org"] == Forge(
        host="git.example.org",
        kind="forgejo",
        api="https://git.example.org/api/v1",
        base_path="git",
        ssh_host="ssh.example.org",
    )
    assert loaded.registries["registry.example.org:5000"] == RegistryServer(
        host="registry.example.org:5000", url="http://192.0.2.9:5000"
    )
    assert loaded.schemas == {"actions": SchemaSource("actions", url="https://schemas.example.org/workflow.json")}
    assert loaded.vault == VaultServer(addr="https://vault.example.org", namespace="team")
    assert loaded.kubernetes == KubernetesAccess(kubeconfig=tmp_path / "h" / "k", context="home")
    assert (loaded.timeouts.ci, loaded.timeouts.stable_for, loaded.timeouts.http) == (7200.0, 0.0, 60.0)
    assert loaded.repository.strategy == "squash"
    assert origins(loaded)["ci.home.dial"] == f"{folder / 'config.toml'}:5"


@pytest.mark.parametrize(
    ("text", "line", "key", "said", "allowed"),
    [
        (
            "[ci.home]\nkind='woodpecker'\nurl='https://a'\nurll=1",
            4,
            "ci.home.urll",
            "did you mean url?",
            "token_vault",
        ),
        ("[ci.home]\nkind='jenkins'\nurl='https://a'", 2, "ci.home.kind", '"jenkins"', "woodpecker"),
        ("[ci.home]\nkind='woodpecker'", 1, "ci.home", "has no url", "url ="),
        ("[ci]\nurl='https://a'", 2, "ci.url", "outside a named section", "[ci.<name>]"),
        ("[ci.environment]\nkind='woodpecker'\nurl='https://a'", 1, "ci.environment", "no name", "other than"),
        ("ci = 3", 1, "ci", "is not a table", "[ci]"),
        ("[ci.a]\nkind='woodpecker'\nurl='https://a'\ntoken='hunter2'", 4, "ci.a.token", "a secret never", "token_env"),
        ("[ci.a]\nkind='woodpecker'\nurl='https://a'\ntoken_env='X'", 4, "ci.a.token_env", "is a text", "a list"),
        ("[ci.a]\nkind='woodpecker'\nurl='https://a'\nca_file='no.pem'", 4, "ci.a.ca_file", "not there", "exists"),
        ("[forge.'x/y']\nkind='gitea'", 1, 'forge."x/y"', "no host name", "git.example.org"),
        ("[schema.travis]\nurl='https://a'", 1, "schema.travis", '"travis"', "woodpecker"),
        ("[forge.x]\nkind='cvs'", 2, "forge.x.kind", '"cvs"', "forgejo"),
        ("\n[vaults]\n", 2, "vaults", "did you mean vault?", "[vault]"),
        ("[timeouts]\nci = 'soon'", 2, "timeouts.ci", "no duration", "5m"),
        ("[timeouts]\nci = 1979-05-27", 2, "timeouts.ci", "no duration", "5m"),
        ("[work]\nverify = 'make'", 2, "work.verify", "unknown key", "strategy"),
        ("[kubernetes]\ncontext = ['a']", 2, "kubernetes.context", "is a list", "a text"),
        ('"\\u001b[2J" = 1', 1, r'"\x1b[2J"', "unknown key", "[timeouts]"),
    ],
)
def test_what_cannot_be_is_refused_with_path_line_key_and_what_may_stand(
    tmp_path: Path, text: str, line: int, key: str, said: str, allowed: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, text)
    error = caught.value
    assert (error.path.name, error.line, error.key) == ("config.toml", line, key)
    assert said in error.what
    assert allowed in error.why
    assert "hunter2" not in f"{error.what}{error.why}{error.fix}"


def test_a_missing_user_file_is_fine_unless_it_was_named(tmp_path: Path) -> None:
    assert settings(tmp_path).ci == {}
    with pytest.raises(UsageError, match="HOMELAB_CONFIG"):
        settings(tmp_path, HOMELAB_CONFIG="gone.toml")


def test_homelab_config_names_the_user_file_from_the_home_the_folder_or_the_root(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[work]\nstrategy = 'rebase'")
    assert settings(tmp_path, HOMELAB_CONFIG="mine.toml").repository.strategy == "rebase"
    assert settings(tmp_path, HOMELAB_CONFIG=str(tmp_path / "mine.toml")).repository.strategy == "rebase"
    (tmp_path / "h").mkdir(exist_ok=True)
    (tmp_path / "h" / "mine.toml").write_text("[work]\nstrategy = 'squash'")
    assert settings(tmp_path, HOMELAB_CONFIG="~/mine.toml").repository.strategy == "squash"
