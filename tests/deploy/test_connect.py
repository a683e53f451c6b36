"""From an app to a request: what is fetched to know a live commit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from homelab.deploy.ancestry import newer_than
from homelab.deploy.connect import MOST_FETCHES, bringer
from homelab.git.repository import open_repository
from homelab.git.runner import Git

ENV = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "t@example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *argv: str) -> str:
    env = {**ENV, "HOME": str(folder.parent)}
    return subprocess.run(
        ["git", *argv], cwd=folder, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(clone: Path) -> str:
    git(clone, "commit", "-q", "--allow-empty", "-m", "Change")
    git(clone, "push", "-q", "origin", "HEAD:main")
    return git(clone, "rev-parse", "HEAD")


def app_in(folder: Path) -> Any:
    env = {**ENV, "HOME": str(folder.parent)}
    return SimpleNamespace(repository=open_repository(folder, env), git=Git(folder, env=env))


def test_a_live_commit_that_another_clone_landed_is_fetched_and_no_ref_is_touched(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote.git")
    git(tmp_path, "clone", "-q", "remote.git", "theirs")
    ours = commit(tmp_path / "theirs")
    git(tmp_path, "clone", "-q", "remote.git", "here")
    live = commit(tmp_path / "theirs")
    here = tmp_path / "here"
    app = app_in(here)
    refs = git(here, "for-each-ref")
    assert not newer_than(ours, lambda: app.repository)(f"reg.example/t/app:{live[:12]}")
    assert newer_than(ours, lambda: app.repository, bringer(app))(f"reg.example/t/app:{live[:12]}")
    assert git(here, "for-each-ref") == refs


def test_images_that_name_no_commit_of_ours_do_not_fetch_for_ever(tmp_path: Path) -> None:
    asked: list[str] = []
    remote = SimpleNamespace(name="origin")
    repository = SimpleNamespace(remote=lambda: remote, target=lambda _name: "main")
    runner = SimpleNamespace(run=lambda *argv, timeout: asked.append(argv[-1]))
    bring = bringer(SimpleNamespace(repository=repository, git=runner))  # type: ignore[arg-type]
    for _ in range(MOST_FETCHES + 3):
        bring()
    assert asked == ["refs/heads/main"] * MOST_FETCHES
