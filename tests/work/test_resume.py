"""Killed anywhere, then run again: landed exactly once, or cleanly not; never pushed before asking."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from homelab.errors import Interrupted
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.work.follow import Waits
from tests.work.site import Site, answer

ROOT = Path(__file__).parents[2]

MOMENTS = [
    "work.base.fetched",
    "work.branch.integrated",
    "work.verify.started",
    "work.verify.passed",
    "work.push.started",
    "work.push.judged",
    "work.commit.landed",
    "ci",
    "deploy",
]


def _lander(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.work.lander", str(site.clone), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _times_landed(site: Site) -> int:
    return len(site.remote.lines("log", "--format=%s", "--grep=Write feature.txt", "main"))


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase", "ff-only"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_and_run_again_it_has_landed_once(site: Site, moment: str, strategy: str):
    site.someone_lands("theirs.txt")
    if strategy == "ff-only":
        site.git.text("pull", "-q", "--rebase", "origin", "main")
    killed = _lander(site, "--kill-at", moment, "--strategy", strategy)
    assert killed.returncode == -signal.SIGKILL
    again = _lander(site, "--strategy", strategy)
    assert again.returncode == 0, again.stdout + again.stderr
    said = json.loads(again.stdout)
    assert (said["landed"], said["landed_oid"]) == (True, site.tip())
    assert _times_landed(site) == 1
    assert site.remote.run("cat-file", "-e", "main:theirs.txt").code == 0
    assert f"deploy {site.tip()}" in said["waited"]
    assert (f"ci {site.tip()}" in said["waited"]) is (moment != "deploy")
    assert site.git.text("status", "--porcelain") == ""


def test_killed_by_its_own_verification_nothing_has_landed(site: Site):
    was = site.tip()
    killed = _lander(site, "--verify", "kill -9 $PPID")
    assert killed.returncode == -signal.SIGKILL
    assert site.tip() == was
    assert _lander(site).returncode == 0
    assert _times_landed(site) == 1


@pytest.mark.parametrize("hook", ["pre-merge-commit", "post-merge"])
def test_killed_in_the_middle_of_a_merge_nothing_is_lost(site: Site, hook: str):
    site.someone_lands("theirs.txt")
    # The hook's parent is git, git's parent is the land.
    body = f"test -e {site.root}/once && exit 0; touch {site.root}/once; kill -9 $(ps -o ppid= -p $PPID) $PPID"
    site.hook(hook, body, git_dir=site.clone / ".git")
    assert _lander(site).returncode == -signal.SIGKILL
    again = _lander(site)
    assert again.returncode == 0, again.stdout + again.stderr
    assert _times_landed(site) == 1


@pytest.mark.parametrize(
    "hook", ["pre-rebase", "post-checkout", "post-commit", "post-rewrite", "reference-transaction"]
)
def test_killed_in_the_middle_of_a_rebase_nothing_is_lost(site: Site, hook: str):
    site.commit("second.txt")
    site.someone_lands("theirs.txt")
    body = f"test {hook} = pre-rebase -o -d .git/rebase-merge || exit 0; test -e {site.root}/once && exit 0"
    body += f"; touch {site.root}/once; kill -9 $(ps -o ppid= -p $PPID) $PPID"
    site.hook(hook, body, git_dir=site.clone / ".git")
    assert _lander(site, "--strategy", "rebase").returncode == -signal.SIGKILL
    again = _lander(site, "--strategy", "rebase")
    assert again.returncode == 0, again.stdout + again.stderr
    assert _times_landed(site) == 1
    assert site.git.text("symbolic-ref", "HEAD") == "refs/heads/topic"
    assert site.remote.lines("log", "--format=%s", "-3", "main")[:2] == ["Write second.txt", "Write feature.txt"]


@pytest.mark.parametrize("theirs", ["an edit", "a commit"])
def test_work_done_in_a_half_made_rebase_is_never_undone(site: Site, theirs: str):
    site.someone_lands("theirs.txt")
    body = "test -d .git/rebase-merge && kill -9 $(ps -o ppid= -p $PPID) $PPID"
    hook = site.hook("post-checkout", body, git_dir=site.clone / ".git")
    _lander(site, "--strategy", "rebase")
    hook.unlink()
    if theirs == "a commit":
        site.commit("mine.txt")
    else:
        (site.clone / "base.txt").write_text("mine, not committed\n")
    assert _lander(site, "--strategy", "rebase").returncode == Outcome.PRECONDITION
    if theirs == "a commit":
        assert site.git.text("log", "-1", "--format=%s") == "Write mine.txt"
    else:
        assert (site.clone / "base.txt").read_text() == "mine, not committed\n"


@pytest.mark.parametrize(("strategy", "hook"), [("merge", "pre-merge-commit"), ("rebase", "post-checkout")])
def test_killed_while_integrating_again_after_a_race_the_new_base_is_not_forgotten(
    site: Site, strategy: str, hook: str
):
    other, once = site.other(), site.root / "raced"
    race = (
        f"test -e {once} && exit 0; touch {once}; cd {other.root} && echo x > raced.txt && git add . "
        "&& git commit -qm race && git push -q origin HEAD:refs/heads/main"
    )
    body = f"test -d .git/rebase-merge -o {hook} = pre-merge-commit && kill -9 $(ps -o ppid= -p $PPID) $PPID"
    made = site.hook(hook, body, git_dir=site.clone / ".git")
    assert _lander(site, "--strategy", strategy, "--verify", race).returncode == -signal.SIGKILL
    made.unlink()
    again = _lander(site, "--strategy", strategy)
    assert again.returncode == 0, again.stdout + again.stderr
    assert json.loads(again.stdout)["attempts"] == 1
    assert _times_landed(site) == 1
    assert site.remote.run("cat-file", "-e", "main:raced.txt").code == 0


def test_an_edit_beside_a_half_made_merge_is_never_undone(site: Site):
    site.someone_lands("theirs.txt")
    body = "kill -9 $(ps -o ppid= -p $PPID) $PPID"
    site.hook("pre-merge-commit", body, git_dir=site.clone / ".git")
    _lander(site)
    (site.clone / "base.txt").write_text("mine, not committed\n")
    assert _lander(site).returncode == Outcome.PRECONDITION
    assert (site.clone / "base.txt").read_text() == "mine, not committed\n"


def test_a_push_that_arrived_unseen_is_found_not_repeated(site: Site):
    site.hook("post-receive", f"kill -9 $(cat {site.root}/pid); cat >> {site.root}/pushes")
    pid = site.root / "pid"
    killed = _lander(site, "--verify", f"echo $PPID > {pid}")
    assert killed.returncode == -signal.SIGKILL
    landed = site.tip()
    site.hook("pre-receive", f"echo again >> {site.root}/again")
    again = json.loads(_lander(site).stdout)
    assert (again["landed_oid"], site.tip()) == (landed, landed)
    assert not (site.root / "again").exists()


def test_before_anything_is_pushed_again_the_remote_is_asked(site: Site):
    _lander(site, "--kill-at", "work.push.started")
    site.remote_path.rename(site.root / "away.git")
    result = site.land()
    assert result.outcome is Outcome.LAND_UNKNOWN
    (site.root / "away.git").rename(site.remote_path)
    assert site.land().outcome is Outcome.DONE


def test_a_tree_that_passed_is_not_verified_twice(site: Site):
    hook = site.hook("pre-receive", "exit 1")
    count = f"echo run >> {site.root}/runs"
    assert site.land(verify=count).outcome is Outcome.PUSH_POLICY
    hook.unlink()
    assert site.land(verify=count).outcome is Outcome.DONE
    assert (site.root / "runs").read_text() == "run\n"
    assert "verify: passed before, same tree" in site.seen.plain


def test_new_commits_after_a_failed_verification_are_verified(site: Site):
    site.someone_lands("theirs.txt")
    assert site.land(verify="test -f fixed.txt").outcome is Outcome.VERIFY_FAILED
    site.commit("fixed.txt")
    result = site.land(verify="test -f fixed.txt")
    assert result.outcome is Outcome.DONE
    assert "Someone writes" in site.remote.text("log", "-1", "--format=%s", "main^1")


def test_ctrl_c_while_waiting_for_ci_leaves_it_landed(site: Site):
    def ci(_commit):
        raise KeyboardInterrupt

    result = site.land(waits=Waits(ci=ci, deploy=answer(Outcome.DONE)))
    assert result.outcome is Outcome.CI_UNSEEN
    assert result.first().startswith("LANDED ")
    assert result.next == ("homelab work land --resume",)
    asked = []
    again = site.land(waits=Waits(ci=answer(Outcome.DONE, asked=asked), deploy=answer(Outcome.DONE)), resume=True)
    assert again.outcome is Outcome.DONE
    assert [commit.oid for commit in asked] == [site.tip()]


def test_termination_while_waiting_for_the_rollout_leaves_it_landed(site: Site):
    def deploy(_commit):
        raise Interrupted("interrupted", why="SIGTERM", fix="again", outcome=Outcome.TERMINATED)

    result = site.land(waits=Waits(ci=answer(Outcome.DONE), deploy=deploy))
    assert result.outcome is Outcome.DEPLOY_UNSEEN
    assert result.first().startswith("LANDED ")


def test_a_rollout_replaced_by_a_commit_that_contains_it_names_the_waits_own_next_command(site: Site):
    @dataclass(frozen=True, slots=True)
    class Replaced(Result):
        def record(self):
            return {"targets": [{"hint": "homelab deploy wait t/web --sha 0123456789ab --newer-ok"}]}

    def deploy(_commit):
        return Replaced(Outcome.SUPERSEDED, "t/web: the template moved on")

    result = site.land(waits=Waits(ci=answer(Outcome.DONE), deploy=deploy))
    assert result.outcome is Outcome.DEPLOY_UNSEEN
    assert result.next == ("homelab deploy wait t/web --sha 0123456789ab --newer-ok",)


def test_a_bug_while_waiting_does_not_hide_that_it_landed(site: Site):
    def ci(_commit):
        raise ZeroDivisionError("oops")

    result = site.land(waits=Waits(ci=ci, deploy=answer(Outcome.DONE)))
    assert result.outcome is Outcome.CI_UNSEEN
    assert result.first().startswith("LANDED ")
    assert any("ZeroDivisionError" in line for line in result.lines())


def test_work_after_an_unwatched_land_lands_by_itself(site: Site):
    site.land(waits=Waits(ci=answer(Outcome.PENDING), deploy=answer(Outcome.DONE)))
    site.commit("more.txt")
    result = site.land()
    assert result.outcome is Outcome.DONE
    assert site.remote.run("cat-file", "-e", "main:more.txt").code == 0
    assert any("was not watched to its end" in line for line in site.seen.plain)


def test_resume_without_an_unfinished_land_is_refused(site: Site):
    assert site.land(resume=True).outcome is Outcome.USAGE


def test_a_damaged_state_is_named_and_nothing_is_done(site: Site):
    state = site.clone / ".git/homelab/land.json"
    state.parent.mkdir()
    state.write_text("{")
    result = site.land()
    assert result.outcome is Outcome.PRECONDITION
    assert str(state) in result.headline


def test_the_stored_state_holds_no_password_and_is_the_owners_alone(site: Site):
    site.git.text("config", "url.file://.insteadOf", "https://me:s3cret@host.example")
    site.git.text("remote", "set-url", "origin", f"https://me:s3cret@host.example{site.remote_path}")
    site.land(verify="false")
    state = site.clone / ".git/homelab/land.json"
    assert "s3cret" not in state.read_text()
    assert state.stat().st_mode & 0o777 == 0o600
