"""Repositories that are not plain: encrypted files, submodules, sparse, sha256, odd places."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from homelab.errors import GitFailed
from homelab.git.runner import Git
from homelab.outcome import Outcome
from homelab.work.clean import clean
from homelab.work.model import LandRequest
from homelab.work.revert import revert
from homelab.work.start import start
from tests.work.site import QUIET, Site

#: Stands in for git-crypt: encrypts by a key in the git folder of the worktree, fails without it.
CRYPT = """\
import pathlib, subprocess, sys
folder = pathlib.Path(subprocess.check_output(["git", "rev-parse", "--absolute-git-dir"], text=True).strip())
key = folder / "git-crypt" / "keys" / "default"
if not key.exists():
    sys.exit("git-crypt: no key")
data = sys.stdin.buffer.read()
flip = bytes(byte ^ 0x5A for byte in data)
if sys.argv[1] == "clean":
    sys.stdout.buffer.write(data if data.startswith(b"\\0CRYPT") else b"\\0CRYPT" + flip)
else:
    sys.stdout.buffer.write(bytes(byte ^ 0x5A for byte in data[6:]) if data.startswith(b"\\0CRYPT") else data)
"""
PLAIN = "password = correct horse\n"


@pytest.fixture
def crypted(tmp_path: Path) -> Site:
    """A clone, unlocked, whose ``*.sec`` files are stored encrypted."""
    site = Site.make(tmp_path / "site")
    tool = site.root / "crypt.py"
    tool.write_text(CRYPT)
    for way in ("clean", "smudge"):
        site.git.text("config", f"filter.git-crypt.{way}", f"{sys.executable} {tool} {way}")
    site.git.text("config", "filter.git-crypt.required", "true")
    key = site.clone / ".git/git-crypt/keys/default"
    key.parent.mkdir(parents=True)
    key.write_text("key")
    (site.clone / ".gitattributes").write_text("*.sec filter=git-crypt diff=git-crypt\n")
    site.commit("a.sec", PLAIN)
    site.git.text("add", ".gitattributes")
    site.git.text("commit", "-q", "-m", "attributes")
    site.git.text("push", "-q", "origin", "main")
    return site


def _nothing_leaked(site: Site) -> None:
    """No plaintext in any object of the remote, no ciphertext in any worktree."""
    for oid in site.remote.lines("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"):
        name, kind = oid.split()
        if kind == "blob":
            assert b"correct horse" not in site.remote.read("cat-file", "blob", name).stdout
    for path in site.clone.rglob("*.sec"):
        assert not path.read_bytes().startswith(b"\0CRYPT"), path


WAYS = [("merge", False), ("squash", False), ("rebase", False), ("merge", True), ("squash", True)]


@pytest.mark.parametrize(("strategy", "scratch"), WAYS)
def test_encrypted_files_land_without_a_leak_either_way(crypted: Site, strategy: str, scratch: bool):
    tree = crypted.git.at(start(crypted.app(), "fix").path)
    assert (tree.root / "a.sec").read_text() == PLAIN
    crypted.commit("b.sec", PLAIN + "b\n", git=tree)
    crypted.someone_lands("theirs.txt")
    result = crypted.land(tree.root, strategy=strategy, scratch=scratch, verify="grep -q horse a.sec b.sec")
    assert result.outcome is Outcome.DONE, result.lines()
    assert tree.text("status", "--porcelain") == ""
    _nothing_leaked(crypted)
    assert crypted.remote.run("cat-file", "-e", "main:b.sec").code == 0


def test_a_locked_clone_starts_with_the_stored_bytes_and_cannot_store_them_again(crypted: Site):
    (crypted.clone / ".git/git-crypt/keys/default").unlink()
    path = start(crypted.app(), "fix").path
    assert (path / "a.sec").read_bytes().startswith(b"\0CRYPT")
    git = crypted.git.at(path)
    assert git.text("status", "--porcelain") == ""
    (path / "c.sec").write_text(PLAIN)
    assert git.run("add", "c.sec").code != 0


def test_a_submodule_that_nobody_could_fetch_is_not_landed(site: Site):
    module = Site.make(site.root / "module")
    allow = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always"}
    git = Git(site.clone, env={**os.environ, **allow})
    git.text("submodule", "--quiet", "add", str(module.remote_path), "module")
    git.text("commit", "-q", "-m", "Add module")
    assert site.land(env=allow).outcome is Outcome.DONE
    site.commit("inside.txt", git=site.git.at(site.clone / "module"))
    site.git.text("add", "module")
    site.git.text("commit", "-q", "-m", "Move module")
    result = site.land(env=allow)
    assert result.landed is False
    assert any("module" in line for line in result.lines())


@pytest.mark.parametrize("scratch", [False, True])
def test_a_submodule_that_the_target_moved_is_verified_where_the_target_has_it(site: Site, *, scratch: bool):
    module = Site.make(site.root / "module")
    allow = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always"}
    mine = Git(site.clone, env={**os.environ, **allow})
    mine.text("submodule", "--quiet", "add", str(module.remote_path), "module")
    mine.text("commit", "-q", "-m", "Add module")
    assert site.land(env=allow).outcome is Outcome.DONE
    module.commit("new.txt")
    module.git.text("push", "-q", "origin", "main")
    other = Git(site.other().root, env={**os.environ, **allow})
    other.text("pull", "-q", "--ff-only", "origin", "main")
    other.text("submodule", "--quiet", "update", "--init", "--remote")
    other.text("commit", "-q", "-am", "Move module")
    other.text("push", "-q", "origin", "HEAD:refs/heads/main")
    site.commit("more.txt")
    result = site.land(env=allow, verify="test -f module/new.txt", scratch=scratch)
    assert result.outcome is Outcome.DONE, result.lines()


def test_a_submodule_says_whose_it_is(site: Site):
    module = Site.make(site.root / "module")
    allow = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always"}
    Git(site.clone, env={**os.environ, **allow}).text("submodule", "--quiet", "add", str(module.remote_path), "module")
    inside = site.git.at(site.clone / "module")
    inside.text("switch", "-q", "-c", "topic")
    site.commit("inside.txt", git=inside)
    assert site.land(inside.root).outcome is Outcome.DONE
    assert any(f"this is a submodule of {site.clone}" in line for line in site.seen.plain)


def test_work_inside_a_submodule_keeps_its_worktree(site: Site):
    module = Site.make(site.root / "module")
    allow = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always"}
    tree = Git(start(site.app(), "fix").path, env={**os.environ, **allow})
    tree.text("submodule", "--quiet", "add", str(module.remote_path), "module")
    tree.text("commit", "-q", "-m", "Add module")
    assert site.land(tree.root, env=allow).outcome is Outcome.DONE
    inside = site.commit("inside.txt", git=site.git.at(tree.root / "module"))
    site.git.at(tree.root / "module").text("checkout", "-q", "--detach", "HEAD~1")
    with pytest.raises(Exception, match="cannot be removed"):
        clean(site.app(), "fix")
    site.git.at(tree.root / "module").text("push", "-q", "origin", f"{inside}:refs/heads/kept")
    site.git.at(tree.root / "module").text("fetch", "-q")
    clean(site.app(), "fix")
    assert not tree.root.exists()


def test_a_sparse_checkout_is_warned_of(site: Site):
    site.git.text("sparse-checkout", "set", "--no-cone", "/*.txt")
    assert site.land().outcome is Outcome.DONE
    assert any("this checkout is sparse" in line for line in site.seen.plain)


def test_a_sha256_repository_lands(tmp_path: Path):
    git = Git(tmp_path, env=os.environ)
    remote, clone = tmp_path / "remote.git", tmp_path / "clone"
    git.text("init", "-q", "--bare", "--object-format=sha256", "--initial-branch=main", str(remote))
    git.text("init", "-q", "--object-format=sha256", "--initial-branch=main", str(clone))
    site = Site(tmp_path)
    site.git.text("remote", "add", "origin", str(remote))
    site.commit("base.txt")
    site.git.text("push", "-q", "origin", "main")
    site.topic()
    site.commit("feature.txt")
    site.someone_lands("theirs.txt")
    result = site.land()
    assert result.outcome is Outcome.DONE, result.lines()
    assert (len(result.landed_oid), result.landed_oid) == (64, site.tip())


def test_a_path_with_spaces_and_umlauts_lands(tmp_path: Path):
    site = Site.make(tmp_path / "mein schönes haus")
    site.topic("ü/ber")
    site.commit("straße (1).txt")
    site.someone_lands("ihre datei.txt")
    assert site.land().outcome is Outcome.DONE
    path = start(site.app(), "ö").path
    assert site.git.at(path).text("status", "--porcelain") == ""


def test_a_url_that_git_rewrites_is_landed_on_where_git_would_push(site: Site):
    site.git.text("config", f"url.{site.root}/.insteadOf", "home:")
    site.git.text("remote", "set-url", "origin", "home:remote.git")
    assert site.land().outcome is Outcome.DONE


def test_a_local_branch_named_like_the_tracking_branch_does_not_confuse(site: Site):
    site.git.text("branch", "origin/main", "main")
    site.someone_lands("theirs.txt")
    assert site.land().outcome is Outcome.DONE
    assert site.remote.run("cat-file", "-e", "main:theirs.txt").code == 0


def test_configuration_of_the_person_does_not_change_what_a_land_does(site: Site):
    for key, value in (
        ("merge.ff", "only"),
        ("merge.autoStash", "true"),
        ("rebase.autoStash", "true"),
        ("push.followTags", "true"),
        ("push.default", "matching"),
        ("status.showUntrackedFiles", "no"),
        ("status.short", "true"),
        ("color.ui", "always"),
        ("log.showSignature", "true"),
        ("fetch.prune", "true"),
        ("core.quotePath", "true"),
        ("diff.noprefix", "true"),
    ):
        site.git.text("config", key, value)
    site.git.text("tag", "-a", "-m", "x", "v1")
    (site.clone / "stray.txt").write_text("x")
    assert site.land().outcome is Outcome.PRECONDITION
    (site.clone / "stray.txt").unlink()
    site.someone_lands("theirs.txt")
    assert site.land().outcome is Outcome.DONE
    assert site.remote.lines("tag") == []
    assert revert(site.app(), None, LandRequest(verify="true", ci=False, deploy=False), QUIET).outcome is Outcome.DONE


def test_a_filter_that_cannot_run_leaves_no_half_worktree(crypted: Site):
    crypted.git.text("config", "filter.git-crypt.smudge", "false")
    with pytest.raises(GitFailed):
        start(crypted.app(), "fix")
    assert not (crypted.clone / ".worktrees/fix").exists()
