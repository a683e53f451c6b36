from __future__ import annotations

from pathlib import Path

import pytest

from homelab.ci.connect import ACTIONS_KINDS
from homelab.ci.request import EVENTS
from homelab.deploy.gitops.ownership import APIS
from homelab.deploy.kinds.table import KINDS
from homelab.errors import ConfigError
from homelab.settings.model import DeployTarget, RepositorySettings
from homelab.settings.repository_file import CI_EVENTS, WORKLOAD_KINDS
from homelab.settings.user_file import CI_KINDS
from tests.settings.fakes import origins, settings


def test_every_key_arrives_where_it_belongs(tmp_path: Path) -> None:
    loaded = settings(
        tmp_path,
        repository="""
[work]
verify = "make check"
target = "release/1.x"
strategy = "rebase"
[ci]
event = "manual"
[image]
name = "registry.example.org:5000/team/app"
match = "main-{sha7}-[0-9]+"
[[deploy]]
namespace = "prod"
name = "web"
kind = "deployment"
container = "app"
image = "team/app"
[[deploy]]
namespace = "prod"
name = "worker"
""",
    )
    assert loaded.repository == RepositorySettings(
        verify="make check",
        target="release/1.x",
        strategy="rebase",
        image="registry.example.org:5000/team/app",
        image_match="main-{sha7}-[0-9]+",
        ci_event="manual",
        deploy=(
            DeployTarget("prod", "web", container="app", image="team/app"),
            DeployTarget("prod", "worker"),
        ),
    )
    assert origins(loaded)["work.verify"] == f"{tmp_path / 'repo' / '.homelab.toml'}:3"
    assert origins(loaded)["deploy"] == f"{tmp_path / 'repo' / '.homelab.toml'}:11"


def test_the_short_form_of_deploy_names_deployments(tmp_path: Path) -> None:
    loaded = settings(tmp_path, repository='deploy = ["prod/web", {namespace = "prod", name = "api"}]')
    assert loaded.repository.deploy == (DeployTarget("prod", "web"), DeployTarget("prod", "api"))


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("[ci]\nurl = 'https://evil.example'", 2, "ci.url"),
        ("[ci]\ndial = '192.0.2.1'", 2, "ci.dial"),
        ("[ci]\nca_file = 'ca.pem'", 2, "ci.ca_file"),
        ("[ci]\ntoken_env = ['AWS_SECRET_ACCESS_KEY']", 2, "ci.token_env"),
        ("[ci.evil]\nkind = 'woodpecker'\nurl = 'https://evil.example'", 1, "ci.evil"),
        ("[vault]\naddr = 'https://evil.example'", 1, "vault"),
        ("[kubernetes]\ncontext = 'prod'", 1, "kubernetes"),
        ("[forge.'x']\napi = 'https://evil.example'", 1, "forge"),
        ("[timeouts]\nci = 1", 1, "timeouts"),
        ("url = 'https://evil.example'", 1, "url"),
        ("[[deploy]]\nnamespace='a'\nname='b'\ncontext='prod'", 4, "deploy[0].context"),
        ("[work]\nremote = 'evil'", 2, "work.remote"),
    ],
)
def test_a_repository_cannot_choose_where_anything_goes(tmp_path: Path, text: str, line: int, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, repository=text)
    assert (caught.value.line, caught.value.key) == (line, key)
    if key != "ci.evil":
        assert "a repository cannot choose this" in caught.value.what
        assert "config.toml" in caught.value.why


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[work]\nverify = ''", "work.verify"),
        ("[work]\nverify = ['make']", "work.verify"),
        ('[work]\nverify = """make\\u001b[2K\\rtrue"""', "work.verify"),
        ('[work]\nverify = "a\\u0000b"', "work.verify"),
        (f"[work]\nverify = '{'x' * 5000}'", "work.verify"),
        ("[work]\ntarget = '-x'", "work.target"),
        ("[work]\ntarget = 'a..b'", "work.target"),
        ("[work]\ntarget = 'refs/heads/main'", "work.target"),
        ("[work]\ntarget = 'a b'", "work.target"),
        ("[work]\ntarget = 'x.lock'", "work.target"),
        ("[work]\ntarget = '+main'", "work.target"),
        ("[work]\nstrategy = 'octopus'", "work.strategy"),
        ("[work]\nallow_dirty = true", "work.allow_dirty"),
        ("[ci]\nevent = 'full moon'", "ci.event"),
        ("[image]\nname = 'registry.example.org/app:latest'", "image.name"),
        ("[image]\nname = 'https://registry.example.org/app'", "image.name"),
        ("deploy = ['web']", "deploy[0]"),
        ("deploy = ['Prod/web']", "deploy[0]"),
        ("deploy = ['prod/web/x']", "deploy[0]"),
        ("deploy = ['prod/web', 'prod/web']", "deploy[1]"),
        ("deploy = 'prod/web'", "deploy"),
        ("deploy = [3]", "deploy[0]"),
        ("[[deploy]]\nname = 'web'", "deploy[0]"),
        ("[[deploy]]\nnamespace='a'\nname='b'\nkind='cron tab'", "deploy[0].kind"),
        (f"deploy = {[f'a/b{n}' for n in range(60)]}", "deploy"),
        ("verify = 'make'", "verify"),
    ],
)
def test_what_cannot_be_is_refused_at_its_key(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, repository=text)
    assert (caught.value.path.name, caught.value.key) == (".homelab.toml", key)
    assert "\x1b" not in f"{caught.value.what}{caught.value.why}"


def test_a_workload_without_a_namespace_is_told_the_form(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no workload"):
        settings(tmp_path, repository="deploy = ['web']")


def test_a_command_may_have_several_lines_and_is_trimmed(tmp_path: Path) -> None:
    text = "[work]\nverify = '''\nmake lint\n\tmake test\n'''"
    assert settings(tmp_path, repository=text).repository.verify == "make lint\n\tmake test"


def test_the_words_are_those_that_deploy_and_ci_know() -> None:
    assert (*KINDS, *APIS) == WORKLOAD_KINDS
    assert EVENTS == CI_EVENTS
    assert ("woodpecker", *ACTIONS_KINDS) == CI_KINDS


def test_a_link_out_of_the_repository_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.toml").write_text("[work]\nverify = 'id'")
    root = tmp_path / "repo"
    root.mkdir()
    for target in (tmp_path / "secret.toml", Path("../secret.toml"), Path("gone"), Path(".homelab.toml")):
        link = root / ".homelab.toml"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        with pytest.raises(ConfigError, match="leaves the repository"):
            settings(tmp_path)


def test_a_link_inside_the_repository_is_read(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    (root / "tool.toml").write_text("[work]\nverify = 'make'")
    (root / ".homelab.toml").symlink_to("tool.toml")
    assert settings(tmp_path).repository.verify == "make"


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "repo" / ".homelab.toml").mkdir(parents=True)
    with pytest.raises(ConfigError, match="is not a file"):
        settings(tmp_path)
