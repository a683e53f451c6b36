"""A renderer that remembers, and an app in a real repository around it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from homelab.app import App
from homelab.errors import HomelabError
from homelab.events import Event
from homelab.git.runner import Git
from homelab.result import Result
from homelab.tier import Tier
from tests.settings.fakes import world


class Recorder:
    """A renderer that keeps what it was given."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.yielded = 0

    def event(self, event: Event) -> None:
        self.events.append(event)

    def result(self, result: Result) -> None:
        raise AssertionError(result)

    def error(self, error: HomelabError) -> None:
        raise AssertionError(error)

    def close(self) -> None:
        self.yielded += 1


def repository(
    folder: Path, file: str | None = None, *, remote: str | None = "git@git.example.org:team/app.git"
) -> Path:
    """A real repository with this ``.homelab.toml`` and this remote."""
    root = folder / "clone"
    root.mkdir(exist_ok=True)
    git = Git(root, env=os.environ)
    git.text("init", "--quiet", "--initial-branch=main", ".")
    if remote is not None and "origin" not in git.text("remote"):
        git.text("remote", "add", "origin", remote)
    if file is not None:
        (root / ".homelab.toml").write_text(file)
    return root


def app(folder: Path, root: Path, recorder: Recorder | None = None, *, typed: str | None = None) -> App:
    """An app in ``root`` whose person types ``typed``; None: nobody is there."""
    here = world(folder, typed=typed, PATH=os.environ["PATH"])
    return App(replace(here, cwd=root), tier=Tier.WRITE, renderer=recorder or Recorder())
