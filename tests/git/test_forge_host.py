from __future__ import annotations

import os

import pytest

from homelab.git.forge_host import forge_host, forge_repository, ssh_name
from homelab.git.remote_url import parse
from homelab.settings.model import CiServer, Forge

FORGES = {"git.example": Forge(host="git.example", ssh_host="ssh.git.example", base_path="gitea")}
SERVERS = {"main": CiServer(name="main", kind="woodpecker", url="https://ci.example", forges=("code.example",))}


def _alias(names):
    return lambda host, _env: names.get(host)


def _nobody(host, _env):
    raise AssertionError(f"ssh was asked about {host}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://git.example/gitea/o/n", "git.example"),
        ("git@ssh.git.example:o/n.git", "git.example"),
        ("git@code.example:o/n.git", "code.example"),
        ("ssh://git@ssh.github.com:443/o/n", "github.com"),
        ("https://other.example/o/n", "other.example"),
        ("/srv/n.git", None),
        ("git@host.example:/srv/git/o/n.git", None),
        ("codecommit::eu-central-1://repo", None),
    ],
)
def test_a_known_host_is_never_looked_up_in_ssh(text, expected):
    assert forge_host(parse(text), FORGES, SERVERS, {}, ask_ssh=_nobody) == expected


def test_an_ssh_alias_leads_to_the_host_it_stands_for():
    names = _alias({"work": "ssh.github.com", "ours": "ssh.git.example"})
    assert forge_host(parse("git@work:o/n"), FORGES, SERVERS, {}, ask_ssh=names) == "github.com"
    assert forge_host(parse("git@ours:o/n"), FORGES, SERVERS, {}, ask_ssh=names) == "git.example"


def test_an_alias_that_is_a_bare_address_names_no_forge():
    names = _alias({"box": "10.0.0.7"})
    assert forge_host(parse("git@box:o/n"), {}, {}, {}, ask_ssh=names) == "box"


def test_a_proxy_alias_of_a_configured_host_does_not_win():
    names = _alias({"code.example": "jump.example"})
    assert forge_host(parse("git@code.example:o/n"), FORGES, SERVERS, {}, ask_ssh=names) == "code.example"


def test_the_forge_names_a_repository_without_its_base_path():
    assert forge_repository(parse("https://git.example/gitea/o/n"), "git.example", FORGES).slug == "o/n"
    assert forge_repository(parse("https://x.example/gitea/o/n"), "x.example", FORGES).slug == "gitea/o/n"
    by_ssh, by_alias = parse("ssh://git@ssh.git.example/gitea/o/n"), parse("https://git.example/gitea/o/n")
    assert forge_repository(by_ssh, "git.example", FORGES).slug == "o/n"
    assert forge_repository(by_alias, "named-in-ssh.example", FORGES).slug == "o/n"


@pytest.fixture
def ssh(tmp_path):
    """An environment whose ``ssh`` writes down its arguments and answers as told in ``answer``."""
    program = tmp_path / "ssh"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/asked\ncat {tmp_path}/answer\n')
    program.chmod(0o755)
    return tmp_path, {"PATH": f"{tmp_path}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("user git\nhostname SSH.GitHub.com\nport 443\n", "ssh.github.com"),
        ("user git\nidentityfile hostname x\n", None),
        ("", None),
    ],
    ids=["named", "not named", "silent"],
)
def test_ssh_says_which_host_an_alias_stands_for(ssh, answer, expected):
    folder, env = ssh
    (folder / "answer").write_text(answer)
    assert ssh_name("work", env) == expected
    assert (folder / "asked").read_text().splitlines() == ["-G", "--", "work"]


def test_an_ssh_that_fails_or_is_not_there_says_nothing(ssh, tmp_path):
    _, env = ssh
    assert ssh_name("work", env) is None, "there is no answer to print, so it fails"
    assert ssh_name("work", {"PATH": str(tmp_path / "nothing")}) is None


def test_ssh_is_never_asked_about_what_it_would_read_as_an_option(ssh):
    folder, env = ssh
    assert ssh_name("-oProxyCommand=x", env) is None
    assert not (folder / "asked").exists()
