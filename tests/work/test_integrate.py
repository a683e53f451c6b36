from __future__ import annotations

import pytest

from homelab.outcome import Outcome
from homelab.work.commit import squash_message
from tests.work.site import Site


def _parents(site: Site) -> list[str]:
    return site.remote.text("rev-list", "--parents", "-1", "main").split()[1:]


@pytest.mark.parametrize(("strategy", "parents"), [("merge", 2), ("squash", 1), ("rebase", 1)])
def test_the_target_is_always_the_first_parent(site: Site, strategy: str, parents: int):
    theirs = site.someone_lands("theirs.txt")
    assert site.land(strategy=strategy).outcome is Outcome.DONE
    assert _parents(site)[0] == theirs
    assert len(_parents(site)) == parents


def test_a_branch_that_merged_the_target_itself_is_not_pushed_as_it_is(site: Site):
    theirs = site.someone_lands("theirs.txt")
    site.git.text("fetch", "-q")
    site.git.text("merge", "-q", "--no-edit", "origin/main")
    head = site.git.text("rev-parse", "HEAD")
    site.land()
    assert _parents(site) == [theirs, head]


def test_a_fast_forward_can_be_switched_off(site: Site):
    was, head = site.tip(), site.git.text("rev-parse", "HEAD")
    site.git.text("config", "homelab.ff", "never")
    site.land()
    assert _parents(site) == [was, head]


def test_ff_only_refuses_what_does_not_build_on_the_target(site: Site):
    site.someone_lands("theirs.txt")
    result = site.land(strategy="ff-only")
    assert result.outcome is Outcome.PRECONDITION
    assert "git rebase" in result.next[0]


def test_a_rebase_does_not_rewrite_what_others_pushed(site: Site):
    site.git.text("push", "-q", "origin", "topic")
    other = site.other()
    other.text("fetch", "-q")
    other.text("switch", "-q", "topic")
    (other.root / "x.txt").write_text("x")
    other.text("add", ".")
    other.text("commit", "-q", "-m", "x", extra_env={"GIT_AUTHOR_EMAIL": "someone@example.org"})
    other.text("push", "-q", "origin", "topic")
    site.git.text("pull", "-q", "--ff-only", "origin", "topic")
    site.someone_lands("theirs.txt")
    result = site.land(strategy="rebase")
    assert result.outcome is Outcome.PRECONDITION
    assert "someone@example.org" in result.headline


def test_a_rebase_does_not_flatten_merges_unasked(site: Site):
    site.git.text("switch", "-q", "-c", "side", "main")
    site.commit("side.txt")
    site.git.text("switch", "-q", "topic")
    site.git.text("merge", "-q", "--no-edit", "side")
    site.someone_lands("theirs.txt")
    assert site.land(strategy="rebase").outcome is Outcome.PRECONDITION
    assert site.land(strategy="rebase", rebase_merges=True).outcome is Outcome.DONE
    assert site.remote.text("rev-list", "--merges", "--count", "main") == "1"


def test_a_squash_is_one_commit_and_no_skip_word_survives(site: Site):
    site.commit("more.txt", message="More [skip ci]")
    site.land(strategy="squash")
    message = site.remote.text("log", "-1", "--format=%B", "main")
    assert message.splitlines() == ["topic", "", "* Write feature.txt", "* More"]
    assert _parents(site) != []
    assert squash_message.__module__ == "homelab.work.commit"


def test_the_commit_msg_hook_sees_the_merges_message(site: Site):
    site.someone_lands("theirs.txt")
    site.hook("commit-msg", 'echo "Change-Id: I1" >> "$1"', git_dir=site.clone / ".git")
    site.land()
    assert "Change-Id: I1" in site.remote.text("log", "-1", "--format=%B", "main")


def test_a_commit_msg_hook_that_declines_stops_the_land(site: Site):
    site.someone_lands("theirs.txt")
    site.hook(
        "commit-msg",
        'grep -q "^Merge branch" "$1" && { echo "no merges" >&2; exit 1; }; exit 0',
        git_dir=site.clone / ".git",
    )
    result = site.land()
    assert result.outcome is Outcome.PUSH_POLICY
    assert "no merges" in result.details


def test_content_that_is_in_the_target_already_is_not_landed_again(site: Site):
    site.someone_lands("feature.txt", "hello\n")
    was = site.tip()
    result = site.land()
    assert (result.outcome, result.kind, site.tip()) == (Outcome.DONE, "already", was)


def test_an_empty_commit_lands_when_asked_to(site: Site):
    site.git.text("switch", "-q", "-c", "empty", "main")
    site.git.text("commit", "-q", "--allow-empty", "-m", "Run CI")
    was = site.tip()
    assert site.land().kind == "already"
    assert site.tip() == was
    assert site.land(allow_empty=True).outcome is Outcome.DONE
    assert site.remote.text("log", "-1", "--format=%s", "main") == "Run CI"


def test_the_branch_as_it_was_keeps_a_name(site: Site):
    head = site.git.text("rev-parse", "HEAD")
    site.someone_lands("theirs.txt")
    site.land(verify="false", strategy="rebase")
    (backup,) = site.git.lines("for-each-ref", "--format=%(objectname)", "refs/homelab/backup/topic/")
    assert backup == head


def test_local_refs_follow_what_landed(site: Site):
    site.land()
    assert site.git.text("rev-parse", "main", "origin/main").split() == [site.tip()] * 2


def test_a_checked_out_target_follows_only_while_it_is_clean(site: Site):
    elsewhere = site.git.at(site.root / "elsewhere")
    site.git.text("worktree", "add", "-q", str(elsewhere.root), "main")
    site.land()
    assert elsewhere.text("rev-parse", "HEAD") == site.tip()
    assert (elsewhere.root / "feature.txt").exists()
    (elsewhere.root / "base.txt").write_text("in the middle of something\n")
    site.commit("second.txt")
    site.land()
    assert elsewhere.text("rev-parse", "HEAD") != site.tip()
    assert any("local main is 1 behind" in line for line in site.seen.plain)
