from __future__ import annotations

from homelab.work.list import list_worktrees
from homelab.work.start import start
from tests.work.site import Site


def _entry(site: Site, branch: str, **words):
    return next(entry for entry in list_worktrees(site.app(), **words).entries if entry.branch == branch)


def test_each_worktree_says_how_far_it_is_from_the_target(site: Site):
    start(site.app(), "fix")
    site.commit("a.txt", git=site.git.at(site.clone / ".worktrees/fix"))
    assert (_entry(site, "fix").ahead, _entry(site, "fix").behind) == (1, 0)
    site.someone_lands("theirs.txt")
    assert _entry(site, "fix").behind == 0
    assert _entry(site, "fix", fetch=True).behind == 1


def test_what_is_unfinished_in_a_worktree_is_shown(site: Site):
    (site.clone / "base.txt").write_text("changed\n")
    (site.clone / "new.txt").write_text("new\n")
    site.git.text("update-ref", "CHERRY_PICK_HEAD", "HEAD")
    entry = _entry(site, "topic")
    assert (entry.changed, entry.untracked, entry.operation, entry.here) == (1, 1, "cherry-pick", True)
    assert "1 changed; 1 untracked; cherry-pick in progress" in entry.sentence()


def test_an_unfinished_and_a_finished_land_are_shown(site: Site):
    site.land(verify="false")
    assert _entry(site, "topic").land == "VERIFY"
    site.land()
    assert _entry(site, "topic").land == ""
    assert _entry(site, "topic").landed == site.tip()


def test_a_worktree_whose_folder_is_gone_is_shown_not_followed(site: Site):
    path = start(site.app(), "fix").path
    path.rename(site.root / "moved")
    assert _entry(site, "fix").trouble


def test_nobody_is_asked_unless_told_to(site: Site):
    site.remote_path.rename(site.root / "gone.git")
    assert _entry(site, "topic").ahead == 1
