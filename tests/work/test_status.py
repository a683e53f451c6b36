from __future__ import annotations

from homelab.outcome import Outcome
from homelab.work.dry_run import dry_run
from homelab.work.follow import Waits
from homelab.work.model import LandRequest
from homelab.work.status import status
from tests.work.site import Site, answer


def test_no_unfinished_land_is_said_plainly(site: Site):
    assert status(site.app()).outcome is Outcome.DONE


def test_a_failed_verification_is_pending_with_its_next_command(site: Site):
    site.land(verify="false")
    found = status(site.app())
    assert found.outcome is Outcome.PENDING
    assert found.next == ("homelab work land", "homelab work land --abort")


def test_a_landed_change_whose_ci_is_not_seen_says_so(site: Site):
    site.land(waits=Waits(ci=answer(Outcome.PENDING), deploy=answer(Outcome.DONE)))
    found = status(site.app())
    assert found.outcome is Outcome.CI_UNSEEN
    assert found.next == ("homelab work land --resume",)


def test_an_unknown_push_is_never_a_yes(site: Site):
    site.hook("post-receive", f"mv {site.remote_path} {site.remote_path}.away; kill -9 $PPID")
    site.land()
    assert status(site.app()).outcome is Outcome.LAND_UNKNOWN


def test_a_declined_push_is_known_not_to_have_landed(site: Site):
    site.hook("pre-receive", "exit 1")
    site.land()
    assert status(site.app()).outcome is Outcome.PENDING


def test_a_dry_run_shows_the_plan_and_moves_nothing(site: Site):
    theirs = site.someone_lands("theirs.txt")
    site.git.text("fetch", "-q")
    before = site.git.text("for-each-ref"), site.tip()
    result = dry_run(site.app(), LandRequest(verify="make check", deploy=False))
    assert result.lines()[0] == "NOT LANDED: a dry run moves nothing"
    plan = result.record()["plan"]
    assert plan["base"] == theirs[:12]
    assert plan["push"] == "1 commits, merging cleanly with the base"
    assert plan["verify"] == "make check (flag, in this worktree)"
    assert (plan["ci"], plan["deploy"]) == ("watched to its verdict", "not waited for")
    assert (site.git.text("for-each-ref"), site.tip()) == before
    assert not (site.clone / ".git/homelab").exists()


def test_a_dry_run_foresees_conflicts_and_missing_approval(site: Site):
    site.commit("base.txt", "ours\n")
    site.commit(".homelab.toml", '[work]\nverify = "make check"\n')
    site.someone_lands("base.txt", "theirs\n")
    site.git.text("fetch", "-q")
    plan = dry_run(site.app(), LandRequest()).record()["plan"]
    assert plan["push"] == "3 commits, in conflict over base.txt"
    assert plan["verify"].endswith("NOT approved: homelab trust")


def test_a_dry_run_refuses_what_a_land_would(site: Site):
    (site.clone / "stray.txt").write_text("x")
    assert dry_run(site.app(), LandRequest(verify="true")).outcome is Outcome.PRECONDITION


def test_a_dry_run_of_an_unfinished_land_says_how_it_goes_on(site: Site):
    site.land(verify="false")
    assert dict(dry_run(site.app(), LandRequest()).record()["plan"])["then"] == "homelab work land"
