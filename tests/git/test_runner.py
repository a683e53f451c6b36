from __future__ import annotations

import os

import pytest

from homelab.errors import GitFailed
from homelab.git.child import Ended
from homelab.git.redact import redact
from homelab.git.runner import Git, failed, reason, shown, spoken


def test_a_hooks_environment_does_not_reach_git(git, tmp_path):
    hostile = {**os.environ, "GIT_DIR": str(tmp_path / "elsewhere"), "GIT_WORK_TREE": "/", "GIT_INDEX_FILE": "/x"}
    assert Git(git.root, env=hostile).text("rev-parse", "--show-toplevel") == str(git.root)


def test_a_users_configuration_in_the_environment_stays(git):
    env = {**os.environ, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Chosen"}
    assert Git(git.root, env=env).text("config", "user.name") == "Chosen"


def test_messages_are_english_whatever_the_person_speaks(git):
    env = {**os.environ, "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}
    ended = Git(git.root, env=env).run("rev-parse", "--verify", "nowhere")
    assert "Needed a single revision" in ended.err


def test_nobody_is_prompted_without_a_terminal(git):
    assert "GIT_TERMINAL_PROMPT" not in Git(git.root, env={}, interactive=True).order("x").env
    order = git.order("x")
    assert (order.env["GIT_TERMINAL_PROMPT"], order.own_session) == ("0", True)


def test_a_failed_command_carries_gits_own_words_and_no_password(git):
    with pytest.raises(GitFailed) as caught:
        git.text("fetch", "-q", "https://me:s3cret@127.0.0.1:1/o/n")
    record = str(caught.value.record())
    assert "s3cret" not in record
    assert "127.0.0.1" in record


def test_a_missing_folder_is_not_a_missing_git(git, tmp_path):
    with pytest.raises(GitFailed, match="is gone"):
        git.at(tmp_path / "gone").run("status")


def test_progress_meters_are_not_repeated(git):
    ended = git.run("-c", "alias.noise=!printf 'one\\rtwo\\rthree\\n\\nfour\\n' >&2; false", "noise")
    assert spoken(ended) == ("three", "four")
    assert failed(ended).why == "four"


def test_our_own_switches_are_not_shown():
    assert shown(("git", "-c", "a=b", "--no-optional-locks", "-c", "c=d", "push", "x")) == "git push x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fatal: https://u:p@h.example/o/n not found", "fatal: https://h.example/o/n not found"),
        ("https://tok@h.example", "https://h.example"),
        ("Authorization: Bearer abc", "Authorization: ***"),
        ("https://h.example/x?private_token=abc&y=1", "https://h.example/x?private_token=***&y=1"),
        ("git@host.example:o/n", "git@host.example:o/n"),
    ],
)
def test_secrets_leave_the_text(text, expected):
    assert redact(text) == expected


RESOLVE = "ssh: Could not resolve hostname git.example.org: Name or service not known"
GENERAL = """\
fatal: Could not read from remote repository.

Please make sure you have the correct access rights
and the repository exists."""


@pytest.mark.parametrize(
    ("said", "code", "expected"),
    [
        (f"{RESOLVE}\n{GENERAL}\n", 128, RESOLVE),
        ("fatal: Could not read from remote repository.\n", 128, "fatal: Could not read from remote repository."),
        ("warning: slow\nfatal: no such branch\n", 1, "fatal: no such branch"),
        ("", 3, "exit code 3"),
    ],
    ids=["ssh", "nothing but the general", "last", "silent"],
)
def test_the_reason_is_the_line_that_tells_one_cause_from_another(said: str, code: int, expected: str):
    assert reason(Ended(("git", "fetch"), code, b"", said.encode(), 0.1)) == expected


def test_the_reason_of_a_git_that_was_stopped_is_the_time():
    assert reason(Ended(("git", "fetch"), -15, b"", b"fatal: early EOF\n", 9.0, timed_out=True)) == "it ran out of time"
