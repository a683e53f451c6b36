from __future__ import annotations

import os

import pytest

from homelab.errors import GitFailed
from homelab.git.redact import redact
from homelab.git.runner import Git, failed, shown, spoken


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
