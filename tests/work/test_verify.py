from __future__ import annotations

import pytest

from homelab.outcome import Outcome
from homelab.settings.trust import TrustStore
from homelab.work import verify_command
from homelab.work.model import LandRequest
from tests.work.site import Site


def test_a_command_that_changes_the_tree_did_not_verify_it(site: Site):
    result = site.land(verify="echo changed > base.txt")
    assert result.outcome is Outcome.VERIFY_FAILED
    assert any("base.txt" in line for line in result.details)


def test_a_command_that_leaves_files_did_not_verify_the_tree(site: Site):
    result = site.land(verify="touch leftover.txt")
    assert result.outcome is Outcome.VERIFY_FAILED
    assert "new: leftover.txt" in result.details


def test_a_command_that_commits_did_not_verify_the_commit(site: Site):
    result = site.land(verify="git commit -q --allow-empty -m sneaky")
    assert result.outcome is Outcome.VERIFY_FAILED
    assert result.why == "it moved HEAD"


def test_files_that_are_ignored_may_appear(site: Site):
    site.commit(".gitignore", "*.log\n")
    assert site.land(verify="touch build.log").outcome is Outcome.DONE


def test_the_command_knows_what_it_verifies_and_has_no_stdin(site: Site):
    was, head = site.tip(), site.git.text("rev-parse", "HEAD")
    site.land(verify=f'cat > {site.root}/in; echo "$HOMELAB_LAND $HOMELAB_BASE $HOMELAB_HEAD" > {site.root}/env')
    assert (site.root / "env").read_text() == f"1 {was} {head}\n"
    assert (site.root / "in").read_text() == ""


def test_a_suite_that_calls_git_from_a_linked_worktree_works_on_its_own_repository(site: Site):
    """git exports an absolute GIT_DIR to hooks when pushing from a linked worktree."""
    linked = site.git.at(site.root / "linked")
    site.git.text("worktree", "add", "-q", "-b", "fix", str(linked.root), "main")
    site.commit("fix.txt", git=linked)
    suite = (
        "set -e; rm -rf ../toy; git init -q ../toy; cd ../toy; git commit -q --allow-empty -m toy; "
        "test $(git rev-list --count HEAD) = 1"
    )
    site.hook(
        "pre-push", f"unset $(git rev-parse --local-env-vars); cd {linked.root}; {suite}", git_dir=site.clone / ".git"
    )
    config = (site.clone / ".git/config").read_text()
    result = site.land(
        linked.root, verify=suite, env={"GIT_DIR": str(site.clone / ".git"), "GIT_INDEX_FILE": "/nowhere"}
    )
    assert result.outcome is Outcome.DONE, result.lines()
    assert (site.clone / ".git/config").read_text() == config


def test_the_whole_output_is_in_the_log_and_without_passwords(site: Site):
    result = site.land(verify="seq 1 100; echo https://me:s3cret@host.example/x; false")
    log = site.clone / ".git/homelab"
    (file,) = log.glob("verify-*.log")
    assert file.read_text().splitlines()[:100] == [str(number) for number in range(1, 101)]
    assert "s3cret" not in file.read_text()
    assert "s3cret" not in str(result.lines())
    assert len(result.details) == 40
    assert file.stat().st_mode & 0o777 == 0o600


def test_in_a_clean_copy_nothing_here_counts_or_changes(site: Site):
    site.someone_lands("theirs.txt")
    (site.clone / "base.txt").write_text("not committed\n")
    (site.clone / "stray.txt").write_text("not added\n")
    head = site.git.text("rev-parse", "HEAD")
    result = site.land(scratch=True, verify="test ! -e stray.txt && test -e theirs.txt && touch made-here.txt")
    assert result.outcome is Outcome.DONE, result.lines()
    assert site.git.text("rev-parse", "HEAD") == head
    assert (site.clone / "base.txt").read_text() == "not committed\n"
    assert site.remote.run("cat-file", "-e", "main:made-here.txt").code != 0
    assert len(site.git.lines("worktree", "list")) == 1


TOML = '[work]\nverify = "{}"\n'


def test_a_repositorys_command_does_not_run_before_it_is_approved(site: Site):
    site.commit(".homelab.toml", TOML.format(f"touch {site.root}/ran"))
    result = site.land(verify=None)
    assert result.outcome is Outcome.PERSON
    assert not (site.root / "ran").exists()
    assert site.land(verify=None, yes=True).outcome is Outcome.DONE
    assert (site.root / "ran").exists()


def test_a_command_the_target_brings_is_asked_about_too(site: Site):
    site.commit(".homelab.toml", TOML.format("true"))
    site.land(verify=None, yes=True)
    site.someone_lands(".homelab.toml", TOML.format(f"touch {site.root}/ran"))
    site.commit("more.txt")
    result = site.land(verify=None)
    assert result.outcome is Outcome.PERSON
    assert not (site.root / "ran").exists()


def test_a_branch_does_not_change_its_own_judge_by_yes_alone(site: Site):
    site.someone_lands(".homelab.toml", TOML.format("make check"))
    site.git.text("fetch", "-q")
    site.git.text("merge", "-q", "--no-edit", "origin/main")
    site.commit(".homelab.toml", TOML.format("true"))
    result = site.land(verify=None, yes=True)
    assert result.outcome is Outcome.PERSON
    assert "- make check" in result.details
    assert site.land(verify=None, yes=True, accept_verify_change=True).outcome is Outcome.DONE
    assert any("make check → true" in line for line in site.seen.plain)


def test_a_recorded_approval_is_enough(site: Site):
    site.commit(".homelab.toml", TOML.format("true"))
    app = site.app()
    TrustStore(app.world.state_home / "trust.json").approve(str(site.clone / ".git"), "true", now=1.0)
    assert site.land(verify=None).outcome is Outcome.DONE


CHOICES = [
    ({"verify": "a"}, "b", "c", ("a", "flag")),
    ({}, "b", "c", ("b", ".homelab.toml")),
    ({}, None, "c", ("c", "git config homelab.verify")),
    ({"verify": "  "}, None, "c", ("c", "git config homelab.verify")),
]


@pytest.mark.parametrize(("flags", "file", "config", "expected"), CHOICES)
def test_the_command_is_chosen_in_order(flags, file, config, expected):
    command = verify_command.choose(LandRequest(**flags), repository_file=file, git_config=config)
    assert command is not None
    assert (command.text, command.origin) == expected


CANDIDATES = [
    ("justfile", "build:\n\nci arg='x': build\n\tx\n", ("just ci",)),
    ("Makefile", "test:\n\ttrue\n", ("make test",)),
    ("Makefile", "test := x\n", ()),
    ("Taskfile.yml", "tasks:\n  lint:\n    cmds: []\n", ("task lint",)),
    ("package.json", '{"scripts": {"test": "jest"}}', ("npm test",)),
    ("package.json", '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}', ()),
    ("package.json", "{", ()),
    ("tox.ini", "", ("tox",)),
    ("pyproject.toml", "[tool.pytest.ini_options]\n", ("pytest",)),
    ("Cargo.toml", "", ("cargo test",)),
    ("go.mod", "", ("go test ./...",)),
    (".pre-commit-config.yaml", "", ("pre-commit run --all-files",)),
    ("main.tf", "", ("terraform validate",)),
    ("tests/test_x.py", "", ("python3 -m pytest",)),
]


@pytest.mark.parametrize(("name", "text", "expected"), CANDIDATES)
def test_candidates_are_read_never_run(tmp_path, name, text, expected):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    assert verify_command.candidates(tmp_path) == expected
