from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from homelab.errors import LockBusy
from homelab.git.lock import held
from tests.fakes import FakeClock

ROOT = str(Path(__file__).parents[2])


def _holding(path: Path) -> subprocess.Popen[str]:
    program = (
        "import sys, time, pathlib\nfrom homelab.clock import SystemClock\nfrom homelab.git.lock import held\n"
        "with held(pathlib.Path(sys.argv[1]), clock=SystemClock(), place='/there', timeout=1):\n"
        "    print('held', flush=True)\n    time.sleep(30)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_busy_lock_names_its_holder_and_gives_up_at_the_deadline(tmp_path: Path, clock: FakeClock):
    holder = _holding(tmp_path / "x.lock")
    try:
        with pytest.raises(LockBusy) as caught, held(tmp_path / "x.lock", clock=clock, place="/here", timeout=60):
            raise AssertionError("held twice")
        assert f"process {holder.pid} in /there" in caught.value.what
        assert 60 <= clock.elapsed < 61
    finally:
        holder.kill()
        holder.communicate()


def test_a_killed_holder_does_not_keep_the_lock(tmp_path: Path, clock: FakeClock):
    holder = _holding(tmp_path / "x.lock")
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with held(tmp_path / "x.lock", clock=clock, place="/here", timeout=0):
        pass


def test_who_does_not_want_to_wait_does_not(tmp_path: Path, clock: FakeClock):
    holder = _holding(tmp_path / "x.lock")
    try:
        asked = []
        with (
            pytest.raises(LockBusy),
            held(
                tmp_path / "x.lock",
                clock=clock,
                place="/here",
                timeout=600,
                waiting=lambda one: bool(asked.append(one)),
            ),
        ):
            pass
        assert (len(asked), clock.elapsed) == (1, 0)
    finally:
        holder.kill()
        holder.communicate()


def test_the_lock_is_free_again_afterwards(tmp_path: Path, clock: FakeClock):
    for _ in range(2):
        with held(tmp_path / "x.lock", clock=clock, place="/here", timeout=0):
            pass
