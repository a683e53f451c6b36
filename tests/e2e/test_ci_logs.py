"""`ci logs` against trouble: a stream held back, answers that pass, a cancelled run, a reader that leaves."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.ci_shop import TEST_STEP, Shop, shop


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path / "lab") as made:
        yield made


def test_a_held_back_stream_and_passing_refusals_lose_no_line(here: Shop) -> None:
    here.world.faults(mute="bytes", transient=["502", "empty", "503"], transient_path="/logs/")
    here.push(TEST_STEP + "      - for n in $(seq 30); do echo line $n; sleep 0.05; done\n")

    ran = here.homelab("logs", "--step", "test", "--follow", "--timeout", "40")

    assert ran.code == 0, ran.plain
    assert [line for line in ran.out.splitlines() if line.startswith("line ")] == [f"line {n}" for n in range(1, 31)]


def test_steps_that_never_begin_end_with_their_cancelled_run(here: Shop) -> None:
    here.push(TEST_STEP + "      - sleep 20\n  - name: after\n    image: bash\n    commands:\n      - echo never\n")
    here.world.wait(1, "running")
    stop = here.later(lambda: (time.sleep(1), here.homelab("cancel")))

    began = time.monotonic()
    ran = here.homelab("logs", "--follow", "--timeout", "60")
    stop.join()

    assert ran.code == 0, ran.plain
    assert "never" not in ran.out
    assert time.monotonic() - began < 20


def test_a_reader_that_leaves_ends_the_following(here: Shop) -> None:
    here.push(TEST_STEP + "      - for n in $(seq 300); do echo line $n; sleep 0.05; done\n")
    here.world.wait(1, "running")
    command = f"{sys.executable} -m homelab ci logs --follow | head -n 3"

    began = time.monotonic()
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=here.world.folder / "clone",
        env=here.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    assert len(ran.stdout.splitlines()) == 3
    assert time.monotonic() - began < 12
