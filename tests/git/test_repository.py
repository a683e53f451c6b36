from __future__ import annotations

import os
from pathlib import Path

import pytest

from homelab.errors import UsageError
from homelab.git.remote_choice import choose
from homelab.git.repository import open_repository
from homelab.git.runner import Git


def _open(git: Git, **env: str):
    return open_repository(git.root, {**os.environ, **env})


def test_a_linked_worktree_shares_the_common_folder(git, tmp_path):
    git.text("worktree", "add", "-q", "-b", "topic", str(tmp_path / "linked"))
    linked = open_repository(tmp_path / "linked", os.environ)
    assert linked.root == tmp_path / "linked"
    assert linked.common_dir == git.root / ".git"
    assert linked.git_dir == git.root / ".git/worktrees/linked"
    assert linked.branch() == "topic"


def test_a_hooks_git_dir_does_not_redirect_the_questions(git, tmp_path, monkeypatch):
    other = tmp_path / "other"
    git.text("init", "-q", "-b", "elsewhere", str(other))
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no-index"))
    repository = open_repository(git.root, os.environ)
    assert repository.git_dir == git.root / ".git"
    assert repository.branch() == "main"


def test_a_folder_without_a_repository_is_refused_in_gits_words(tmp_path):
    with pytest.raises(UsageError) as caught:
        open_repository(tmp_path, os.environ)
    assert "not a git repository" in caught.value.why
    assert caught.value.details == (), "git's sentence is said once"


def test_dubious_ownership_is_told_in_gits_words_and_never_trusted_for_the_user(git):
    with pytest.raises(UsageError) as caught:
        _open(git, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert "dubious ownership" in caught.value.why
    assert any("safe.directory" in line for line in caught.value.details)


def test_an_unknown_extension_is_told_in_gits_words(git):
    git.text("config", "core.repositoryFormatVersion", "1")
    git.text("config", "extensions.madeUp", "true")
    with pytest.raises(UsageError) as caught:
        _open(git)
    assert "madeup" in caught.value.why
    assert "git --version" in caught.value.fix


def test_a_bare_repository_has_no_worktree(tmp_path, git):
    git.text("init", "-q", "--bare", str(tmp_path / "bare.git"))
    repository = open_repository(tmp_path / "bare.git", os.environ)
    assert not repository.has_worktree
    assert repository.root == repository.common_dir == tmp_path / "bare.git"


def test_a_sha256_repository_answers_with_long_names(tmp_path, git):
    git.text("init", "-q", "--object-format=sha256", "-b", "main", str(tmp_path / "long"))
    long = git.at(tmp_path / "long")
    long.text("commit", "-q", "--allow-empty", "-m", "first")
    repository = open_repository(long.root, os.environ)
    assert len(repository.resolve("HEAD")) == 64
    assert repository.commit("HEAD").subject == "first"


def test_the_urls_are_those_git_would_dial(git):
    git.text("remote", "add", "origin", "short:o/n.git")
    git.text("config", "url.https://host.example/.insteadOf", "short:")
    git.text("config", "url.ssh://git@push.example/.pushInsteadOf", "short:")
    (remote,) = _open(git).remotes()
    assert remote.fetch.shown == "https://host.example/o/n.git"
    assert remote.push.shown == "ssh://push.example/o/n.git"


def test_a_remote_that_runs_a_helper_does_not_spoil_the_others(git):
    git.text("remote", "add", "odd", "ext::sh -c true")
    git.text("remote", "add", "origin", "https://host.example/o/n")
    repository = _open(git)
    assert [remote.name for remote in repository.remotes()] == ["origin"]
    assert repository.remote().name == "origin"
    with pytest.raises(UsageError, match="cannot be used"):
        repository.remote("odd")


def test_a_revision_is_resolved_and_an_option_is_not_one(git):
    repository = _open(git)
    head = repository.resolve("HEAD")
    assert repository.resolve(head[:10]) == head
    for rev in ("nowhere", "--all", "", "HEAD^{tree}"):
        with pytest.raises(UsageError):
            repository.resolve(rev)


def test_a_commit_is_read_whole(git):
    git.text("commit", "-q", "--allow-empty", "-m", "Subject line\n\nBody one\nBody two")
    commit = _open(git).commit("HEAD")
    assert commit.subject == "Subject line"
    assert commit.body == "Body one\nBody two"
    assert commit.author == "Test Person"
    assert commit.committed > 1_700_000_000


def test_containment_is_unknown_for_a_commit_that_is_not_here(git):
    git.text("commit", "-q", "--allow-empty", "-m", "second")
    repository = _open(git)
    first, second = repository.resolve("HEAD~1"), repository.resolve("HEAD")
    assert repository.contains(second, first) is True
    assert repository.contains(first, second) is False
    assert repository.contains(first, "1" * 40) is None


def test_a_shallow_clone_does_not_deny_what_it_cannot_see(git, tmp_path):
    git.text("commit", "-q", "--allow-empty", "-m", "second")
    git.text("branch", "side", "HEAD~1")
    git.text("clone", "-q", "--depth=1", "--no-single-branch", f"file://{git.root}", str(tmp_path / "shallow"))
    repository = open_repository(tmp_path / "shallow", os.environ)
    side = repository.resolve("refs/remotes/origin/side")
    assert repository.contains(repository.resolve("HEAD"), side) is None


def test_files_are_read_from_the_commit_not_the_folder(git):
    (git.root / "a.txt").write_text("committed\n")
    git.text("add", "a.txt")
    git.text("commit", "-q", "-m", "a")
    (git.root / "a.txt").write_text("edited\n")
    repository = _open(git)
    assert repository.text("HEAD", "a.txt") == "committed\n"
    assert repository.text("HEAD", "b.txt") is None
    assert repository.has_path("HEAD", "a.txt")
    assert not repository.has_path("HEAD", "b.txt")


def test_a_dangling_default_branch_is_none(git):
    git.text("update-ref", "refs/remotes/origin/trunk", "HEAD")
    git.text("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    assert _open(git).target("origin") == "trunk"
    git.text("update-ref", "-d", "refs/remotes/origin/trunk")
    assert _open(git).target("origin") is None


def test_configuration_is_read_from_the_worktrees_own_file_too(git):
    git.text("config", "extensions.worktreeConfig", "true")
    git.text("config", "--worktree", "homelab.verify", "make check")
    assert _open(git).config("homelab.verify") == "make check"
    assert _open(git).config("homelab.absent") is None


CHOICES = [
    (("origin", "fork"), {}, "fork", "fork"),
    (("origin", "fork"), {"homelab.remote": "fork"}, None, "fork"),
    (("origin", "fork"), {"branch.t.pushRemote": "fork", "branch.t.remote": "origin"}, None, "fork"),
    (("origin", "fork"), {"remote.pushDefault": "fork", "branch.t.remote": "origin"}, None, "fork"),
    (("origin", "up"), {"branch.t.remote": "up"}, None, "up"),
    (("origin", "forgejo"), {"branch.t.remote": "."}, None, "forgejo"),
    (("origin", "backup"), {}, None, "origin"),
    (("backup",), {}, None, "backup"),
]


@pytest.mark.parametrize(("names", "config", "wanted", "expected"), CHOICES)
def test_the_remote_is_chosen_in_order(names, config, wanted, expected):
    assert choose(names, wanted=wanted, branch="t", config=config.get) == expected


@pytest.mark.parametrize(
    ("names", "config", "wanted"),
    [
        (("a", "b"), {}, None),
        (("origin",), {}, "nope"),
        (("origin",), {"homelab.remote": "nope"}, None),
        ((), {}, None),
    ],
)
def test_no_remote_is_guessed_and_the_error_lists_them(names, config, wanted):
    with pytest.raises(UsageError) as caught:
        choose(names, wanted=wanted, branch=None, config=config.get)
    assert all(name in caught.value.why for name in names)


def test_the_working_folder_is_not_read_from_the_process(git, tmp_path):
    (git.root / "deep/er").mkdir(parents=True)
    assert open_repository(git.root / "deep/er", os.environ).root == Path(git.root)


def _bare_inside(git: Git, *config: str) -> Path:
    """Return a folder of the work tree that git takes for a repository; ``config`` is its own."""
    inside = git.root / "lib"
    git.text("clone", "-q", "--bare", str(git.root), str(inside))
    for setting in config:
        git.at(inside).text("config", *setting.split("="))
    for empty in ("refs", "objects"):
        (inside / empty / "keep").touch()
    return inside


@pytest.mark.parametrize("config", [[], ["core.bare=false", "core.worktree=.."]], ids=["bare", "with a work tree"])
def test_a_repository_that_came_with_a_clone_is_not_used(git, config: list[str]):
    inside = _bare_inside(git, *config)
    git.text("add", "--force", "lib")
    git.text("commit", "-qm", "a library, as it says")
    with pytest.raises(UsageError) as caught:
        open_repository(inside / "refs", os.environ)
    assert str(inside) in caught.value.what
    assert caught.value.fix == f"cd {git.root}"


def test_a_bare_repository_that_nobody_tracks_may_stand_in_a_work_tree(git):
    inside = _bare_inside(git)
    assert open_repository(inside, os.environ).git_dir == inside


def test_the_names_in_a_folder_are_those_of_the_commit(git):
    (git.root / "ci" / "deep").mkdir(parents=True)
    (git.root / "ci" / "a b.yaml").write_text("a")
    (git.root / "ci" / "deep" / "c.yaml").write_text("c")
    git.text("add", "-A")
    git.text("commit", "-qm", "files")
    repository = _open(git)
    head = repository.resolve("HEAD")

    assert list(repository.entries(head, "ci")) == ["a b.yaml", "deep"]
    assert list(repository.entries(head, "ci/a b.yaml")) == []
    assert list(repository.entries(head, "absent")) == []


def test_what_a_commit_changed_is_told_from_its_first_parent_or_from_a_given_begin(git):
    oids = []
    for name in ("one", "two", "three"):
        (git.root / name).write_text(name)
        git.text("add", "-A")
        git.text("commit", "-qm", name)
        oids.append(git.text("rev-parse", "HEAD"))
    repository = _open(git)

    assert list(repository.changed(oids[2])) == ["three"]
    assert sorted(repository.changed(oids[2], since=oids[0])) == ["three", "two"]
    assert repository.changed(oids[2], since="0" * 40) is None
    first = git.text("rev-list", "--max-parents=0", "HEAD")
    assert repository.changed(first) is not None
