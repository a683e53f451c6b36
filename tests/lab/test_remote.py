"""The lab's git server with real git: what its ssh stand-in serves, and what it does not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from homelab.errors import Unreachable
from homelab.lab.layout import Layout
from homelab.lab.remote import git, has_commits, make_remote, write_tools


@pytest.fixture
def lab(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "it's a lab")
    write_tools(made)
    return made


def test_a_new_lab_has_a_clone_of_a_remote_with_one_commit(lab: Layout) -> None:
    assert not has_commits(lab, os.environ)
    make_remote(lab, os.environ)
    assert has_commits(lab, os.environ)
    assert git(lab.bare, "log", "--format=%an: %s", "main", env=os.environ) == "Lab Person: Say hello"
    assert git(lab.clone, "status", "--porcelain", "--branch", env=os.environ) == "## main...origin/main"
    assert (lab.clone / ".homelab.toml").is_file()


def test_what_an_unfinished_up_left_is_made_anew(lab: Layout) -> None:
    lab.bare.mkdir(parents=True)
    lab.clone.mkdir()
    (lab.clone / "left").touch()
    make_remote(lab, os.environ)
    assert has_commits(lab, os.environ)
    assert not (lab.clone / "left").exists()


def test_the_repository_of_a_hook_that_runs_the_lab_is_left_alone(lab: Layout, tmp_path: Path) -> None:
    elsewhere = {**os.environ, "GIT_DIR": str(tmp_path / "elsewhere"), "GIT_INDEX_FILE": str(tmp_path / "index")}
    make_remote(lab, elsewhere)
    assert has_commits(lab, elsewhere)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    "asked",
    [
        "git-upload-pack '/demo/../../secrets'",
        "git-upload-archive '/demo/hello.git'",
        "sh -c id",
        "git-upload-pack 'demo/hello.git'",
    ],
)
def test_the_ssh_stand_in_serves_the_two_services_below_its_folder_alone(lab: Layout, asked: str) -> None:
    done = subprocess.run([lab.tools / "ssh", "host", asked], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (128, "")
    assert done.stderr.startswith("lab: ")


def test_a_git_that_fails_in_the_lab_is_told_in_its_own_words(lab: Layout) -> None:
    lab.root.mkdir(exist_ok=True)
    with pytest.raises(Unreachable, match="git log failed in the lab") as caught:
        git(lab.root, "log", env=os.environ)
    assert "not a git repository" in caught.value.why
