"""Whole lands against a real bare remote: what ends on the target, and what the answer says first."""

from __future__ import annotations

from homelab.errors import TokenMissing
from homelab.outcome import Outcome
from homelab.work.follow import Waits
from tests.work.site import Site, answer


def test_a_branch_on_top_of_the_target_lands_as_it_is(site: Site):
    head, was = site.git.text("rev-parse", "HEAD"), site.tip()
    result = site.land()
    assert result.outcome is Outcome.DONE
    assert result.lines()[0] == f"LANDED {head[:12]} on main (was {was[:12]})"
    assert site.tip() == head


def test_a_diverged_branch_lands_as_a_merge_with_the_target_first(site: Site):
    theirs, source = site.someone_lands("theirs.txt"), site.git.text("rev-parse", "HEAD")
    assert site.land().outcome is Outcome.DONE
    assert site.remote.text("rev-parse", "main^1", "main^2").split() == [theirs, source]
    assert site.remote.text("log", "-1", "--format=%s", "main") == "Merge branch 'topic'"


def test_the_tree_that_passed_is_the_tree_that_lands(site: Site):
    site.someone_lands("theirs.txt")
    site.land(verify="git rev-parse HEAD^{tree} > ../verified; test -f theirs.txt -a -f feature.txt")
    assert (site.root / "verified").read_text().strip() == site.remote.text("rev-parse", "main^{tree}")


def test_a_failed_verification_pushes_nothing_and_shows_its_last_lines(site: Site):
    was = site.tip()
    result = site.land(verify="echo all good; echo but this is not >&2; exit 3")
    assert result.outcome is Outcome.VERIFY_FAILED
    assert result.lines()[0] == "NOT LANDED: echo all good; echo but this is not >&2; exit 3 failed with exit code 3"
    assert "  but this is not" in result.lines()
    assert site.tip() == was


def test_the_green_loop_says_little(site: Site):
    result = site.land(waits=Waits(ci=answer(Outcome.DONE, "green"), deploy=answer(Outcome.DONE, "runs")))
    oid = site.tip()[:12]
    assert site.seen.plain == ["verify: passed in 0s", f"work: LANDED {oid} on main"]
    assert result.lines()[1:] == ["ci: green", "deploy: runs"]
    assert result.headline == "main moved, CI is green, and it is what runs"


def test_the_headline_claims_only_what_was_waited_for(site: Site):
    result = site.land(waits=Waits(ci=answer(Outcome.DONE, "green"), deploy=lambda _commit: None))
    assert result.headline == "main moved, CI is green"


def test_red_ci_after_landing_says_landed_first(site: Site):
    result = site.land(waits=Waits(ci=answer(Outcome.RED, "step test failed"), deploy=answer(Outcome.DONE)))
    assert result.outcome is Outcome.CI_RED
    assert result.lines()[0].startswith("LANDED ")
    assert result.deploy is None


def test_a_missing_token_after_landing_does_not_hide_that_it_landed(site: Site):
    def ci(_commit):
        raise TokenMissing("no token", why="looked everywhere", fix="export WOODPECKER_TOKEN=…")

    result = site.land(waits=Waits(ci=ci, deploy=answer(Outcome.DONE)))
    assert result.outcome is Outcome.CI_UNSEEN
    assert result.lines()[0].startswith("LANDED ")
    assert "next: homelab work land --resume" in result.lines()


def test_a_commit_that_gets_no_run_is_followed_by_one_that_does_not_waited_for_again(site: Site):
    skipped = site.land(waits=Waits(ci=answer(Outcome.NOTHING, "[skip ci]"), deploy=answer(Outcome.DONE)))
    assert skipped.outcome is Outcome.CI_UNSEEN
    assert skipped.next == ("git commit --allow-empty -m 'Run CI' && homelab work land --allow-empty",)
    assert skipped.record()["retryable"] is False
    site.git.text("commit", "-q", "--allow-empty", "-m", "Run CI")
    asked = []
    waits = Waits(ci=answer(Outcome.DONE, asked=asked), deploy=answer(Outcome.DONE))
    assert site.land(waits=waits, allow_empty=True).outcome is Outcome.DONE
    assert [commit.oid for commit in asked] == [site.tip()] != [skipped.landed_oid]


def test_nothing_to_land_is_not_a_failure(site: Site):
    site.git.text("switch", "-q", "-c", "empty", "main")
    result = site.land()
    assert result.outcome is Outcome.DONE
    assert result.lines()[0] == "NOT LANDED: nothing to land: empty has no commits beyond main"


def test_landing_twice_lands_once(site: Site):
    site.someone_lands("theirs.txt")
    site.land()
    landed = site.tip()
    result = site.land()
    assert site.tip() == landed
    assert result.outcome is Outcome.DONE
    assert result.lines()[0] == f"LANDED {landed[:12]} on main before; nothing moved now"
