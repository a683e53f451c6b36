"""Somebody at a shell in a lab: the fixture and the ways to type. Import ``user`` where it is wanted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class User:
    """Somebody whose shell sourced the lab's env file."""

    lab: Path
    env: dict[str, str]

    @property
    def clone(self) -> Path:
        return self.lab / "hello"

    def types(self, *words: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        """Run one homelab command to its end, without a terminal and with closed stdin."""
        return subprocess.run(
            [sys.executable, "-m", "homelab", *words],
            cwd=cwd or self.clone,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    def shell(self, line: str, cwd: Path | None = None) -> str:
        """Run one shell line that must work; return what it printed."""
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=cwd or self.clone,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def change(self, topic: str, path: str, before: str, after: str) -> Path:
        """Start a topic, edit one file of it, commit; return its worktree."""
        started = self.types("work", "start", topic)
        assert started.returncode == 0, started.stderr
        tree = self.clone / ".worktrees" / topic
        text = (tree / path).read_text()
        assert before in text
        (tree / path).write_text(text.replace(before, after))
        self.shell(f"git commit -qam {topic}", cwd=tree)
        return tree


def bare_env(home: Path) -> dict[str, str]:
    """An environment with nothing of whoever runs the tests but the way to programs and certificates."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SSL_CERT_FILE") if name in os.environ}
    return {**kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """A lab of the module's own, and its user; it must leave nothing."""
    home = tmp_path_factory.mktemp("home")
    lab = home / "lab"
    person = User(lab, bare_env(home))
    up = person.types("lab", "up", "--dir", str(lab), cwd=home)
    assert up.returncode == 0, up.stderr
    try:
        sourced = subprocess.run(
            ["sh", "-c", f". {lab}/env && env -0"], env=person.env, capture_output=True, text=True, check=True
        ).stdout
        person.env = dict(line.split("=", 1) for line in sourced.split("\0") if "=" in line)
        assert person.types("trust", "--yes").returncode == 0
        yield person
    finally:
        down = person.types("lab", "down", "--dir", str(lab), cwd=home)
        assert down.returncode == 0, down.stderr
        assert not lab.exists()
