from __future__ import annotations

import subprocess

import pytest

from homelab.errors import NothingThere, PersonNeeded, Unreachable
from homelab.git.runner import Git
from homelab.work.clean import clean
from homelab.work.precious import is_precious
from homelab.work.start import start
from tests.work.site import Site


@pytest.fixture
def fix(site: Site) -> Git:
    """The worktree of ``fix``, with one commit."""
    git = site.git.at(start(site.app(), "fix").path)
    site.commit("fix.txt", git=git)
    return git


def _branches(site: Site) -> list[str]:
    return site.git.lines("for-each-ref", "--format=%(refname:short)", "refs/heads")


@pytest.mark.parametrize("strategy", ["merge", "rebase", "squash", "ff-only"])
def test_what_landed_is_cleaned_whatever_the_strategy(site: Site, fix: Git, strategy: str):
    if strategy != "ff-only":
        site.someone_lands("theirs.txt")
    site.land(fix.root, strategy=strategy)
    cleaned = clean(site.app(), "fix")
    assert not fix.root.exists()
    assert "fix" not in _branches(site)
    assert len(cleaned.lines()) == 2


def test_a_branch_squashed_by_someone_else_is_cleaned_by_its_content(site: Site, fix: Git):
    site.someone_lands("fix.txt", "hello\n")
    assert "its content is in the target" in clean(site.app(), "fix").lines()[1]


def test_work_that_is_not_in_the_target_is_kept(site: Site, fix: Git):
    with pytest.raises(PersonNeeded, match="holds 1 commits"):
        clean(site.app(), "fix")
    assert fix.root.exists()
    assert "fix" in _branches(site)


def test_discarded_work_can_be_brought_back(site: Site, fix: Git):
    tip = fix.text("rev-parse", "HEAD")
    cleaned = clean(site.app(), "fix", discard=True)
    assert "fix" not in _branches(site)
    assert site.git.text("rev-parse", cleaned.backup) == tip


def test_without_the_remote_nothing_is_proven(site: Site, fix: Git):
    site.land(fix.root)
    site.remote_path.rename(site.root / "gone.git")
    site.git.text("config", "homelab.target", "main")
    with pytest.raises(Exception, match="could not be fetched") as caught:
        clean(site.app(), "fix")
    assert not isinstance(caught.value, PersonNeeded)
    assert isinstance(caught.value, Unreachable) or caught.value.outcome == 4
    assert fix.root.exists()


@pytest.mark.parametrize("name", ["infra.tfstate", ".env", "deploy.key", "prod.tfvars"])
def test_an_ignored_file_that_is_nowhere_else_survives(site: Site, fix: Git, name: str):
    site.commit(".gitignore", "*.tfstate\n.env\n*.key\n*.tfvars\n", git=fix)
    site.land(fix.root)
    (fix.root / name).write_text("the only copy")
    with pytest.raises(PersonNeeded) as caught:
        clean(site.app(), "fix")
    assert caught.value.details == (name,)
    assert (fix.root / name).read_text() == "the only copy"
    clean(site.app(), "fix", drop_ignored=True)
    assert not fix.root.exists()


def test_what_a_tool_refills_is_not_precious():
    assert not is_precious("node_modules/tls/test.pem")
    assert not is_precious("build/out.o")
    assert is_precious("config/.env.local")


@pytest.mark.parametrize("name", ["fix.txt", "untracked.txt"])
def test_uncommitted_work_is_kept_even_when_discarding(site: Site, fix: Git, name: str):
    (fix.root / name).write_text("not in any commit\n")
    with pytest.raises(PersonNeeded):
        clean(site.app(), "fix", discard=True)
    assert (fix.root / name).read_text() == "not in any commit\n"


def test_nobody_saws_off_the_branch_they_sit_on(site: Site, fix: Git):
    site.land(fix.root)
    with pytest.raises(PersonNeeded, match="cannot be removed"):
        clean(site.app(fix.root), "fix")


def test_a_worktree_somebody_works_in_stays(site: Site, fix: Git):
    site.land(fix.root)
    with subprocess.Popen(["sleep", "30"], cwd=fix.root) as inside:
        try:
            with pytest.raises(PersonNeeded) as caught:
                clean(site.app(), "fix")
        finally:
            inside.kill()
    assert f"sleep ({inside.pid})" in caught.value.why


def test_a_locked_worktree_stays(site: Site, fix: Git):
    site.land(fix.root)
    site.git.text("worktree", "lock", "--reason", "on a stick", str(fix.root))
    with pytest.raises(PersonNeeded) as caught:
        clean(site.app(), "fix")
    assert "on a stick" in caught.value.why


def test_the_main_worktree_is_never_removed(site: Site):
    with pytest.raises(PersonNeeded, match="checked out in"):
        clean(site.app(), "topic")


def test_a_folder_that_became_another_repository_stays(site: Site, fix: Git):
    site.land(fix.root)
    (fix.root / ".git").unlink()
    site.git.text("init", "-q", str(fix.root))
    with pytest.raises(PersonNeeded):
        clean(site.app(), "fix", discard=True)
    assert (fix.root / "fix.txt").exists()


def test_a_topic_without_a_commit_is_clean_only_if_its_files_are(site: Site):
    path = start(site.app(), "empty").path
    (path / "note.txt").write_text("idea\n")
    with pytest.raises(PersonNeeded):
        clean(site.app(), "empty")
    (path / "note.txt").unlink()
    clean(site.app(), "empty")
    assert not path.exists()


def test_cleaning_what_is_not_there_says_what_is(site: Site, fix: Git):
    with pytest.raises(NothingThere) as caught:
        clean(site.app(), "nope")
    assert "fix" in caught.value.why


def test_submodules_that_git_refuses_to_look_at_are_left_to_a_person(site: Site, fix: Git):
    (fix.root / "x").mkdir()
    (fix.root / ".gitmodules").write_text('[submodule "x"]\npath = x\nurl = ./x\nupdate = !touch ran\n')
    fix.text("add", ".gitmodules")
    fix.text("update-index", "--add", "--cacheinfo", f"160000,{fix.text('rev-parse', 'HEAD')},x")
    fix.text("commit", "-qm", "a submodule with a command")
    with pytest.raises(PersonNeeded, match="cannot be removed") as caught:
        clean(site.app(), "fix", discard=True)
    assert "invalid value for 'submodule.x.update'" in caught.value.why
    assert not (fix.root / "ran").exists()
