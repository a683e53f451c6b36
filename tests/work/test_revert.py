from __future__ import annotations

import pytest

from homelab.outcome import Outcome
from homelab.work.model import LandRequest
from homelab.work.revert import revert
from tests.work.site import QUIET, Site

REQUEST = LandRequest(verify="true", ci=False, deploy=False)


def _has(site: Site, name: str) -> bool:
    return site.remote.run("cat-file", "-e", f"main:{name}").code == 0


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_a_landed_change_is_reverted_and_nothing_else(site: Site, strategy: str):
    site.commit("second.txt")
    site.someone_lands("theirs.txt")
    landed = site.land(strategy=strategy).landed_oid
    site.someone_lands("later.txt")
    result = revert(site.app(), landed, REQUEST, QUIET)
    assert result.outcome is Outcome.DONE, result.lines()
    assert [_has(site, name) for name in ("feature.txt", "second.txt")] == [False, False]
    assert [_has(site, name) for name in ("theirs.txt", "later.txt")] == [True, True]


def test_the_last_land_is_meant_when_none_is_named(site: Site):
    site.land()
    assert revert(site.app(), None, REQUEST, QUIET).outcome is Outcome.DONE
    assert not _has(site, "feature.txt")


def test_a_conflicting_revert_stays_open_where_it_can_be_resolved(site: Site):
    site.commit("base.txt", "ours\n")
    landed = site.land().landed_oid
    site.someone_lands("base.txt", "later\n")
    result = revert(site.app(), landed, REQUEST, QUIET)
    assert result.outcome is Outcome.CONFLICT
    tree = site.git.at(site.clone / ".worktrees" / f"revert-{landed[:12]}")
    (tree.root / "base.txt").write_text("resolved\n")
    tree.text("add", "base.txt")
    tree.run("revert", "--continue")
    while tree.read("rev-parse", "--verify", "--quiet", "REVERT_HEAD").code == 0:
        tree.run("revert", "--continue")
    again = revert(site.app(), landed, REQUEST, QUIET)
    assert again.outcome is Outcome.DONE, again.lines()
    assert site.remote.text("show", "main:base.txt") == "resolved"


def test_what_is_not_on_the_target_cannot_be_reverted_there(site: Site):
    result = revert(site.app(), "HEAD", REQUEST, QUIET)
    assert result.outcome is Outcome.USAGE
    assert result.first().startswith("NOT LANDED: ")


def test_without_any_land_one_must_be_named(site: Site):
    assert revert(site.app(), None, REQUEST, QUIET).headline == "nothing has landed from this repository"
