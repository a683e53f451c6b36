"""Long waits, long logs, broken streams: nothing is lost, nothing is told twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.ci_shop import GREEN, RED, TEST_STEP, Shop, shop

LINES = 100_000
#: The largest memory since exec, in kB, as the last words on stderr: a parent's counts in getrusage.
MEASURED = """
import sys
from homelab.cli import run
from homelab.world import World
code = run(sys.argv[1:], World.real())
status = open("/proc/self/status").read()
print(status.partition("VmHWM:")[2].splitlines()[0], file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path / "lab") as made:
        yield made


def test_a_watch_in_pieces_tells_each_thing_once_and_ends_with_the_verdict(here: Shop) -> None:
    here.push(TEST_STEP + "      - for n in 1 2 3 4; do echo $n; sleep 0.7; done\n")
    told: list[str] = []
    codes = []
    for _ in range(20):
        ran = here.homelab("watch", "--timeout", "0.5", "--output", "ndjson")
        told += [line for line in ran.out.splitlines() if '"kind":"ci.' in line]
        codes.append(ran.code)
        if ran.code != 8:
            break

        assert "homelab ci watch" in ran.out.splitlines()[-1]
        assert "--timeout 0.5s" in ran.out.splitlines()[-1]

    assert codes[-1] == 0, codes
    assert codes.count(8) >= 2
    assert sum('"kind":"ci.pipeline.seen"' in line for line in told) == 1
    said = [line.partition('"subject"')[2] for line in told]
    assert len(said) == len(set(said)), said
    assert any("success" in line for line in said)


def test_logs_in_pieces_show_every_line_once(here: Shop) -> None:
    here.push(TEST_STEP + "      - for n in $(seq 40); do echo line $n; sleep 0.05; done\n")
    lines: list[str] = []
    words = ["--follow", "--step", "test"]
    for _ in range(30):
        ran = here.homelab("logs", *words, "--timeout", "1", "--output", "ndjson")
        lines += [line for line in ran.out.splitlines() if '"kind":"ci.log.read"' in line and '"line ' in line]
        if ran.code != 8:
            break
        words = ran.out.rpartition("homelab ci logs ")[2].partition('"')[0].split()

    assert ran.code == 0, ran.plain
    shown = [int(line.partition('"text":"line ')[2].partition('"')[0]) for line in lines]
    assert shown == list(range(1, 41))


def test_the_last_plain_line_of_a_piece_is_the_command_that_shows_the_rest_of_all_steps(here: Shop) -> None:
    loop = "for n in $(seq 20); do echo line {} $n; sleep 0.05; done\n"
    second = "  - name: after\n    image: bash\n    commands:\n      - " + loop.format("after")
    here.push(TEST_STEP + "      - " + loop.format("test") + second)
    lines: list[str] = []
    words = ["--follow"]
    for _ in range(30):
        ran = here.homelab("logs", *words, "--timeout", "1")
        lines += [line.rpartition("line ")[2] for line in ran.out.splitlines() if "line " in line and "+" not in line]
        if ran.code != 8:
            break
        words = ran.err.splitlines()[-1].rpartition("go on: homelab ci logs ")[2].split()

    assert ran.code == 0, ran.plain
    assert lines == [f"{step} {n}" for step in ("test", "after") for n in range(1, 21)]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the memory")
def test_following_a_hundred_thousand_lines_shows_each_once_in_order_in_little_memory(here: Shop) -> None:
    here.push(TEST_STEP + f"      - seq -f 'line %.0f' {LINES}\n")
    env = {**here.env, "PYTHONUNBUFFERED": "1"}
    argv = [sys.executable, "-c", MEASURED, "ci", "logs", "--step", "test", "--follow", "--timeout", "60"]
    out = here.world.folder / "lines"
    with out.open("w") as file:
        ran = subprocess.run(
            argv, env=env, cwd=here.world.folder / "clone", stdout=file, stderr=subprocess.PIPE, check=False
        )
    said = ran.stderr.decode()

    assert ran.returncode == 0, said
    shown = [line for line in out.read_text().splitlines() if line.startswith("line ")]
    assert shown == [f"line {n}" for n in range(1, LINES + 1)]
    assert int(said.split()[-2]) < 60 * 1024, said


def test_lost_shuffled_and_doubled_lines_come_out_whole(here: Shop) -> None:
    here.world.faults(drop_at_eof=3, log_shuffled=True, log_duplicated=True, log_late=0.3)
    here.push(TEST_STEP + "      - for n in $(seq 40); do echo line $n; done; sleep 0.5\n")

    ran = here.homelab("logs", "--step", "test", "--follow", "--timeout", "30")

    assert [line for line in ran.out.splitlines() if line.startswith("line ")] == [f"line {n}" for n in range(1, 41)]


@pytest.mark.parametrize("mute", ["events", "bytes"])
def test_a_muted_event_stream_only_makes_the_watch_slower(here: Shop, mute: str) -> None:
    here.world.faults(mute=mute)
    here.push(GREEN)

    ran = here.homelab("watch", "--timeout", "20")

    assert ran.code == 0, ran.plain
    assert len(ran.plain.splitlines()) == 2


def test_late_and_reordered_events_mislead_nobody(here: Shop) -> None:
    here.world.faults(reorder=True, delay=0.2)
    here.push(RED)

    assert here.homelab("watch", "--timeout", "20").code == 1


@pytest.mark.parametrize("trouble", ["401", "404", "429", "502", "empty", "portal"])
def test_an_answer_that_passes_kills_no_watch(here: Shop, trouble: str) -> None:
    here.push(TEST_STEP + "      - sleep 1\n")
    here.world.wait(1, "running")
    ran = here.homelab("watch", "--timeout", "30", first=lambda: here.world.faults(transient=[trouble]))

    assert ran.code == 0, ran.plain


def test_a_server_of_2x_is_read_by_its_old_names(here: Shop) -> None:
    here.world.faults(legacy_names=True, old_eof=True)
    here.push(RED)

    ran = here.homelab("watch", "--timeout", "20")
    logs = here.homelab("logs", "--failed")

    assert ran.code == 1, ran.plain
    assert "about to break" in logs.out


def test_a_run_stuck_in_created_is_never_green(here: Shop) -> None:
    here.world.faults(strand_created=True)
    here.push(GREEN)

    assert here.homelab("watch", "--timeout", "1").code == 8
