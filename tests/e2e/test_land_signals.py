"""The command itself, with closed stdin and no terminal, ended by signals: what it says and what is true."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.work.site import Site

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site.make(tmp_path / "site")
    made.topic()
    made.commit("feature.txt")
    return made


def _begin(site: Site, *words: str, under: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*under, sys.executable, "-m", "homelab", "work", "land", "--no-deploy-wait", *words],
        cwd=site.clone,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _land(site: Site, *words: str) -> tuple[int, str]:
    running = _begin(site, *words)
    out, err = running.communicate(timeout=60)
    return running.returncode, out + err


def _appears(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never appeared"
        time.sleep(0.02)


CODES = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.parametrize(("number", "code"), CODES)
def test_ended_while_verifying_nothing_has_landed_and_nothing_runs_on(site: Site, number: int, code: int):
    was, begun, after = site.tip(), site.root / "begun", site.root / "after"
    running = _begin(site, "--no-ci-watch", "--verify-cmd", f"touch {begun}; sleep 2; touch {after}")
    _appears(begun)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == code, out + err
    assert out.splitlines()[0].startswith("NOT LANDED: ")
    assert site.tip() == was
    time.sleep(2.2)
    assert not after.exists()
    again, said = _land(site, "--no-ci-watch", "--verify-cmd", "true")
    assert again == 0, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_while_pushing_the_push_ends_and_the_remote_decides(site: Site, number: int):
    begun = site.root / "begun"
    site.hook("pre-receive", f"touch {begun}; sleep 1.5")
    running = _begin(site, "--no-ci-watch", "--verify-cmd", "true")
    _appears(begun)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert out.splitlines()[0].startswith("LANDED "), out + err
    assert site.remote.run("cat-file", "-e", "main:feature.txt").code == 0


def test_a_second_signal_does_not_wait_for_the_push_and_says_what_is_true(site: Site):
    begun = site.root / "begun"
    site.hook("pre-receive", f"touch {begun}; sleep 20")
    running = _begin(site, "--no-ci-watch", "--verify-cmd", "true")
    _appears(begun)
    for _ in range(2):
        running.send_signal(signal.SIGINT)
        time.sleep(0.5)
    out, err = running.communicate(timeout=30)
    assert running.returncode in {130, 15, 18}, out + err
    assert out.splitlines()[0].startswith(("NOT LANDED: ", "UNKNOWN: "))


def test_under_timeout_with_closed_stdin_it_ends_as_a_land_does(site: Site):
    under = ("timeout", "--preserve-status", "-s", "INT", "6")
    running = _begin(site, "--no-ci-watch", "--verify-cmd", "sleep 60", under=under)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, out + err
    assert out.splitlines()[0].startswith("NOT LANDED: ")


def test_a_whole_land_works_with_closed_streams(site: Site):
    words = "work land --no-ci-watch --no-deploy-wait --verify-cmd true"
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m homelab {words} <&- 2>/dev/null"],
        cwd=site.clone,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("LANDED ")


HELP = [("--help",), ("--into", "main", "--help"), ("--verify-cmd", "true", "-h"), ("--nope",)]


@pytest.mark.parametrize("words", HELP)
def test_help_and_mistakes_anywhere_land_nothing(site: Site, words: tuple[str, ...]):
    was = site.tip()
    assert _land(site, *words)[0] == (2 if words == ("--nope",) else 0)
    assert site.tip() == was
    assert not (site.clone / ".git/homelab").exists()
