"""Surroundings of one command, written out: no variable, file or terminal of the test run leaks in."""

from __future__ import annotations

import io
from pathlib import Path

from homelab.settings.load import load
from homelab.settings.model import Settings
from homelab.world import World
from tests.fakes import FakeClock


class Terminal(io.StringIO):
    """A stream that says it is a terminal, with what a person types."""

    def isatty(self) -> bool:
        return True


def world(folder: Path, *, user: str | None = None, typed: str | None = None, **env: str) -> World:
    """Surroundings whose home is ``folder``/h, with ``user`` as the user's file; ``typed`` None: no terminal."""
    home = folder / "h"
    (home / ".config" / "homelab").mkdir(parents=True, exist_ok=True)
    if user is not None:
        (home / ".config" / "homelab" / "config.toml").write_text(user)
    stdin, stderr = (None, io.StringIO()) if typed is None else (Terminal(typed), Terminal())
    return World(
        env={"HOME": str(home), **env},
        cwd=folder,
        stdin=stdin,
        stdout=io.StringIO(),
        stderr=stderr,
        clock=FakeClock(),
    )


def settings(folder: Path, user: str | None = None, repository: str | None = None, **env: str) -> Settings:
    """Load with these two files' texts and these variables."""
    root = folder / "repo"
    root.mkdir(exist_ok=True)
    if repository is not None:
        (root / ".homelab.toml").write_text(repository)
    return load(world(folder, user=user, **env), root)


def origins(loaded: Settings) -> dict[str, str]:
    return {value.key: value.origin for value in loaded.values}


def shown(loaded: Settings) -> dict[str, str]:
    return {value.key: value.value for value in loaded.values}
