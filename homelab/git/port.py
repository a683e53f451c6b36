"""What the rest of homelab knows about a git repository, read-only.

Importing this loads no git library. ``oid`` is always a full lower-case object id (40 or 64 hex).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RemoteUrl:
    """A git remote URL taken apart. ``host`` is the git host, lower-case; never holds a password."""

    #: ``ssh``, ``https``, ``http``, ``git``, ``local`` or ``codecommit``.
    kind: str
    host: str | None
    port: int | None
    #: Everything before the name; may hold ``/``; None where the path has one segment.
    owner: str | None
    name: str
    #: The URL as it may be shown: no user, no password.
    shown: str
    #: A warning for a person, or "".
    warning: str = ""
    #: A file-system path on a plain ssh server (``host:/srv/git/o/n.git``): no forge stands behind it.
    plain_server: bool = False

    @property
    def slug(self) -> str:
        """``owner/name``, or ``name`` alone."""
        return f"{self.owner}/{self.name}" if self.owner else self.name


@dataclass(frozen=True, slots=True)
class Remote:
    """A configured remote: its name and the URLs git would dial (``insteadOf`` applied)."""

    name: str
    fetch: RemoteUrl
    push: RemoteUrl


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as a person reads it. ``committed`` is Unix time in seconds."""

    oid: str
    subject: str
    body: str
    author: str
    committed: int


class Repository(Protocol):
    """A local repository, asked without changing it. Raises only :mod:`homelab.errors`."""

    #: Top of the working tree.
    root: Path
    #: The worktree's own git dir, and the one shared by all worktrees. Absolute.
    git_dir: Path
    common_dir: Path

    def remotes(self) -> Sequence[Remote]:
        """Return all configured remotes, in configuration order."""

    def remote(self, wanted: str | None = None) -> Remote:
        """Choose the remote: ``wanted``, upstream/pushRemote, ``forgejo``, ``origin``, the only one.

        Raises UsageError listing the remotes otherwise.
        """

    def branch(self) -> str | None:
        """Return the current branch's short name; None when detached."""

    def resolve(self, rev: str) -> str:
        """Return the commit oid of ``rev``. Raises UsageError when it names none."""

    def commit(self, oid: str) -> Commit:
        """Return the commit. Raises UsageError when it is not here."""

    def contains(self, descendant: str, ancestor: str) -> bool | None:
        """Say whether ``ancestor`` is in ``descendant``'s history; None when one is not here."""

    def has_path(self, oid: str, path: str) -> bool:
        """Say whether ``path`` exists in the tree of ``oid``."""

    def entries(self, oid: str, path: str) -> Sequence[str]:
        """Return the names directly below the folder ``path`` at ``oid``; none where it is no folder there."""

    def changed(self, oid: str, *, since: str = "") -> Sequence[str] | None:
        """Return the paths that differ between ``since`` (else its first parent) and ``oid``; None where not known."""

    def text(self, oid: str, path: str) -> str | None:
        """Return the file's text at ``oid``, or None."""

    def target(self, remote: str) -> str | None:
        """Return the short name of the remote's default branch as known here without network, or None."""

    def config(self, key: str) -> str | None:
        """Return a git configuration value, or None."""
