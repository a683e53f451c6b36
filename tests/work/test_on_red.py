from __future__ import annotations

from homelab.outcome import Outcome
from homelab.work.follow import Waits
from homelab.work.model import LandRequest
from homelab.work.on_red import land_or_revert
from tests.work.site import Site, answer

REQUEST = LandRequest(verify="true", deploy=False)
RED = Waits(ci=answer(Outcome.RED, "test failed"), deploy=answer(Outcome.DONE))


def _has_feature(site: Site) -> bool:
    return site.remote.run("cat-file", "-e", "main:feature.txt").code == 0


def test_a_red_change_is_taken_back_and_the_answer_stays_red(site: Site):
    result = land_or_revert(site.app(), REQUEST, RED)
    assert result.outcome is Outcome.CI_RED
    assert result.details[0].startswith("revert: LANDED ")
    assert not _has_feature(site)


def test_what_others_built_on_is_left(site: Site):
    def ci(commit):
        site.someone_lands("later.txt")
        return RED.ci(commit)

    result = land_or_revert(site.app(), REQUEST, Waits(ci=ci, deploy=answer(Outcome.DONE)))
    assert result.details[0].startswith("not reverted: main is at ")
    assert result.why.startswith("main is by now at ")
    assert _has_feature(site)


def test_a_green_change_stays(site: Site):
    waits = Waits(ci=answer(Outcome.DONE), deploy=answer(Outcome.DONE))
    assert land_or_revert(site.app(), REQUEST, waits).outcome is Outcome.DONE
    assert _has_feature(site)


def test_a_red_answer_says_whether_the_target_is_still_at_it(site: Site):
    assert site.land(waits=RED).why == f"main is still at {site.tip()[:12]}"
