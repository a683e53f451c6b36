"""One script, every kind of CI: the same words get the same codes from Woodpecker and each level of Actions."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from homelab.lab.actions.words import Level
from tests.e2e.ci_shop import GREEN, RED, Shop, actions_shop, shop

WORKFLOW = """
name: CI
on: [push]
jobs:
  build:
    runs-on: docker
    steps:
      - name: Test
        run: {command}
"""
FILE = ".github/workflows/ci.yml"
Push = Callable[[str], str]
SCRIPT = Path(__file__).with_name("watch_commit.sh")
KINDS = ["woodpecker", "forgejo A", "forgejo B", "forgejo C", "forgejo D", "gitea A", "gitea B", "gitea D"]


@pytest.fixture(params=KINDS)
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    kind, _, level = request.param.partition(" ")
    made = shop(tmp_path / "lab") if kind == "woodpecker" else actions_shop(tmp_path / "lab", kind, level)
    with made as found:
        yield found


def push(here: Shop, *, green: bool, message: str = "Change") -> str:
    command = "sleep 0.2; echo fine" if green else "echo about to break; exit 3"
    files = {".woodpecker.yaml": GREEN if green else RED, FILE: WORKFLOW.format(command=f'"{command}"')}
    return here.world.push(files, message=message)


def test_the_same_script_gets_the_same_answers(here: Shop) -> None:
    env = {**os.environ, **here.env, "HOMELAB": f"{sys.executable} -m homelab"}

    ran = subprocess.run(
        ["sh", str(SCRIPT)], cwd=here.world.folder / "clone", env=env, capture_output=True, text=True, check=False
    )
    print(ran.stdout)  # noqa: T201 -- shown with -s

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1] == "the same on every kind of CI"


@pytest.mark.parametrize("kind", ["forgejo", "gitea"])
def test_where_there_are_logs_the_failing_lines_are_shown(tmp_path: Path, kind: str) -> None:
    with actions_shop(tmp_path / "lab", kind, "D") as here:
        push(here, green=False)
        ran = here.homelab("watch", "--timeout", "30")

    assert ran.code == 1, ran.plain
    assert "| about to break" in ran.out
    assert "exit 3" in ran.out


JOBS = """
name: CI
on: [push]
jobs:
"""


def test_where_there_are_none_it_is_said_with_the_page(tmp_path: Path) -> None:
    with actions_shop(tmp_path / "lab", "forgejo", "C", visibility="private") as here:
        push(here, green=False)
        ran = here.homelab("watch", "--timeout", "30")
        logs = here.homelab("logs")

    page = "https://git.homelab.test/lab/shop/actions/runs/1"
    assert "this server has no log API (Forgejo < 16); open " + page in ran.out
    assert logs.code == 7, logs.plain
    assert f"next: open {page}" in logs.err


@pytest.mark.parametrize(("kind", "level"), [("forgejo", "B"), ("forgejo", "C"), ("gitea", "B")])
def test_a_public_repositorys_page_shows_the_log_that_no_call_gives(tmp_path: Path, kind: str, level: str) -> None:
    more = {"early_logs": True, "version": "1.24.7"} if kind == "gitea" else {}
    with actions_shop(tmp_path / "lab", kind, level, visibility="public", **more) as here:
        push(here, green=False)
        ran = here.homelab("watch", "--timeout", "30")
        logs = here.homelab("logs", "--failed")

    assert "| about to break" in ran.out, ran.plain
    assert "about to break" in logs.out, logs.plain


@pytest.mark.parametrize(("kind", "level"), [("forgejo", "A"), ("forgejo", "C"), ("gitea", "D")])
def test_a_failure_on_the_last_of_many_short_pages_is_seen(tmp_path: Path, kind: str, level: str) -> None:
    step = "  j{0}: {{runs-on: docker, steps: [{{run: {1}}}]}}\n"
    jobs = "".join(step.format(n, "'exit 1'" if n == 0 else "'true'") for n in range(7))
    with actions_shop(tmp_path / "lab", kind, level, max_items=2) as here:
        here.world.push({FILE: JOBS + jobs})
        ran = here.homelab("watch", "--timeout", "30")

    assert ran.code == 1, ran.plain


@pytest.mark.parametrize("ignored", [False, True], ids=["range", "range ignored"])
def test_a_log_of_actions_is_followed_line_by_line(tmp_path: Path, ignored: bool) -> None:
    with actions_shop(tmp_path / "lab", "gitea", "D") as here:
        here.world.faults(ignore_range=ignored)
        command = '"for n in $(seq 30); do echo line $n; sleep 0.1; done"'
        here.world.push({FILE: WORKFLOW.format(command=command)})
        ran = here.homelab("logs", "--follow", "--timeout", "30")

    assert ran.code == 0, ran.plain
    assert [line for line in ran.out.splitlines() if line.startswith("line ")] == [f"line {n}" for n in range(1, 31)]


def test_the_description_is_fetched_once_and_a_stale_one_does_no_harm(tmp_path: Path) -> None:
    with actions_shop(tmp_path / "lab", "forgejo", "D") as here:
        push(here, green=True)
        first = here.homelab("watch", "--timeout", "30")
        kept = list((tmp_path / "home" / ".local/state/homelab/ci").glob("powers-*.json"))
        # The same version string, and the runs are gone: a server that was set back.
        here.world.config = replace(here.world.config, level=Level.TASKS, version=here.world.config.shown_version)
        here.world.restart()
        stale, after = here.homelab("status"), here.homelab("status")

    assert len(kept) == 1, first.plain
    assert (first.code, stale.code, after.code) == (0, 0, 0), stale.plain + after.plain
