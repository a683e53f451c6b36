from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from homelab.lab.woodpecker import commit


class Repository:
    """A work tree whose ``.git`` stands in for the bare repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "--initial-branch=main")

    @property
    def path(self) -> Path:
        return self.folder / ".git"

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", self.folder, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message: str, **files: str) -> str:
        for name, text in files.items():
            path = self.folder / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "work")


def test_a_commit_tells_its_message_author_and_files(repository: Repository) -> None:
    first = repository.commit("One\n\nBody", a="1", b="1")
    facts = commit.read(repository.path, first)
    assert (facts.oid, facts.message, facts.author) == (first, "One\n\nBody", "Test Person")
    assert facts.changed_files == ("a", "b")


def test_files_are_those_since_the_old_end_of_the_branch(repository: Repository) -> None:
    first = repository.commit("One", a="1")
    repository.commit("Two", b="1")
    third = repository.commit("Three", c="1")
    assert commit.read(repository.path, third, before=first).changed_files == ("b", "c")
    assert commit.read(repository.path, third).changed_files == ("c",)
    assert commit.read(repository.path, third, before="d" * 40).changed_files == ("c",)
    assert commit.read(repository.path, third, before=commit.ZERO).changed_files == ("c",)


def test_an_annotated_tag_is_its_commit(repository: Repository) -> None:
    oid = repository.commit("One", a="1")
    repository.git("tag", "-a", "-m", "v1", "v1")
    assert commit.read(repository.path, "v1").oid == oid


def test_what_is_not_there_raises(repository: Repository) -> None:
    repository.commit("One", a="1")
    with pytest.raises(subprocess.CalledProcessError):
        commit.read(repository.path, "e" * 40)
    with pytest.raises(subprocess.CalledProcessError):
        commit.head(repository.path, "gone")


def test_the_folder_goes_before_the_file_and_yaml_before_yml(repository: Repository) -> None:
    def names(config_file: str = "") -> list[str]:
        return [file.name for file in commit.configs(repository.path, "HEAD", config_file)]

    repository.commit("None", a="1")
    assert names() == []
    repository.commit("Yml", **{".woodpecker.yml": "1"})
    assert names() == [".woodpecker.yml"]
    repository.commit("Yaml", **{".woodpecker.yaml": "1"})
    assert names() == [".woodpecker.yaml"]
    repository.commit("Folder", **{".woodpecker__b.yml": "1", ".woodpecker__a.yaml": "1", ".woodpecker__notes": "1"})
    assert names() == [".woodpecker/a.yaml", ".woodpecker/b.yml"]
    repository.commit("Own", own="1")
    assert names("own") == ["own"]


def test_branches_and_their_heads(repository: Repository) -> None:
    oid = repository.commit("One", a="1")
    repository.git("branch", "topic/x")
    assert commit.branches(repository.path) == ["main", "topic/x"]
    assert commit.head(repository.path, "topic/x") == oid
