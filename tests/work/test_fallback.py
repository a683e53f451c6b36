"""A protected target: the branch goes up for a pull request, and the answer says where to open it."""

from __future__ import annotations

import pytest

from homelab.outcome import Outcome
from homelab.work.follow import Waits
from tests.work.site import Site, answer

PROTECT = 'while read old new ref; do test "$ref" = refs/heads/main && {{ echo "{}" >&2; exit 1; }}; done; exit 0'
GITEA = "Gitea: Not allowed to push to protected branch main"


@pytest.fixture
def protected(site: Site) -> Site:
    site.hook("pre-receive", PROTECT.format(GITEA))
    return site


def test_the_branch_is_pushed_and_the_servers_words_are_kept(protected: Site):
    result = protected.land()
    assert result.outcome is Outcome.PROTECTED
    assert result.headline == "main is protected; the branch was pushed as topic"
    assert GITEA in result.details
    assert protected.tip("topic") == protected.git.text("rev-parse", "HEAD")


def test_a_page_the_server_prints_is_the_one_to_open(protected: Site):
    protected.hook("post-receive", "echo 'Create a new pull request: https://git.example/o/n/compare/main...topic' >&2")
    assert protected.land().next == ("open a pull request: https://git.example/o/n/compare/main...topic",)


def test_the_pushed_branch_holds_the_verified_tree(protected: Site):
    protected.hook("pre-receive", "exit 0")
    protected.someone_lands("theirs.txt")
    protected.hook("pre-receive", PROTECT.format(GITEA))
    protected.land()
    assert protected.remote.run("cat-file", "-e", "topic:theirs.txt").code == 0


def test_running_again_after_more_commits_moves_the_same_branch(protected: Site):
    protected.land()
    protected.commit("more.txt")
    assert protected.land().outcome is Outcome.PROTECTED
    assert protected.tip("topic") == protected.git.text("rev-parse", "HEAD")


def test_a_reworded_branch_replaces_only_what_we_pushed_ourselves(protected: Site):
    protected.land()
    protected.git.text("commit", "-q", "--amend", "-m", "Reworded")
    assert protected.land().outcome is Outcome.PROTECTED
    assert protected.tip("topic") == protected.git.text("rev-parse", "HEAD")
    other = protected.other()
    other.text("fetch", "-q")
    other.text("switch", "-q", "topic")
    theirs = protected.commit("x.txt", git=other)
    other.text("push", "-q", "origin", "topic")
    protected.git.text("commit", "-q", "--amend", "-m", "Reworded again")
    protected.land()
    head = protected.git.text("rev-parse", "HEAD")
    assert (protected.tip("topic"), protected.tip(f"topic-{head[:12]}")) == (theirs, head)


def test_a_branch_of_that_name_that_is_not_ours_is_left_alone(protected: Site):
    other = protected.other()
    theirs = protected.commit("x.txt", git=other)
    other.text("push", "-q", "origin", "HEAD:refs/heads/topic")
    result = protected.land()
    head = protected.git.text("rev-parse", "HEAD")
    assert result.outcome is Outcome.PROTECTED
    assert protected.tip("topic") == theirs
    assert protected.tip(f"topic-{head[:12]}") == head


def test_when_protection_is_lifted_the_same_command_lands(protected: Site):
    protected.land()
    protected.hook("pre-receive", "exit 0")
    assert protected.land().outcome is Outcome.DONE
    assert protected.tip() == protected.git.text("rev-parse", "HEAD")


def test_where_the_remote_is_no_forges_the_request_is_not_opened_and_why_is_said(protected: Site):
    result = protected.land(open_pr=True)
    assert result.outcome is Outcome.PROTECTED
    assert any(line.startswith("no pull request was opened: the remote is no forge's") for line in result.details)


def test_staged_lands_the_very_commit_that_was_green(site: Site):
    site.someone_lands("theirs.txt")
    asked = []
    waits = Waits(ci=answer(Outcome.DONE, "green", asked), deploy=answer(Outcome.DONE))
    result = site.land(waits=waits, staged=True, attempts=1)
    assert result.outcome is Outcome.DONE, result.lines()
    assert [(commit.oid, commit.target) for commit in asked] == [(site.tip(), "topic"), (site.tip(), "main")]


def test_staged_does_not_land_what_is_red(site: Site):
    was = site.tip()
    result = site.land(waits=Waits(ci=answer(Outcome.RED, "test failed"), deploy=answer(Outcome.DONE)), staged=True)
    assert result.outcome is Outcome.VERIFY_FAILED
    assert result.why == "test failed"
    assert site.tip() == was


def test_staged_continues_where_its_wait_stopped(site: Site):
    waits = Waits(ci=answer(Outcome.PENDING, "still going"), deploy=answer(Outcome.DONE))
    assert site.land(waits=waits, staged=True).outcome is Outcome.PROTECTED
    staged = site.tip("topic")
    result = site.land(waits=Waits(ci=answer(Outcome.DONE), deploy=answer(Outcome.DONE)))
    assert result.outcome is Outcome.DONE
    assert site.tip() == staged


def test_staged_begins_again_when_someone_lands_meanwhile(site: Site):
    asked = []

    def ci(commit):
        asked.append(commit.target)
        if len(asked) == 1:
            site.someone_lands("theirs.txt")
        return answer(Outcome.DONE)(commit)

    assert site.land(waits=Waits(ci=ci, deploy=answer(Outcome.DONE)), staged=True).outcome is Outcome.DONE
    assert asked == ["topic", "topic", "main"]
    assert site.remote.run("cat-file", "-e", "main:theirs.txt").code == 0
