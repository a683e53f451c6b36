from __future__ import annotations

from pathlib import Path

import pytest

from homelab.errors import UsageError
from homelab.settings.choose import ci_server, ci_servers
from homelab.settings.model import CiServer, Settings


def _settings(**forges: tuple[str, ...]) -> Settings:
    servers = {
        name: CiServer(name=name, kind="woodpecker", url=f"https://{name}.example", forges=hosts)
        for name, hosts in forges.items()
    }
    return Settings(user_file=Path("/u/config.toml"), ci=servers)


def test_a_name_is_before_everything() -> None:
    assert ci_server(_settings(a=("x",), environment=(), b=()), "x", "b").name == "b"


def test_the_environments_server_is_before_the_files() -> None:
    assert ci_server(_settings(a=("x",), environment=()), "x", None).name == "environment"


def test_a_server_that_names_the_host_is_before_one_that_names_none() -> None:
    assert ci_server(_settings(a=(), b=("x",)), "X", None).name == "b"


def test_the_only_server_without_hosts_takes_the_rest() -> None:
    assert ci_server(_settings(a=(), b=("x",)), "y", None).name == "a"
    assert ci_server(_settings(a=()), None, None).name == "a"


@pytest.mark.parametrize(
    ("settings", "host", "wanted", "said"),
    [
        (_settings(a=(), b=()), "x", None, "a, b"),
        (_settings(a=("x",), b=("x",)), "x", None, "a, b"),
        (_settings(a=("x",)), "y", None, "builds repositories of y\nthey serve a: x"),
        (_settings(a=("x",)), None, None, "builds repositories of a local remote"),
        (_settings(), "y", None, "HOMELAB_CI_URL"),
        (_settings(a=()), "y", "z", "configured: a"),
    ],
    ids=["several open", "several serve", "none serves", "none serves a local one", "none at all", "unknown name"],
)
def test_it_never_guesses_and_lists_the_choices(settings: Settings, host: str, wanted: str | None, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        ci_server(settings, host, wanted)
    assert said in f"{caught.value.what}\n{caught.value.why}"


def test_several_servers_of_one_host_are_all_returned() -> None:
    assert [server.name for server in ci_servers(_settings(a=("x",), b=("x",), c=()), "x", None)] == ["a", "b"]
