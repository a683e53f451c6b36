"""The pre-push hook: installed beside what is there, lets a land pass, judges what goes around it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from homelab.errors import PersonNeeded
from homelab.outcome import Outcome
from homelab.work.hook_install import install, uninstall
from homelab.work.hook_lines import parse
from tests.work.site import Site

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hooked(site: Site) -> Site:
    """A clone with the hook, whose target is known, and whose suite writes that it ran."""
    install(site.app())
    site.git.text("config", "homelab.verify", f"echo run >> {site.root}/runs")
    site.git.text("config", "homelab.target", "main")
    return site


def _push(site: Site, *what: str):
    git = site.git
    return git.run("push", *what, extra_env={"PYTHONPATH": str(ROOT)})


def _runs(site: Site) -> int:
    runs = site.root / "runs"
    return len(runs.read_text().split()) if runs.exists() else 0


def test_a_land_passes_its_own_hook_and_verifies_once(hooked: Site):
    result = hooked.land(verify=None, env={"PYTHONPATH": str(ROOT)})
    assert result.outcome is Outcome.DONE, result.lines()
    assert _runs(hooked) == 1


def test_a_push_around_the_land_is_verified(hooked: Site):
    ended = _push(hooked, "origin", "topic:main")
    assert ended.code == 0, ended.err
    assert _runs(hooked) == 1


def test_a_push_around_the_land_that_fails_is_declined(hooked: Site):
    hooked.git.text("config", "homelab.verify", "echo broken; false")
    was = hooked.tip()
    ended = _push(hooked, "origin", "topic:main")
    assert ended.code != 0
    assert "broken" in ended.err
    assert hooked.tip() == was


def test_a_push_of_what_is_not_checked_out_is_declined(hooked: Site):
    hooked.commit("later.txt")
    ended = _push(hooked, "origin", "HEAD~1:main")
    assert ended.code != 0
    assert "homelab work land" in ended.err


def test_a_land_token_alone_is_not_trusted(hooked: Site):
    hooked.commit("later.txt")
    git = hooked.git
    ended = git.run(
        "push", "origin", "HEAD~1:main", extra_env={"PYTHONPATH": str(ROOT), "HOMELAB_LAND_TOKEN": "made-up"}
    )
    assert ended.code != 0


def test_other_branches_and_deletions_pass(hooked: Site):
    assert _push(hooked, "origin", "topic").code == 0
    assert _push(hooked, "origin", ":topic").code == 0
    assert _push(hooked, "origin", "topic:main").code == 0
    assert _push(hooked, "origin", "topic:main").code == 0
    assert _runs(hooked) == 1


def test_a_hook_that_was_there_runs_first_with_its_own_input(site: Site):
    site.hook("pre-push", f"cat > {site.root}/legacy-in; echo noise; exit 0", git_dir=site.clone / ".git")
    install(site.app())
    assert _push(site, "origin", "topic").code == 0
    assert "refs/heads/topic" in (site.root / "legacy-in").read_text()


def test_a_hook_that_was_there_still_declines(site: Site):
    site.hook("pre-push", "echo no >&2; exit 1", git_dir=site.clone / ".git")
    install(site.app())
    assert _push(site, "origin", "topic").code != 0


def test_installing_twice_changes_nothing_and_uninstalling_restores(site: Site):
    before = site.hook("pre-push", "exit 0", git_dir=site.clone / ".git").read_text()
    assert install(site.app()).changed
    assert not install(site.app()).changed
    assert uninstall(site.app()).changed
    assert (site.clone / ".git/hooks/pre-push").read_text() == before
    assert not uninstall(site.app()).changed


def test_a_foreign_hook_is_never_removed(site: Site):
    hook = site.hook("pre-push", "exit 0", git_dir=site.clone / ".git")
    assert not uninstall(site.app()).changed
    assert hook.exists()


def test_hooks_sent_elsewhere_are_left_alone(site: Site):
    site.git.text("config", "core.hooksPath", ".husky")
    with pytest.raises(PersonNeeded) as caught:
        install(site.app())
    assert ".husky" in caught.value.why
    assert "work hook run" in caught.value.fix


def test_a_hook_whose_program_is_gone_says_how_to_remove_it(site: Site):
    install(site.app())
    hook = site.clone / ".git/hooks/pre-push"
    hook.write_text(hook.read_text().replace(os.path.realpath("/proc/self/exe"), "/gone/python"))
    hook.write_text(hook.read_text().replace("import homelab", "import homelab_gone"))
    ended = _push(site, "origin", "topic")
    assert ended.code != 0
    assert "remove the hook" in ended.err


def test_the_hook_serves_linked_worktrees(hooked: Site):
    linked = hooked.git.at(hooked.root / "linked")
    hooked.git.text("worktree", "add", "-q", "-b", "fix", str(linked.root), "main")
    hooked.commit("fix.txt", git=linked)
    ended = linked.run("push", "origin", "fix:main", extra_env={"PYTHONPATH": str(ROOT)})
    assert ended.code == 0, ended.err
    assert _runs(hooked) == 1


def test_a_local_ref_may_hold_spaces():
    (ref,) = parse(f"HEAD@{{1 second ago}} {'a' * 40} refs/heads/main {'0' * 40}\n")
    assert (ref.local_ref, ref.remote_ref, ref.deletes) == ("HEAD@{1 second ago}", "refs/heads/main", False)
    assert parse("") == ()
    (gone,) = parse(f"(delete) {'0' * 40} refs/heads/x {'a' * 40}\n")
    assert gone.deletes


def test_the_hook_never_runs_a_module_of_the_work_tree(hooked: Site):
    for module in ("homelab", "json", "click"):
        (hooked.clone / f"{module}.py").write_text(f"open({str(hooked.root / 'ran')!r}, 'w')")
    hooked.git.text("add", ".")
    hooked.git.text("commit", "-qm", "Shadow what homelab imports")
    ended = hooked.git.run("push", "origin", "topic:main")
    assert ended.code == 0, ended.err
    assert _runs(hooked) == 1
    assert not (hooked.root / "ran").exists()
