"""What a land refuses before it touches anything: each with a sentence and the command that mends it."""

from __future__ import annotations

import pytest

from homelab.outcome import Outcome
from tests.work.site import Site


def _state(site: Site) -> tuple[str, str, str]:
    """Everything a refusal must leave alone: refs, status and files."""
    refs = site.git.text("for-each-ref", "--format=%(refname) %(objectname)")
    return refs, site.git.text("status", "--porcelain"), site.tip()


def _refused(site: Site, outcome: Outcome = Outcome.PRECONDITION, **words):
    before = _state(site)
    result = site.land(**words)
    assert result.outcome is outcome
    assert result.lines()[0].startswith("NOT LANDED: ")
    assert result.next
    assert _state(site) == before
    return result


def test_uncommitted_changes_are_named(site: Site):
    (site.clone / "base.txt").write_text("changed\n")
    assert "base.txt" in _refused(site).details


def test_staged_changes_are_named(site: Site):
    (site.clone / "staged.txt").write_text("new\n")
    site.git.text("add", "staged.txt")
    assert "staged.txt" in _refused(site).details


def test_a_forgotten_file_is_named_and_may_be_allowed(site: Site):
    (site.clone / "forgotten.txt").write_text("new\n")
    assert "forgotten.txt" in _refused(site).details
    assert site.land(allow_untracked=True).outcome is Outcome.DONE


def test_only_the_first_paths_are_listed(site: Site):
    for number in range(30):
        (site.clone / f"f{number:02}.txt").write_text("x")
    details = _refused(site).details
    assert (len(details), details[-1]) == (21, "… and 10 more")


@pytest.mark.parametrize("name", ["merge", "cherry-pick", "revert"])
def test_an_open_operation_is_named_with_its_ways_out(site: Site, name: str):
    ref = {"merge": "MERGE_HEAD", "cherry-pick": "CHERRY_PICK_HEAD", "revert": "REVERT_HEAD"}[name]
    site.git.text("update-ref", ref, "HEAD")
    result = _refused(site)
    assert result.headline == f"a {name} is in progress here"
    assert f"git {name} --abort" in result.next[0]


def test_a_rebase_in_progress_is_not_taken_for_a_detached_head(site: Site):
    site.git.run(
        "-c",
        "sequence.editor=sed -i 1s/pick/edit/",
        "rebase",
        "-i",
        "main",
        extra_env={"GIT_SEQUENCE_EDITOR": "sed -i s/^pick/edit/"},
    )
    assert _refused(site).headline == "a rebase is in progress here"


def test_a_bisect_is_named(site: Site):
    site.git.text("bisect", "start")
    assert _refused(site).headline == "a bisect is in progress here"


def test_a_detached_head_needs_a_name(site: Site):
    site.git.text("switch", "-q", "--detach")
    assert _refused(site).headline == "HEAD is detached"
    assert site.land(branch_name="topic-2").outcome is Outcome.DONE


def test_the_target_itself_does_not_land(site: Site):
    site.git.text("switch", "-q", "main")
    site.commit("direct.txt")
    assert _refused(site).headline == "this is main, the target itself"
    site.git.text("config", "homelab.allowTarget", "true")
    assert site.land().outcome is Outcome.DONE


def test_without_a_verification_command_candidates_are_listed(site: Site):
    site.commit("Makefile", "all:\ncheck: all\n\ttrue\n")
    result = _refused(site, verify=None)
    assert "make check" in result.why
    assert "--no-verify-land" in result.next[0]


def test_a_skipped_verification_is_said_aloud(site: Site):
    assert site.land(verify=None, no_verify=True).outcome is Outcome.DONE
    assert "verify: SKIPPED by --no-verify-land" in site.seen.plain


def test_a_target_that_does_not_exist_is_not_created_by_accident(site: Site):
    assert "no branch trunk" in _refused(site, into="trunk").headline
    result = site.land(into="trunk", create_target=True)
    assert result.outcome is Outcome.DONE
    assert site.tip("trunk") == site.git.text("rev-parse", "HEAD")


def test_a_renamed_default_branch_is_followed(site: Site):
    site.remote.text("branch", "-m", "main", "trunk")
    site.remote.text("symbolic-ref", "HEAD", "refs/heads/trunk")
    assert site.land().outcome is Outcome.DONE
    assert site.tip("trunk") == site.git.text("rev-parse", "HEAD")
    assert site.remote.run("rev-parse", "--verify", "refs/heads/main").code != 0


def test_an_empty_remote_names_no_branch(site: Site):
    site.remote.text("update-ref", "-d", "refs/heads/main")
    site.git.text("update-ref", "-d", "refs/remotes/origin/main")
    assert "no default branch" in site.land().headline
    result = site.land(into="main", create_target=True)
    assert result.outcome is Outcome.DONE


def test_several_remotes_without_a_choice_are_listed(site: Site):
    site.git.text("remote", "rename", "origin", "one")
    site.git.text("remote", "add", "two", str(site.remote_path))
    result = _refused(site, Outcome.USAGE)
    assert result.why == "the remotes here: one, two"
    assert site.land(remote="two").outcome is Outcome.DONE


def test_a_mirror_remote_is_named(site: Site):
    site.git.text("config", "remote.origin.mirror", "true")
    assert "is a mirror" in _refused(site, Outcome.USAGE).headline


def test_files_git_does_not_look_at_are_warned_of(site: Site):
    site.git.text("update-index", "--assume-unchanged", "base.txt")
    assert site.land().outcome is Outcome.DONE
    assert any("base.txt (assume-unchanged)" in line for line in site.seen.plain)


def test_a_bare_repository_has_nothing_to_land_from(site: Site):
    result = site.land(site.remote_path)
    assert result.outcome is Outcome.PRECONDITION
    assert "no worktree here" in result.headline


def test_unrelated_histories_are_not_joined(site: Site):
    site.git.text("switch", "-q", "--orphan", "island")
    site.commit("island.txt")
    result = site.land()
    assert result.outcome is Outcome.PRECONDITION
    assert "no common commit" in result.headline


def test_a_shallow_clone_is_deepened(site: Site):
    for number in range(5):
        site.someone_lands(f"s{number}.txt")
    site.git.text("clone", "-q", "--depth=1", f"file://{site.remote_path}", str(site.root / "shallow"))
    shallow = site.git.at(site.root / "shallow")
    shallow.text("switch", "-q", "-c", "deep")
    site.commit("deep.txt", git=shallow)
    for number in range(3):
        site.someone_lands(f"t{number}.txt")
    assert site.land(shallow.root).outcome is Outcome.DONE
    assert site.remote.run("cat-file", "-e", "main:deep.txt").code == 0


def test_a_git_that_is_too_old_is_named(site: Site, tmp_path):
    fake = tmp_path / "bin/git"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\ncase "$*" in *version*) echo git version 2.34.1;; *) exec /usr/bin/git "$@";; esac\n')
    fake.chmod(0o755)
    import os

    result = site.land(env={"PATH": f"{fake.parent}:{os.environ['PATH']}"})
    assert result.headline == "git version 2.34.1 is too old"


def test_a_target_moved_back_by_force_is_not_brought_back_silently(site: Site):
    gone = site.someone_lands("oops.txt")
    site.git.text("fetch", "-q")
    site.git.text("merge", "-q", "--no-edit", "origin/main")
    site.remote.text("update-ref", "refs/heads/main", f"{gone}^")
    result = site.land()
    assert result.outcome is Outcome.PRECONDITION
    assert "moved back by force" in result.headline
    assert "Test Person" in result.why
    assert site.land(accept_rewind=True).outcome is Outcome.DONE


def test_a_target_moved_back_that_this_branch_never_saw_is_only_mentioned(site: Site):
    gone = site.someone_lands("oops.txt")
    site.git.text("fetch", "-q")
    site.remote.text("update-ref", "refs/heads/main", f"{gone}^")
    assert site.land().outcome is Outcome.DONE
    assert any("moved back by force" in line for line in site.seen.plain)


def test_large_files_without_an_upload_hook_do_not_land(site: Site):
    site.commit(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    assert "git lfs install" in site.land().next[0]
    site.hook("pre-push", "# git lfs pre-push\nexit 0", git_dir=site.clone / ".git")
    assert site.land().outcome is Outcome.DONE


def test_a_rebase_is_refused_over_uncommitted_changes_wherever_it_is_verified(site: Site):
    site.someone_lands("theirs.txt")
    (site.clone / "base.txt").write_text("changed\n")
    assert "base.txt" in _refused(site, scratch=True, strategy="rebase").details


TARGETS = [
    ({"into": "flag"}, "config", "file", "flag"),
    ({}, "config", "file", "config"),
    ({}, None, "file", "file"),
    ({}, None, None, "main"),
]


@pytest.mark.parametrize(("flags", "config", "file", "expected"), TARGETS)
def test_the_target_is_chosen_in_order(site: Site, flags, config, file, expected):
    for name in ("flag", "config", "file"):
        site.remote.text("branch", name, "main")
    if config:
        site.git.text("config", "homelab.target", config)
    if file:
        site.commit(".homelab.toml", f'[work]\ntarget = "{file}"\n')
    site.land(**flags)
    assert site.tip(expected) == site.git.text("rev-parse", "HEAD")


def test_the_strategy_comes_from_the_repository_unless_the_person_says_otherwise(site: Site):
    site.commit(".homelab.toml", '[work]\nstrategy = "squash"\n')
    site.land()
    assert site.remote.text("rev-list", "--count", "main") == "2"
    site.commit("more.txt")
    site.commit("even-more.txt")
    site.git.text("config", "homelab.strategy", "nonsense")
    assert site.land().outcome is Outcome.USAGE
    assert site.land(strategy="rebase").outcome is Outcome.DONE
    assert int(site.remote.text("rev-list", "--count", "main")) > 3
