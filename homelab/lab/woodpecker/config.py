"""The server's configuration file: users, repositories, secrets by the files that hold them.

Nothing secret stands in it: a token or a secret is named by a file that only its owner may read.
"""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from homelab.errors import UsageError
from homelab.secret import Secret

#: The rights a user may have on a repository, each implying those before it.
RIGHTS = ("pull", "push", "admin")


@dataclass(frozen=True, slots=True)
class User:
    """One account. ``admin`` is the server admin, who may do everything."""

    id: int
    login: str
    token: Secret
    email: str = ""
    admin: bool = False


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository of the forge, activated or not. ``timeout`` is in minutes."""

    id: int
    full_name: str
    path: Path
    default_branch: str = "main"
    visibility: str = "private"
    permissions: dict[str, str] = field(default_factory=dict)
    require_approval: str = "forks"
    approval_allowed_users: tuple[str, ...] = ()
    active: bool = True
    has_owner: bool = True
    timeout: float = 60
    config_file: str = ""
    clone_url: str = ""
    clone_url_ssh: str = ""
    forge_url: str = ""
    allow_pr: bool = True
    allow_deploy: bool = False
    cancel_previous_pipeline_events: tuple[str, ...] = ("push", "pull_request")
    secrets: dict[str, Secret] = field(default_factory=dict)
    former_names: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """Everything before the last slash of the full name."""
        return self.full_name.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The last part of the full name."""
        return self.full_name.rpartition("/")[2]

    def allows(self, user: User | None, right: str) -> bool:
        """Return whether ``user`` holds ``right``; nobody is a guest with what visibility gives."""
        if user and user.admin:
            return True
        held = self.permissions.get(user.login, "") if user else ""
        if held and RIGHTS.index(held) >= RIGHTS.index(right):
            return True
        return right == "pull" and (self.visibility == "public" or (self.visibility == "internal" and user is not None))


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file. ``environment`` reaches every step; ``capacity`` is workflows at once."""

    host: str
    users: tuple[User, ...] = ()
    repositories: tuple[Repository, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    capacity: int = 2
    version: str = "3.17.0"
    #: Seconds of silence after which a stream sends a comment.
    ping_every: float = 30.0
    #: Where commit statuses go, as ``http://127.0.0.1:1234``; none are written without it.
    status_api: str = ""
    status_token: Secret | None = None

    def user(self, token: str) -> User | None:
        """Return the account this token belongs to."""
        import hmac

        return next((u for u in self.users if hmac.compare_digest(u.token.reveal().encode(), token.encode())), None)

    def repository(self, repo_id: int) -> Repository | None:
        """Return the repository with this id."""
        return next((repo for repo in self.repositories if repo.id == repo_id), None)


def configured(repository: Repository, changes: dict[str, Any]) -> Repository:
    """Return it with other settings; lists from JSON become what a frozen record holds."""
    frozen: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in changes.items()}
    return replace(repository, **frozen)


def load(path: Path) -> Config:
    """Read the file. UsageError names the file and what is wrong with it.

    Shape: ``{"host", "users": [{"login", "token_file", "email"?, "admin"?}], "repositories":
    [{"full_name", "path", …Repository's fields…, "secrets": {name: file}}], "environment"?,
    "capacity"?, "version"?, "ping_every"?, "status_api"?, "status_token_file"?}``. Ids are given by position, from 1.
    """
    try:
        raw: dict[str, Any] = json.loads(path.read_text())
        users = tuple(read_user(number, entry) for number, entry in enumerate(raw.pop("users", ()), 1))
        repositories = tuple(
            read_repository(number, entry) for number, entry in enumerate(raw.pop("repositories", ()), 1)
        )
        token = raw.pop("status_token_file", "")
        status_token = read_secret(Path(token)) if token else None
        return Config(users=users, repositories=repositories, status_token=status_token, **raw)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"{path} does not configure a CI server: {error!r}",
            why="it must be the JSON object that homelab.lab.woodpecker.config.load describes",
            fix="homelab lab down && homelab lab up",
        ) from error


def read_user(number: int, entry: dict[str, Any]) -> User:
    """Read one entry of ``users``."""
    fields = {key: value for key, value in entry.items() if key != "token_file"}
    return User(id=number, token=read_secret(Path(entry["token_file"])), **fields)


def read_repository(number: int, entry: dict[str, Any]) -> Repository:
    """Read one entry of ``repositories``."""
    fields: dict[str, Any] = {"id": number, **entry, "path": Path(entry["path"])}
    for key in ("approval_allowed_users", "cancel_previous_pipeline_events", "former_names"):
        if key in fields:
            fields[key] = tuple(fields[key])
    fields["secrets"] = {name: read_secret(Path(file)) for name, file in entry.get("secrets", {}).items()}
    return Repository(**fields)


def read_secret(path: Path) -> Secret:
    """Read one secret, refusing a file that others than its owner may read."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ValueError(f"{path} may be read by others; chmod 600 it")
    return Secret(path.read_text().strip())
