from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from homelab.errors import GitFailed, UsageError
from homelab.work.start import start
from tests.work.site import Site


def test_a_topic_gets_a_branch_and_a_worktree_at_the_newest_target(site: Site):
    theirs = site.someone_lands("theirs.txt")
    started = start(site.app(), "fix/login")
    assert started.lines() == [str(site.clone / ".worktrees/fix-login")]
    assert started.base == theirs
    git = site.git.at(started.path)
    assert git.text("rev-parse", "HEAD", "--abbrev-ref", "HEAD").split() == [theirs, "fix/login"]


def test_a_plain_push_of_the_topic_cannot_reach_the_target(site: Site):
    start(site.app(), "fix")
    assert site.git.run("config", "--get-regexp", r"^branch\.fix\.").out == ""


def test_the_main_worktree_stays_clean_and_no_tracked_file_is_touched(site: Site):
    start(site.app(), "fix")
    assert site.git.text("status", "--porcelain") == ""
    assert "/.worktrees/" in (site.clone / ".git/info/exclude").read_text().splitlines()


def test_from_inside_a_worktree_the_next_one_stands_beside_it(site: Site):
    first = start(site.app(), "one").path
    assert start(site.app(first), "two").path == site.clone / ".worktrees/two"


def test_starting_again_shows_the_same_path(site: Site):
    first = start(site.app(), "fix")
    again = start(site.app(), "fix")
    assert (again.path, again.made) == (first.path, False)


def test_a_branch_that_exists_goes_on_where_it_was(site: Site):
    oid = site.git.text("rev-parse", "topic")
    site.git.text("switch", "-q", "main")
    assert start(site.app(), "topic").base == oid


@pytest.mark.parametrize("topic", ["-x", "a..b", "a b", "", "x.lock", "refs/heads/x", "@{-1}", "a" * 201])
def test_a_name_git_refuses_is_refused_before_anything_is_done(site: Site, topic: str):
    with pytest.raises(UsageError):
        start(site.app(), topic)
    assert not (site.clone / ".worktrees").exists()


@pytest.mark.parametrize("topic", ["topic/more", "u"])
def test_a_branch_and_a_folder_of_branches_cannot_share_a_name(site: Site, topic: str):
    site.git.text("branch", "u/a")
    with pytest.raises(UsageError, match="cannot stand beside"):
        start(site.app(), topic)


def test_an_unreachable_remote_starts_from_what_was_seen_and_says_so(site: Site):
    main = site.tip()
    site.remote_path.rename(site.root / "gone.git")
    site.git.text("remote", "set-head", "origin", "main")
    assert start(site.app(), "fix").base == main
    assert any("as last seen" in line for line in site.seen.plain)


def test_a_failed_checkout_leaves_nothing_behind(site: Site):
    (site.clone / ".gitattributes").write_text("*.sec filter=broken\n")
    site.git.text("switch", "-q", "main")
    site.git.text("add", ".")
    site.commit("a.sec")
    site.git.text("push", "-q", "origin", "main")
    site.git.text("config", "filter.broken.smudge", "false")
    site.git.text("config", "filter.broken.required", "true")
    with pytest.raises(GitFailed):
        start(site.app(), "fix")
    assert not (site.clone / ".worktrees").exists()
    assert site.git.run("rev-parse", "--verify", "refs/heads/fix").code != 0


def test_hooks_that_would_silently_not_run_are_named(site: Site):
    site.git.text("config", "core.hooksPath", ".husky/_")
    start(site.app(), "fix")
    assert any("core.hooksPath" in line for line in site.seen.plain)


def test_the_place_is_configurable(site: Site):
    site.git.text("config", "homelab.worktrees", str(site.root / "elsewhere"))
    assert start(site.app(), "fix").path == site.root / "elsewhere/fix"


def test_a_bare_repository_can_start_topics(site: Site):
    site.git.text("clone", "-q", "--bare", str(site.remote_path), str(site.root / "bare.git"))
    started = start(site.app(site.root / "bare.git"), "fix")
    assert (started.path / "base.txt").exists()


def test_twelve_starts_at_once_all_succeed(site: Site):
    program = "import sys; from homelab.cli import main; sys.argv[1:] = ['work', 'start', sys.argv[1]]; main()"
    root = str(Path(__file__).parents[2])
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", program, f"topic-{number}"],
            cwd=site.clone,
            env={**site.git.env, "PYTHONPATH": root},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(12)
    ]
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * 12, said
    assert len(list((site.clone / ".worktrees").iterdir())) == 12


def test_a_repository_does_not_choose_the_folder_of_its_worktrees(site: Site):
    victim = site.root / "victim"
    victim.mkdir()
    (site.clone / ".worktrees").symlink_to(victim)
    with pytest.raises(UsageError, match="symbolic link") as caught:
        start(site.app(), "fix")
    assert list(victim.iterdir()) == []
    assert "git config homelab.worktrees" in caught.value.fix


def test_a_link_at_the_place_of_a_worktree_is_not_followed(site: Site):
    (site.clone / ".worktrees").mkdir()
    (site.clone / ".worktrees/fix").symlink_to(site.root / "nowhere")
    with pytest.raises(UsageError, match="is in the way"):
        start(site.app(), "fix")
