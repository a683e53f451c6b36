from __future__ import annotations

import pytest

from homelab.outcome import Outcome
from homelab.work.abort import abort
from homelab.work.follow import Waits
from tests.work.site import Site, answer


@pytest.mark.parametrize("strategy", ["merge", "rebase", "squash"])
def test_an_integrated_branch_is_as_it_was(site: Site, strategy: str):
    head = site.git.text("rev-parse", "HEAD")
    site.someone_lands("theirs.txt")
    site.land(verify="false", strategy=strategy)
    assert site.git.text("rev-parse", "HEAD") != head
    result = abort(site.app())
    assert result.outcome is Outcome.DONE
    assert (site.git.text("rev-parse", "HEAD"), site.git.text("status", "--porcelain")) == (head, "")
    assert not (site.clone / ".git/homelab/land.json").exists()


@pytest.mark.parametrize("strategy", ["merge", "rebase"])
def test_an_open_conflict_is_taken_back(site: Site, strategy: str):
    site.commit("base.txt", "ours\n")
    head = site.git.text("rev-parse", "HEAD")
    site.someone_lands("base.txt", "theirs\n")
    assert site.land(strategy=strategy).outcome is Outcome.CONFLICT
    assert abort(site.app()).outcome is Outcome.DONE
    assert (site.git.text("rev-parse", "HEAD"), site.git.text("status", "--porcelain")) == (head, "")
    assert site.git.text("symbolic-ref", "--short", "HEAD") == "topic"


def test_commits_made_since_are_never_dropped(site: Site):
    site.someone_lands("theirs.txt")
    site.land(verify="false")
    head = site.commit("fix.txt")
    result = abort(site.app())
    assert result.outcome is Outcome.PRECONDITION
    assert site.git.text("rev-parse", "HEAD") == head


def test_edits_that_are_not_committed_survive(site: Site):
    site.someone_lands("theirs.txt")
    site.land(verify="false")
    (site.clone / "base.txt").write_text("in the middle\n")
    abort(site.app())
    assert (site.clone / "base.txt").read_text() == "in the middle\n"


def test_what_landed_is_not_taken_back_by_forgetting_it(site: Site):
    site.land(waits=Waits(ci=answer(Outcome.PENDING), deploy=answer(Outcome.DONE)))
    landed = site.tip()
    result = abort(site.app())
    assert result.outcome is Outcome.PRECONDITION
    assert f"homelab work revert {landed}" in result.next[0]


def test_a_push_that_may_have_arrived_is_asked_about_first(site: Site):
    site.hook("post-receive", f"mv {site.remote_path} {site.remote_path}.away; kill -9 $PPID")
    assert site.land().outcome is Outcome.LAND_UNKNOWN
    assert abort(site.app()).outcome is Outcome.LAND_UNKNOWN
    (site.root / "remote.git.away").rename(site.remote_path)
    assert "already" in abort(site.app()).headline


def test_without_an_unfinished_land_nothing_happens(site: Site):
    assert abort(site.app()).outcome is Outcome.DONE
