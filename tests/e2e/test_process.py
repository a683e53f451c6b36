"""Real children: detached, ready, known again, stopped with all they started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from homelab.errors import Unreachable
from homelab.lab import process

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


def test_a_child_runs_in_its_own_session_and_stop_ends_it(tmp_path: Path) -> None:
    child = process.start("sleeper", SLEEPER, folder=tmp_path)
    assert child.pid == os.getsid(child.pid)
    assert process.alive(child)
    process.stop(child)
    assert not process.alive(child)


def test_stop_kills_a_child_that_ignores_term(tmp_path: Path) -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    child = process.start("stubborn", [sys.executable, "-c", stubborn], folder=tmp_path)
    process.wait_ready(child, lambda: process.tail(child.log) or None)
    process.stop(child, grace=0.2)
    assert not process.alive(child)


LEAVES_A_CHILD = """
import subprocess, sys
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
"""


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_stop_ends_what_a_dead_child_left_in_its_group(tmp_path: Path) -> None:
    child = process.start("parent", [sys.executable, "-c", LEAVES_A_CHILD], folder=tmp_path)
    orphan = int(process.wait_ready(child, lambda: process.tail(child.log) or None)[0])
    deadline = time.monotonic() + 10
    while process.alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert runs(orphan)
    process.stop(child)
    assert not runs(orphan)


def test_a_child_that_dies_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    child = process.start("broken", [sys.executable, "-c", "raise SystemExit('port is taken')"], folder=tmp_path)
    with pytest.raises(Unreachable, match="broken did not start") as caught:
        process.wait_ready(child, lambda: None, deadline=10)
    assert caught.value.details == ("port is taken",)


def test_a_killed_child_is_not_alive(tmp_path: Path) -> None:
    child = process.start("sleeper", SLEEPER, folder=tmp_path)
    os.kill(child.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while process.alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_program_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="ghost could not be started"):
        process.start("ghost", [str(tmp_path / "nothing")], folder=tmp_path)


def test_a_child_of_another_birth_is_left_alone(tmp_path: Path) -> None:
    child = process.start("sleeper", SLEEPER, folder=tmp_path)
    process.stop(replace(child, born="an earlier life of that pid"), grace=0.2)
    assert process.alive(child)
    process.stop(child)


def test_a_child_is_remembered_before_a_signal_ends_the_start(tmp_path: Path) -> None:
    remembered: list[process.Child] = []

    def remember(child: process.Child) -> None:
        signal.raise_signal(signal.SIGINT)
        remembered.append(child)

    with pytest.raises(KeyboardInterrupt):
        process.start("sleeper", ["sleep", "60"], folder=tmp_path, remember=remember)
    assert [child.name for child in remembered] == ["sleeper"]
    assert process.alive(remembered[0])
    process.stop(remembered[0])


UNREAPING = """
import json, sys, time
from pathlib import Path
from homelab.lab import process
child = process.start("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"], folder=Path(sys.argv[1]))
print(json.dumps(child.record()), flush=True)
time.sleep(60)
"""


@pytest.mark.timeout(30)
def test_stop_does_not_wait_for_a_dead_child_that_nobody_reaps(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", UNREAPING, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = process.Child.from_record(json.loads(parent.stdout.readline()))
        process.stop(child, grace=60.0)
        assert not process.alive(child)
        parent.kill()
