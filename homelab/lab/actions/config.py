"""The server's configuration: which face it shows, users, repositories. Nothing secret stands in the file."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homelab.errors import UsageError
from homelab.lab.actions.words import VERSIONS, Kind, Level
from homelab.lab.woodpecker.config import Repository, User, read_repository, read_user


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file. A repository's ``active`` is ``has_actions``."""

    url: str
    kind: Kind = Kind.FORGEJO
    level: Level = Level.LOGS
    users: tuple[User, ...] = ()
    repositories: tuple[Repository, ...] = ()
    #: What the runner answers to; a job that asks for another label waits for ever.
    labels: tuple[str, ...] = ("docker", "ubuntu-latest")
    capacity: int = 2
    environment: dict[str, str] = field(default_factory=dict)
    #: Whether ``/swagger.v1.json`` is served.
    swagger: bool = True
    #: Whether every API call needs a token.
    sign_in: bool = False
    #: The most rows of a page ([api] MAX_RESPONSE_ITEMS); asking for more is no error.
    max_items: int = 50
    #: Whether a job's log can be asked for below level D, as in Gitea 1.24, which tells no job's id.
    early_logs: bool = False
    #: What the version route says, when not the usual one of kind and level.
    version: str = ""

    @property
    def shown_version(self) -> str:
        """What ``GET /api/v1/version`` says. KeyError for a level that this kind never had."""
        return self.version or VERSIONS[self.kind, self.level]

    @property
    def ids_in_links(self) -> bool:
        """Gitea 1.26 links to a run's id and a job's id, everything older to number and index."""
        return self.kind is Kind.GITEA and self.level >= Level.LOGS

    @property
    def attempt_in_links(self) -> bool:
        """Forgejo from 13 links to a job's attempt."""
        return self.kind is Kind.FORGEJO and self.level >= Level.RUNS

    @property
    def knows_skipped(self) -> bool:
        """Servers with level D write ``skipped`` commit statuses, older ones success."""
        return self.level >= Level.LOGS

    @property
    def workflow_folders(self) -> tuple[str, ...]:
        """Return where workflows may lie; the first folder that is there counts, alone."""
        folders = (".forgejo/workflows", ".gitea/workflows", ".github/workflows")
        return folders if self.kind is Kind.FORGEJO else folders[1:]

    def user(self, token: str) -> User | None:
        """Return the account this token belongs to."""
        return next((u for u in self.users if hmac.compare_digest(u.token.reveal().encode(), token.encode())), None)

    def repository(self, full_name: str) -> Repository | None:
        """Return a repository by its full name, in any case."""
        return next((one for one in self.repositories if one.full_name.lower() == full_name.lower()), None)


def load(path: Path) -> Config:
    """Read the file. UsageError names it and what is wrong.

    Shape: ``{"url", "kind"?, "level"?, "users": [{"login", "token_file"}], "repositories": [{"full_name", "path",
    "visibility"?, "permissions"?, "secrets": {name: file}}], "labels"?, "capacity"?, "environment"?, "swagger"?,
    "sign_in"?, "max_items"?, "early_logs"?, "version"?}``.
    """
    try:
        raw: dict[str, Any] = json.loads(path.read_text())
        raw["users"] = tuple(read_user(number, entry) for number, entry in enumerate(raw.get("users", ()), 1))
        entries = enumerate(raw.get("repositories", ()), 1)
        raw["repositories"] = tuple(read_repository(number, entry) for number, entry in entries)
        raw["labels"] = tuple(raw.get("labels", Config.__dataclass_fields__["labels"].default))
        raw["kind"], raw["level"] = Kind(raw.get("kind", "forgejo")), Level(raw.get("level", "D"))
        config = Config(**raw)
        _ = config.shown_version
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"{path} does not configure an Actions server: {error!r}",
            why="it must be the JSON object that homelab.lab.actions.config.load describes",
            fix="homelab lab down && homelab lab up",
        ) from error
    return config
