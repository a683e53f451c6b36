"""The environment git is run in: nobody else's repository, no prompts, words a parser can read.

Pure. Layer: the bottom of the git adapter.
"""

from __future__ import annotations

from collections.abc import Mapping

#: ``git rev-parse --local-env-vars`` of git 2.55, without the GIT_CONFIG_COUNT family, which a
#: user sets on purpose. git exports some of these to hooks; inherited, they aim every git
#: command at the hook's repository, whatever its working directory.
LOCAL = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_INTERNAL_TOPLEVEL",
    "GIT_NAMESPACE",
    "GIT_QUARANTINE_PATH",
)
#: Replaced by ours: the language of messages decides whether they can be read back.
LANGUAGE = ("LC_ALL", "LANGUAGE", "LC_MESSAGES")

_PROMPTLESS = {
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "SSH_ASKPASS_REQUIRE": "never",
}


def for_commands(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` for a program that may call git itself: a verification command, a hook."""
    return {name: value for name, value in env.items() if name not in LOCAL}


def for_git(env: Mapping[str, str], *, interactive: bool) -> dict[str, str]:
    """Return ``env`` for git: local variables gone, messages in English, no editor, no pager."""
    clean = {name: value for name, value in for_commands(env).items() if not _is_noise(name, value)}
    everything = clean.pop("LC_ALL", "")
    if everything:
        clean["LC_CTYPE"] = everything  # file names keep the person's encoding
    clean.pop("LANGUAGE", None)
    clean.update(LC_MESSAGES="C", GIT_EDITOR=":", GIT_SEQUENCE_EDITOR=":", GIT_MERGE_AUTOEDIT="no", GIT_PAGER="cat")
    if not interactive:
        clean.update(_PROMPTLESS)
    return clean


def _is_noise(name: str, value: str) -> bool:
    """Say whether the variable makes git write traces into the stderr that is read back."""
    return name.startswith("GIT_TRACE") and not value.startswith("/")
