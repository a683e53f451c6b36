"""A place to work in: a bare remote, a clone, people who land in between, and an app to hand to verbs."""

from __future__ import annotations

import io
import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path

from homelab.app import App
from homelab.errors import HomelabError
from homelab.events import Event
from homelab.git.runner import Git
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.tier import Tier
from homelab.work.follow import LandedCommit, Waits
from homelab.work.land import land
from homelab.work.model import LandRequest
from homelab.work.result import LandResult
from homelab.world import World
from tests.fakes import FakeClock


class Recorder:
    """A renderer that only remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def event(self, event: Event) -> None:
        self.events.append(event)

    def result(self, result: Result) -> None:
        raise AssertionError("cores return results")

    def error(self, error: HomelabError) -> None:
        raise AssertionError("cores raise errors")

    def close(self) -> None:
        pass

    @property
    def plain(self) -> list[str]:
        """The sentences a reader of plain output sees."""
        return [f"{event.subject}: {event.sentence()}" for event in self.events if not event.detail]


@dataclass
class Site:
    """A bare remote and one person's clone of it. ``main`` exists with one commit."""

    root: Path
    clock: FakeClock = field(default_factory=FakeClock)
    seen: Recorder = field(default_factory=Recorder)

    @classmethod
    def make(cls, root: Path, *, default: str = "main") -> Site:
        site = cls(root)
        root.mkdir(parents=True, exist_ok=True)
        git = Git(root, env=os.environ)
        git.text("init", "-q", "--bare", f"--initial-branch={default}", str(site.remote_path))
        git.text("init", "-q", f"--initial-branch={default}", str(site.clone))
        site.git.text("remote", "add", "origin", str(site.remote_path))
        (site.clone / "base.txt").write_text("one\ntwo\nthree\n")
        site.git.text("add", ".")
        site.git.text("commit", "-q", "-m", "Begin")
        site.git.text("push", "-q", "-u", "origin", default)
        return site

    @property
    def remote_path(self) -> Path:
        return self.root / "remote.git"

    @property
    def clone(self) -> Path:
        return self.root / "clone"

    @property
    def git(self) -> Git:
        return Git(self.clone, env=os.environ)

    @property
    def remote(self) -> Git:
        return Git(self.remote_path, env=os.environ)

    def app(self, cwd: Path | None = None, **env: str) -> App:
        world = World(
            env={**os.environ, **env},
            cwd=cwd or self.clone,
            stdin=None,
            stdout=io.StringIO(),
            stderr=io.StringIO(),
            clock=self.clock,
        )
        return App(world, tier=Tier.WRITE, renderer=self.seen)

    def commit(self, name: str, text: str = "hello\n", *, git: Git | None = None, message: str = "") -> str:
        git = git or self.git
        (git.root / name).parent.mkdir(parents=True, exist_ok=True)
        (git.root / name).write_text(text)
        git.text("add", "--", name)
        git.text("commit", "-q", "-m", message or f"Write {name}")
        return git.text("rev-parse", "HEAD")

    def topic(self, name: str = "topic") -> None:
        self.git.text("switch", "-q", "-c", name)

    def other(self) -> Git:
        """Someone else's clone."""
        path = self.root / "other"
        git = self.git.at(path)
        if not path.exists():
            self.git.text("clone", "-q", str(self.remote_path), str(path))
        return git

    def someone_lands(self, name: str, text: str = "theirs\n", *, target: str = "main") -> str:
        git = self.other()
        git.text("fetch", "-q", "origin")
        git.text("switch", "-q", "--detach", f"origin/{target}")
        oid = self.commit(name, text, git=git, message=f"Someone writes {name}")
        git.text("push", "-q", "origin", f"HEAD:refs/heads/{target}")
        return oid

    def tip(self, branch: str = "main") -> str:
        return self.remote.text("rev-parse", "--verify", f"refs/heads/{branch}")

    def hook(self, name: str, body: str, *, git_dir: Path | None = None) -> Path:
        path = (git_dir or self.remote_path) / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def land(self, cwd: Path | None = None, *, waits: Waits | None = None, env=None, **words) -> LandResult:
        words.setdefault("verify", "true")
        request = replace(LandRequest(ci=waits is not None, deploy=waits is not None), **words)
        return land(self.app(cwd, **(env or {})), request, waits or QUIET)


def answer(outcome: Outcome, headline: str = "said", asked: list[LandedCommit] | None = None):
    """A wait that answers at once and remembers what it was asked about."""

    def wait(commit: LandedCommit) -> Result:
        if asked is not None:
            asked.append(commit)
        return Result(outcome, headline)

    return wait


def _never(commit: LandedCommit) -> Result:
    raise AssertionError(f"nobody asked to wait for {commit}")


QUIET = Waits(ci=_never, deploy=_never)
