from __future__ import annotations

from homelab.work import backup
from tests.fakes import FakeClock
from tests.work.site import Site


def test_two_backups_of_a_branch_stand_side_by_side(site: Site, clock: FakeClock) -> None:
    tip = site.git.text("rev-parse", "HEAD")
    first = backup.keep(site.git, "topic", tip, clock)
    clock.sleep(0.001)
    second = backup.keep(site.git, "topic", tip, clock)
    assert first != second
    assert site.git.lines("for-each-ref", "--format=%(refname)", "refs/homelab/backup/topic/") == sorted(
        [first, second]
    )


def test_dropping_a_branchs_backups_leaves_those_of_a_longer_name(site: Site, clock: FakeClock) -> None:
    tip = site.git.text("rev-parse", "HEAD")
    backup.keep(site.git, "topic", tip, clock)
    other = backup.keep(site.git, "topic/more", tip, clock)
    backup.drop(site.git, "topic")
    assert site.git.lines("for-each-ref", "--format=%(refname)", "refs/homelab/backup/") == [other]
