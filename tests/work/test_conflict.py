from __future__ import annotations

import pytest

from homelab.outcome import Outcome
from tests.work.site import Site


@pytest.fixture
def torn(site: Site) -> Site:
    """A branch that conflicts with what someone landed."""
    site.commit("base.txt", "one\nours\nthree\n")
    site.someone_lands("base.txt", "one\ntheirs\nthree\n")
    return site


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_a_conflict_is_left_open_then_resolved_then_landed(torn: Site, strategy: str):
    result = torn.land(strategy=strategy)
    assert result.outcome is Outcome.CONFLICT
    assert result.details == ("base.txt",)
    (torn.clone / "base.txt").write_text("one\nboth\nthree\n")
    torn.git.text("add", "base.txt")
    again = torn.land(strategy=strategy)
    assert again.outcome is Outcome.DONE, again.lines()
    assert torn.remote.text("show", "main:base.txt") == "one\nboth\nthree"
    assert "Someone writes" in torn.remote.text("log", "--first-parent", "--format=%s", "main")


def test_an_unresolved_conflict_is_not_committed(torn: Site):
    torn.land()
    result = torn.land()
    assert result.outcome is Outcome.CONFLICT
    assert result.headline == "the conflict is not resolved yet"


def test_conflict_markers_that_were_added_are_not_committed(torn: Site):
    torn.land()
    torn.git.text("add", "base.txt")
    result = torn.land()
    assert result.outcome is Outcome.CONFLICT
    assert result.why == "conflict markers are left in files"


def test_a_conflict_can_be_taken_back(torn: Site):
    head = torn.git.text("rev-parse", "HEAD")
    result = torn.land(abort_conflict=True)
    assert result.outcome is Outcome.CONFLICT
    assert (torn.git.text("rev-parse", "HEAD"), torn.git.text("status", "--porcelain")) == (head, "")


def test_in_a_clean_copy_a_conflict_touches_nothing(torn: Site):
    (torn.clone / "dirty.txt").write_text("not yet\n")
    head = torn.git.text("rev-parse", "HEAD")
    result = torn.land(scratch=True)
    assert result.outcome is Outcome.CONFLICT
    assert torn.git.text("rev-parse", "HEAD") == head
    assert (torn.clone / "dirty.txt").exists()


def test_someone_elses_open_merge_is_not_concluded(torn: Site):
    torn.land()
    torn.git.text("merge", "--abort")
    torn.git.text("branch", "side", "main")
    torn.git.text("switch", "-q", "side")
    torn.commit("base.txt", "one\nside\nthree\n")
    torn.git.text("switch", "-q", "topic")
    torn.git.run("merge", "-q", "side")
    result = torn.land()
    assert result.outcome is Outcome.PRECONDITION
    assert "not the one this land left" in result.headline
