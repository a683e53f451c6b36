from __future__ import annotations

import os
from pathlib import Path

import pytest

from homelab.doctor.remote import remote_answers
from homelab.errors import CredentialsError, HomelabError, NothingThere, Unreachable
from homelab.git.port import Remote
from homelab.git.remote_url import parse
from homelab.git.runner import Git
from tests.trust.fakes import repository


def _remote(git: Git, url: str) -> Remote:
    git.text("remote", "set-url", "origin", url)
    return Remote("origin", fetch=parse(url), push=parse(url))


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(repository(tmp_path), env=os.environ)


def test_a_remote_that_answers_is_well_even_without_a_branch(git: Git, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    git.text("init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    remote = _remote(git, str(bare))
    (finding,) = remote_answers(git, remote)
    assert finding.says == "origin answers; it has no branch yet"
    git.text("commit", "--quiet", "--allow-empty", "--message=first")
    git.text("push", "--quiet", "origin", "main")
    (finding,) = remote_answers(git, remote)
    assert finding.says == "origin answers"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("git@git.example.org: Permission denied (publickey).", CredentialsError),
        ("Host key verification failed.", CredentialsError),
        ("ssh: connect to host git.example.org port 22: Connection refused", Unreachable),
        ("ssh: Could not resolve hostname git.example.org: Name or service not known", Unreachable),
        ("ERROR: Repository not found.", NothingThere),
        ("remote: Repository does not exist", NothingThere),
    ],
)
def test_why_a_remote_does_not_answer_is_told_apart_and_quoted(git: Git, said: str, error: type[HomelabError]) -> None:
    remote = _remote(git, "ssh://git@git.example.org/team/app.git")
    git.text("config", "core.sshCommand", f"sh -c 'echo \"{said}\" >&2; exit 255' --")
    with pytest.raises(error) as caught:
        list(remote_answers(git, remote))
    assert said in (caught.value.why, *caught.value.details)
    assert caught.value.fix == "git ls-remote origin HEAD"


def test_a_local_remote_that_is_gone_is_not_there(git: Git, tmp_path: Path) -> None:
    with pytest.raises(NothingThere):
        list(remote_answers(git, _remote(git, str(tmp_path / "gone.git"))))


def test_a_remote_that_says_nothing_is_left_after_the_limit(git: Git) -> None:
    remote = _remote(git, "ssh://git@git.example.org/team/app.git")
    git.text("config", "core.sshCommand", "sh -c 'sleep 30' --")
    with pytest.raises(Unreachable) as caught:
        list(remote_answers(git, remote, limit=0.3))
    assert caught.value.why == "nothing came within 0.3 s"
