"""From a verb's words to a request: which commit, on which branch, with which defaults.

Layer: ci; reads the app's settings and repository.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from homelab.app import App
from homelab.ci.choice import PUSH, Choice
from homelab.ci.request import LOG_LINES, CiRequest
from homelab.errors import UsageError
from homelab.git.port import Repository

EVENTS = (
    "push",
    "pull_request",
    "pull_request_closed",
    "pull_request_metadata",
    "tag",
    "release",
    "deployment",
    "cron",
    "manual",
    "any",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line said; None where it said nothing."""

    rev: str = "HEAD"
    event: str | None = None
    branch: str | None = None
    number: int | None = None
    server: str | None = None
    remote: str | None = None
    timeout: float | None = None
    appear_timeout: float | None = None
    log_lines: int = LOG_LINES
    wait_approval: bool = False
    fail_fast: bool = False


def request(app: App, asked: Asked, default_branch: Callable[[], str]) -> CiRequest:
    """Fill in what was not said: from the repository's file, the user's settings, git, and last the server.

    A push of the target branch decides where there is one. A commit that is not on the target (as
    known here) is judged by the pushes of its own branches until it lands. Raises UsageError.
    """
    settings, repository = app.settings, app.repository
    oid = commit_of(repository, asked.rev)
    remote = repository.remote(asked.remote).name
    target = settings.repository.target or repository.target(remote) or default_branch()
    choice = Choice(
        event=asked.event or settings.repository.ci_event or PUSH,
        branch=asked.branch or "",
        target=target,
        landed=on_branch(repository, oid, f"refs/remotes/{remote}/{target}"),
        number=asked.number or 0,
    )
    return CiRequest(
        oid=oid,
        choice=choice,
        remote=remote,
        timeout=settings.timeouts.ci if asked.timeout is None else asked.timeout,
        appear_timeout=settings.timeouts.ci_appear if asked.appear_timeout is None else asked.appear_timeout,
        log_lines=asked.log_lines,
        wait_approval=asked.wait_approval,
        fail_fast=asked.fail_fast,
        flags=_flags(asked),
    )


def commit_of(repository: Repository, rev: str) -> str:
    """Return the object id of ``rev``; a full one is taken as it is, though the commit may not be here."""
    if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", rev.lower()):
        return rev.lower()
    return repository.resolve(rev)


def on_branch(repository: Repository, oid: str, ref: str) -> bool:
    """Say whether ``oid`` is known to be in the history of ``ref``."""
    try:
        return repository.contains(repository.resolve(ref), oid) is True
    except UsageError:
        return False


def _flags(asked: Asked) -> tuple[str, ...]:
    flags: list[str] = []
    for name, value in (("--ci", asked.server), ("--remote", asked.remote)):
        if value is not None:
            flags += [name, value]
    return tuple(flags)
