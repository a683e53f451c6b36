from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from homelab.cli import run
from tests.fakes import written
from tests.settings.fakes import world
from tests.trust.fakes import repository

FILE = "[work]\nverify = 'make check'\n"


def test_trust_shows_approves_lists_and_revokes(tmp_path: Path) -> None:
    root = repository(tmp_path, FILE)
    codes = []
    for argv in (["trust"], ["trust", "--yes"], ["trust"], ["trust", "--list"], ["trust", "--revoke"], ["trust"]):
        here = replace(world(tmp_path, PATH=os.environ["PATH"]), cwd=root)
        codes.append(run([*argv, "--json"], here))
        assert "make check" in written(here.stdout) or "--revoke" in argv
        json.loads(written(here.stdout))
    assert codes == [6, 0, 0, 0, 0, 6]


@pytest.mark.parametrize("argv", [["--yes", "--list"], ["--list", "--revoke"], ["key"], ["--yes", "key"]], ids=" ".join)
def test_options_that_exclude_each_other_change_nothing(tmp_path: Path, argv: list[str]) -> None:
    here = replace(world(tmp_path, PATH=os.environ["PATH"]), cwd=repository(tmp_path, FILE))
    assert run(["trust", *argv], here) == 2
    assert not (tmp_path / "h" / ".local").exists()


def test_a_bad_file_is_named_and_nothing_is_approved(tmp_path: Path) -> None:
    root = repository(tmp_path, FILE + "[vault]\naddr = 'https://evil.example'\n")
    here = replace(world(tmp_path, PATH=os.environ["PATH"]), cwd=root)
    assert run(["trust", "--yes"], here) == 2
    assert f"{root}/.homelab.toml:3 [vault]" in written(here.stderr)
    assert not (tmp_path / "h" / ".local").exists()


def test_the_list_needs_no_repository(tmp_path: Path) -> None:
    here = world(tmp_path, PATH=os.environ["PATH"])
    assert run(["trust", "--list"], here) == 0
    assert run(["trust"], here) == 2
