from __future__ import annotations

import subprocess

from homelab.git.environment import LOCAL, for_commands, for_git


def test_every_variable_git_calls_local_is_removed_but_the_configuration_a_user_sets():
    local = subprocess.run(["git", "rev-parse", "--local-env-vars"], capture_output=True, text=True, check=True)
    assert set(local.stdout.split()) - set(LOCAL) == {"GIT_CONFIG_COUNT"}


def test_what_belongs_to_another_repository_does_not_reach_a_command():
    env = {"GIT_DIR": "/x", "GIT_SSH_COMMAND": "ssh -i k", "GIT_ASKPASS": "ask", "GIT_CONFIG_COUNT": "0", "A": "b"}
    assert for_commands(env) == {name: value for name, value in env.items() if name != "GIT_DIR"}


def test_the_character_set_of_the_person_survives_the_english():
    env = for_git({"LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}, interactive=True)
    assert (env["LC_CTYPE"], env["LC_MESSAGES"]) == ("de_DE.UTF-8", "C")
    assert {"LC_ALL", "LANGUAGE"}.isdisjoint(env)


def test_traces_go_to_files_not_into_what_is_read_back():
    env = for_git({"GIT_TRACE": "1", "GIT_TRACE_CURL": "true", "GIT_TRACE2": "/tmp/trace"}, interactive=True)
    assert [name for name in env if name.startswith("GIT_TRACE")] == ["GIT_TRACE2"]


def test_nobody_is_asked_where_nobody_can_answer():
    prompts = {"GIT_TERMINAL_PROMPT", "GCM_INTERACTIVE", "SSH_ASKPASS_REQUIRE"}
    assert prompts <= set(for_git({}, interactive=False))
    assert prompts.isdisjoint(for_git({}, interactive=True))
    assert for_git({"GIT_EDITOR": "vi"}, interactive=True)["GIT_EDITOR"] == ":"
