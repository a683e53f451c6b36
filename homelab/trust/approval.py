"""A command of a repository runs only after its owner approved its exact text for that repository.

Layer: the trust domain; ``work`` calls :func:`require` before it runs a command from ``.homelab.toml``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from homelab.app import App
from homelab.errors import PersonNeeded, UsageError
from homelab.events import Event, Notice
from homelab.git.port import RemoteUrl, Repository
from homelab.settings.trust import Approval
from homelab.settings.visible import visible

TAB = "\t"


@dataclass(frozen=True, slots=True)
class CommandApproved(Event):
    """The owner approved a repository's command."""

    kind: ClassVar[str] = "trust.command.approved"
    detail: ClassVar[bool] = True
    repository: str
    sha256: str

    def sentence(self) -> str:
        """Say for which repository."""
        return f"command approved for {self.repository}"


def repository_key(repository: Repository, remote: str | None = None) -> str:
    """Return what approvals of ``repository`` are kept under: ``host[:port]/owner/name`` of the push remote.

    A local or unclear remote means the absolute path of the folder all its worktrees share.
    """
    try:
        push = repository.remote(remote).push
    except UsageError:
        return str(repository.common_dir)
    return _address(push) or str(repository.common_dir)


def require(app: App, command: str, *, yes: bool) -> None:
    """Return when ``command`` is approved for the repository; ask the person, or take ``yes`` for an answer.

    Raises PersonNeeded when nobody approves; UsageError when the store of approvals is damaged.
    """
    key = repository_key(app.repository)
    if app.trust.approved(key, command):
        return
    lines = proposal(key, command, app.trust.approvals(key))
    if not yes and not app.world.interactive:
        raise _needed(key, lines)
    if not yes and not agreed(app, lines):
        raise _needed(key, ())
    approve(app, key, command)


def agreed(app: App, lines: Sequence[str]) -> bool:
    """Show ``lines`` to the person at the terminal and return whether they say yes."""
    for line in lines:
        app.emit(Notice(about="trust", text=line))
    return app.ask("Approve this command for this repository?")


def approve(app: App, key: str, command: str) -> None:
    """Record the approval and say so."""
    app.trust.approve(key, command, now=app.clock.now())
    newest = app.trust.approvals(key)[-1]
    app.emit(CommandApproved(repository=key, sha256=newest.sha256))


def _needed(key: str, lines: Sequence[str]) -> PersonNeeded:
    return PersonNeeded(
        f"a command of {visible(key)} is not approved",
        why="a repository's command runs only after its owner approved that text",
        fix="read it, then: homelab trust  (without a terminal: homelab trust --yes)",
        details=tuple(lines),
    )


def proposal(key: str, command: str, approvals: Sequence[Approval]) -> tuple[str, ...]:
    """Return the lines a person approves: the repository, the newest approved text when there is one, the command."""
    new = _shown("+" if approvals else " ", command)
    if not approvals:
        return (f"{visible(key)} wants to run:", *new)
    return (
        f"{visible(key)} changed its command (- approved before, + new):",
        *_shown("-", approvals[-1].command),
        *new,
    )


def _shown(mark: str, command: str) -> tuple[str, ...]:
    """Return the command's lines exactly as a shell gets them; what a terminal would obey is written out."""
    return tuple(f"{mark} {visible(line, keep=TAB)}" for line in command.split("\n"))


def _address(url: RemoteUrl) -> str | None:
    if not url.host:
        return None
    bare = re.sub(r"^\[|\]$", "", url.host)
    host = f"[{bare}]" if ":" in bare else bare
    return f"{host}{f':{url.port}' if url.port else ''}/{url.slug}"
