"""The expected GitOps commit: what a clone knows about it, and what nobody here can know."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from homelab.deploy.connect import bringer, gitops_commit
from homelab.deploy.gitops.commit import in_clone, without_clone
from homelab.errors import UsageError
from tests.deploy.test_connect import app_in, commit, git


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "infra.git")
    git(tmp_path, "clone", "-q", "infra.git", "theirs")
    return tmp_path / "theirs"


def test_a_clone_knows_what_contains_the_commit_and_fetches_what_it_lacks(tmp_path: Path, theirs: Path) -> None:
    before, ours = commit(theirs), commit(theirs)
    git(tmp_path, "clone", "-q", "infra.git", "here")
    later = commit(theirs)
    app = app_in(tmp_path / "here")
    found = in_clone(ours[:10], app.repository, bringer(app))
    assert (found.oid, found.has_clone) == (ours, True)
    assert [found.in_(one) for one in (before, ours, later, "f" * 40)] == [False, True, True, None]


def test_a_commit_pushed_a_moment_ago_is_fetched(tmp_path: Path, theirs: Path) -> None:
    commit(theirs)
    git(tmp_path, "clone", "-q", "infra.git", "here")
    ours = commit(theirs)
    app = app_in(tmp_path / "here")
    assert in_clone(ours, app.repository, bringer(app)).in_(ours)


def test_without_a_clone_only_a_whole_commit_is_known_and_only_itself() -> None:
    found = without_clone("A" * 40)
    assert [found.in_("a" * 40), found.in_("b" * 40)] == [True, None]
    with pytest.raises(UsageError, match="only a full commit"):
        without_clone("main")


def test_a_name_that_is_no_commit_of_the_clone_is_refused(tmp_path: Path, theirs: Path) -> None:
    commit(theirs)
    app = app_in(theirs)
    with pytest.raises(UsageError):
        in_clone("no-such-branch", app.repository, bringer(app))


def surroundings(folder: Path, clone: Path | None) -> Any:
    """An app somewhere else than in the clone, with the user's setting for it."""
    return SimpleNamespace(world=SimpleNamespace(cwd=folder), settings=SimpleNamespace(gitops_clone=clone), at=app_in)


def test_the_clone_is_the_one_typed_else_the_users_setting(tmp_path: Path, theirs: Path) -> None:
    ours = commit(theirs)
    for typed, setting in (("theirs", None), (None, theirs), ("theirs", tmp_path / "nowhere")):
        found = gitops_commit(surroundings(tmp_path, setting), "HEAD", typed)
        assert found is not None
        assert (found.oid, found.has_clone) == (ours, True)


def test_a_clone_without_a_commit_is_refused_and_nothing_said_is_nothing_expected(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no --gitops-sha"):
        gitops_commit(surroundings(tmp_path, None), None, "theirs")
    assert gitops_commit(surroundings(tmp_path, tmp_path), None, None) is None
