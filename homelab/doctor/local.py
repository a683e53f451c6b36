"""Checks that leave the machine alone: git, the configuration, the repository, what its owner approved.

Layer: doctor.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from shlex import quote

from homelab.app import App
from homelab.doctor.model import Finding, fail, ok, skip, warn
from homelab.errors import PersonNeeded, UsageError
from homelab.git.port import Remote, Repository
from homelab.git.runner import Git
from homelab.settings.environment import DEFAULT_TOKEN_ENV
from homelab.settings.model import Settings
from homelab.trust.approval import repository_key

#: ``merge-tree --write-tree`` and ``rev-parse --path-format`` in the forms we use.
OLDEST_GIT = (2, 38)


def git(app: App) -> Iterator[Finding]:
    """Check git's version. Raises GitFailed when there is none."""
    said = Git(app.world.cwd, env=app.world.env).text("version")
    found = re.search(r"(\d+)\.(\d+)[\w.]*", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_GIT:
        needed = ".".join(map(str, OLDEST_GIT))
        raise UsageError(
            f"{said} is too old", why=f"landing needs git {needed} or newer", fix=f"install git {needed} or newer"
        )
    yield ok("git", found[0])


def configuration(app: App, settings: Settings) -> Iterator[Finding]:
    """Check what does not stop a verb and will surprise: open files, tokens nobody reads."""
    there = [str(path) for path in (settings.user_file, settings.repository_file) if path and path.exists()]
    yield ok("configuration", f"read {', '.join(there)}" if there else f"no file; yours would be {settings.user_file}")
    if settings.user_file.exists() and settings.user_file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield warn(
            "configuration.file",
            f"others may write to {settings.user_file}",
            why="who can write there chooses where tokens go",
            fix=f"chmod go-w {quote(str(settings.user_file))}",
        )
    read = {name for server in settings.ci.values() for name in server.token_env}
    for name in DEFAULT_TOKEN_ENV:
        if app.world.env.get(name) and name not in read and settings.ci:
            yield warn(
                "configuration.token",
                f"{name} is set and no server reads it",
                why="with several servers each names its own token_env, so that no token goes to two hosts",
                fix=f'add token_env = ["{name}"] to its [ci.<name>] in {settings.user_file}',
            )


def repository(found: Repository, remote: Remote) -> Iterator[Finding]:
    """Name the repository, its branch and the remote that everything is found through."""
    branch = found.branch()
    where = f"{remote.push.shown} ({remote.name})"
    yield ok("repository", f"{where}, {f'on {branch}' if branch else 'detached HEAD'}")
    if remote.push.warning:
        yield warn("repository.remote", remote.push.warning, why=remote.push.shown, fix="git remote -v")
    if (remote.fetch.host, remote.fetch.slug) != (remote.push.host, remote.push.slug):
        yield warn(
            "repository.mirror",
            f"fetches from {remote.fetch.shown} and pushes to {remote.push.shown}",
            why="a mirror may lag behind; landing trusts the push side alone",
            fix=f"git remote set-url {quote(remote.name)} <push url>, if that was not meant",
        )


def trust(app: App, settings: Settings) -> Iterator[Finding]:
    """Check that the repository's command may run. Raises UsageError for a damaged store."""
    command = settings.repository.verify
    if command is None:
        yield skip("trust", "no command in .homelab.toml")
    elif app.trust.approved(repository_key(app.repository), command):
        yield ok("trust", "the command of .homelab.toml is approved")
    else:
        unread = PersonNeeded(
            "the command of .homelab.toml is not approved",
            why="work land does not run it before its owner read it",
            fix="homelab trust",
        )
        yield fail("trust", unread)
