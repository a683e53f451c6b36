"""The command itself, with closed stdin and no terminal, ended by signals: what it says and what is true."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
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
    assert running.returncode == 18, out + err
    assert out.splitlines()[0].startswith("UNKNOWN: interrupted while ")
    site.hook("pre-receive", "exit 0")
    again, said = _land(site, "--no-ci-watch", "--verify-cmd", "true")
    assert (again, said.startswith("LANDED ")) == (0, True), said


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


class Person:
    """Someone at a terminal of their own who runs a land in ``folder``: types, reads, and gets its answer."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._master, self._slave = pty.openpty()
        self.modes = termios.tcgetattr(self._slave)
        self.screen = ""
        # The shell leads a session without a terminal: the first one it opens becomes its own.
        self.running = subprocess.Popen(
            [
                *("sh", "-c", 'exec "$@" <"$0" 2>"$0"', os.ttyname(self._slave)),
                *(sys.executable, "-m", "homelab", "work", "land", "--no-deploy-wait", "--no-ci-watch", *words),
            ],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                self.screen += os.read(self._master, 4096).decode("utf-8", "replace")
            except OSError:
                return

    def types(self, text: str) -> None:
        os.write(self._master, text.encode())

    def sees(self, text: str) -> None:
        deadline = time.monotonic() + 30
        while text not in self.screen:
            assert time.monotonic() < deadline, self.screen
            time.sleep(0.02)

    def answer(self) -> str:
        """Return what the command wrote to standard output, once it has ended."""
        assert self.running.stdout is not None
        return self.running.communicate(timeout=60)[0]

    @property
    def terminal_is_as_it_was(self) -> bool:
        shown = self.screen.rfind("\x1b[?25h") >= self.screen.rfind("\x1b[?25l")
        return shown and termios.tcgetattr(self._slave) == self.modes

    def leave(self) -> None:
        self.running.kill()
        self.running.wait()
        os.close(self._slave)
        self._reader.join(5)
        os.close(self._master)


@pytest.fixture
def person() -> Iterator[list[Person]]:
    people: list[Person] = []
    yield people
    for one in people:
        one.leave()


CTRL_C = "\x03"


def test_ctrl_c_at_a_terminal_while_verifying_leaves_nothing_landed_or_running(site: Site, person: list[Person]):
    was, begun, after = site.tip(), site.root / "begun", site.root / "after"
    person.append(me := Person(site.clone, "--verify-cmd", f"touch {begun}; sleep 2; touch {after}"))
    _appears(begun)
    me.types(CTRL_C)
    said = me.answer()
    assert me.running.returncode == 130, said + me.screen
    assert said.splitlines()[0].startswith("NOT LANDED: ")
    assert me.terminal_is_as_it_was
    assert site.tip() == was
    time.sleep(2.2)
    assert not after.exists()
    assert "Traceback" not in me.screen
    again, text = _land(site, "--no-ci-watch", "--verify-cmd", "true")
    assert again == 0, text


def test_ctrl_c_at_a_terminal_while_pushing_does_not_break_the_push(site: Site, person: list[Person]):
    begun = site.root / "begun"
    site.hook("pre-receive", f"touch {begun}; sleep 1.5")
    person.append(me := Person(site.clone, "--verify-cmd", "true"))
    _appears(begun)
    me.types(CTRL_C)
    said = me.answer()
    assert said.splitlines()[0].startswith("LANDED "), said + me.screen
    assert site.remote.run("cat-file", "-e", "main:feature.txt").code == 0
    assert me.terminal_is_as_it_was


def test_a_second_ctrl_c_at_a_terminal_ends_the_push_at_once(site: Site, person: list[Person]):
    begun = site.root / "begun"
    site.hook("pre-receive", f"touch {begun}; sleep 20")
    person.append(me := Person(site.clone, "--verify-cmd", "true"))
    _appears(begun)
    typed = time.monotonic()
    for _ in range(2):
        me.types(CTRL_C)
        time.sleep(0.5)
    said = me.answer()
    assert time.monotonic() - typed < 14
    assert me.running.returncode == 18, said + me.screen
    assert me.terminal_is_as_it_was


@pytest.mark.parametrize(("reply", "code"), [("n", 75), ("y", 0)])
def test_a_person_is_asked_whether_to_wait_for_another_land(site: Site, person: list[Person], reply: str, code: int):
    begun, go = site.root / "begun", site.root / "go"
    other = site.other()
    other.text("switch", "-q", "-c", "theirs")
    site.commit("theirs.txt", git=other)
    hold = f"touch {begun}; n=0; while test ! -e {go} -a $n -lt 300; do sleep 0.1; n=$((n+1)); done"
    holder = _begin(site, "--no-ci-watch", "--verify-cmd", hold)
    try:
        _appears(begun)
        person.append(me := Person(other.root, "--verify-cmd", "true"))
        me.sees(f"process {holder.pid} in {site.clone} is landing; wait for it? [y/N]")
        me.types(reply + "\n")
        if reply == "y":
            time.sleep(0.5)
            assert me.running.poll() is None
            go.touch()
        said = me.answer()
        assert me.running.returncode == code, said + me.screen
        assert said.startswith("LANDED " if reply == "y" else "NOT LANDED: ")
        assert site.remote.run("cat-file", "-e", "main:theirs.txt").code == (0 if reply == "y" else 128)
        assert me.terminal_is_as_it_was
    finally:
        go.touch()
        holder.communicate(timeout=60)
    assert holder.returncode == 0
