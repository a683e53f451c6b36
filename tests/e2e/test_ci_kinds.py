"""One script, every kind of CI: the same words get the same codes from Woodpecker and each level of Actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
    push(here, green=True)
    green = here.homelab("watch", "--timeout", "30")
    status = here.homelab("status")
    push(here, green=False)
    red = here.homelab("watch", "--timeout", "30")
    push(here, green=True, message="docs [skip ci]")
    none = here.homelab("watch", "--appear-timeout", "1")

    assert green.code == 0, green.plain
    assert status.code == 0, status.plain
    assert red.code == 1, red.plain
    assert "#2" in red.err
    assert none.code == 7, none.plain
    assert "the commit message says [skip ci]" in none.out


@pytest.mark.parametrize("kind", ["forgejo", "gitea"])
def test_where_there_are_logs_the_failing_lines_are_shown(tmp_path: Path, kind: str) -> None:
    with actions_shop(tmp_path / "lab", kind, "D") as here:
        push(here, green=False)
        ran = here.homelab("watch", "--timeout", "30")

    assert ran.code == 1, ran.plain
    assert "| about to break" in ran.out
    assert "exit 3" in ran.out


def test_where_there_are_none_it_is_said_with_the_page(tmp_path: Path) -> None:
    with actions_shop(tmp_path / "lab", "forgejo", "C") as here:
        push(here, green=False)
        ran = here.homelab("watch", "--timeout", "30")
        logs = here.homelab("logs")

    assert "gives no logs by call" in ran.out
    assert "https://git.homelab.test/lab/shop/actions/runs/1" in ran.out
    assert logs.code == 7
    assert "https://git.homelab.test/lab/shop/actions/runs/1" in logs.err
