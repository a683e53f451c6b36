"""``trust``: show what a repository would run here, and approve, list or revoke it.

Layer: the trust domain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from homelab.app import App
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.settings.trust import Approval
from homelab.settings.visible import visible
from homelab.trust.approval import agreed, approve, proposal, repository_key


@dataclass(frozen=True, slots=True)
class Reviewed(Result):
    """The repository's key, its command, whether it may run now, and what was approved before."""

    repository: str = ""
    command: str | None = None
    approved: bool = False
    before: tuple[Approval, ...] = ()
    shown: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return what the decision is about."""
        return list(self.shown)

    def record(self) -> dict[str, Any]:
        """Return the same as fields; ``commands`` is a list so that more keys may hold commands one day."""
        commands = [] if self.command is None else [{"key": "work.verify", "command": self.command}]
        return {
            "repository": self.repository,
            "commands": [{**command, "approved": self.approved} for command in commands],
            "approved_before": [_record(approval) for approval in self.before],
        }


@dataclass(frozen=True, slots=True)
class Listed(Result):
    """Every approval on this machine, or what is left of it."""

    approvals: tuple[Approval, ...] = ()

    def lines(self) -> list[str]:
        """Return a line an approval, a command's further lines indented below."""
        return [line for approval in self.approvals for line in _lines(approval)]

    def record(self) -> dict[str, Any]:
        """Return the approvals with their repositories."""
        return {"approvals": [{"repository": approval.key, **_record(approval)} for approval in self.approvals]}


def review(app: App, *, yes: bool) -> Result:
    """Show the repository's command and get it approved: by ``yes``, by the person at the terminal, or not at all.

    Raises ConfigError for a bad ``.homelab.toml``, UsageError outside a repository or with a damaged store.
    """
    key, command = repository_key(app.repository), app.settings.repository.verify
    if command is None:
        return Reviewed(Outcome.DONE, "its .homelab.toml holds no command; nothing to approve", repository=key)
    before = app.trust.approvals(key)
    if app.trust.approved(key, command):
        lines = proposal(key, command, ())
        return Reviewed(Outcome.DONE, "already approved", key, command, approved=True, before=before, shown=lines)
    lines = proposal(key, command, before)
    if not yes and not app.world.interactive:
        headline = "not approved; read it, then: homelab trust --yes"
        return Reviewed(Outcome.PERSON, headline, key, command, before=before, shown=lines)
    if not yes and not agreed(app, lines):
        return Reviewed(Outcome.PERSON, "not approved", key, command, before=before)
    approve(app, key, command)
    return Reviewed(Outcome.DONE, "approved", key, command, approved=True, before=before, shown=lines if yes else ())


def listed(app: App) -> Listed:
    """Return every approval on this machine, oldest first. Raises UsageError for a damaged store."""
    approvals = app.trust.all()
    return Listed(Outcome.DONE, f"{len(approvals)} approved", approvals)


def revoke(app: App, key: str | None) -> Listed:
    """Forget what is approved for ``key``, or for the repository here. Raises UsageError for a damaged store."""
    key = key or repository_key(app.repository)
    count = app.trust.revoke(key)
    return Listed(
        Outcome.DONE, f"revoked {count} of {visible(key)}" if count else f"nothing approved for {visible(key)}"
    )


def _lines(approval: Approval) -> Iterator[str]:
    first, *rest = approval.command.split("\n")
    yield f"{_utc(approval.approved)}  {visible(approval.key)}  {visible(first)}"
    yield from (f"    {visible(line)}" for line in rest)


def _record(approval: Approval) -> dict[str, Any]:
    return {"command": approval.command, "sha256": approval.sha256, "approved": _utc(approval.approved)}


def _utc(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
