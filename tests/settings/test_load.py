from __future__ import annotations

from pathlib import Path

from homelab.settings.load import load
from tests.settings.fakes import origins, settings, shown, world

USER = "[work]\nstrategy = 'squash'\n[timeouts]\nci = 60"


def test_the_environment_is_before_the_repository_before_the_user_before_the_default(tmp_path: Path) -> None:
    default = settings(tmp_path)
    assert origins(default)["work.strategy"] == "default"
    user = settings(tmp_path, USER)
    assert user.repository.strategy == "squash"
    repository = settings(tmp_path, USER, "[work]\nstrategy = 'rebase'")
    assert repository.repository.strategy == "rebase"
    assert origins(repository)["work.strategy"].endswith(".homelab.toml:2")
    environment = settings(tmp_path, USER, HOMELAB_TIMEOUT_CI="5")
    assert environment.timeouts.ci == 5.0


def test_outside_a_repository_only_the_user_speaks(tmp_path: Path) -> None:
    loaded = load(world(tmp_path, user=USER), None)
    assert loaded.repository_file is None
    assert loaded.repository.strategy == "squash"


def test_no_value_ever_holds_a_token(tmp_path: Path) -> None:
    loaded = settings(
        tmp_path,
        HOMELAB_CI_URL="https://ci.example.org",
        WOODPECKER_TOKEN="hunter2",
        VAULT_ADDR="https://vault.example.org",
        VAULT_TOKEN="hunter2",
    )
    assert "hunter2" not in repr(loaded)
    forge = settings(tmp_path, '[forge."git.example.org"]\ntoken_env = ["FORGE_TOKEN"]', FORGE_TOKEN="hunter2")
    assert shown(forge)['forge."git.example.org".token_env'] == "FORGE_TOKEN (set)"
    assert shown(loaded)["ci.environment.token_env"] == "HOMELAB_CI_TOKEN (not set), WOODPECKER_TOKEN (set)"
    assert shown(loaded)["vault.token"] == "VAULT_TOKEN (set)"


def test_values_are_shown_as_a_person_writes_them(tmp_path: Path) -> None:
    assert shown(settings(tmp_path))["ci"] == "(no server)"
    user = '[ci.a]\nkind = "woodpecker"\nurl = "https://a.example"\nforges = ["x.example", "y.example"]\n'
    repository = 'deploy = ["prod/web", {namespace = "prod", name = "api", container = "app"}]'
    loaded = shown(settings(tmp_path, user, repository))
    assert loaded["ci.a.forges"] == "x.example, y.example"
    assert loaded["deploy"] == "deployment prod/web, deployment prod/api (app)"
    assert "ci" not in loaded
