from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from homelab.cli import run
from homelab.doctor.examine import examine
from tests.doctor.fakes import app
from tests.fakes import written
from tests.settings.fakes import world
from tests.trust.fakes import repository


def test_every_part_answers_where_nothing_is_configured(tmp_path: Path) -> None:
    made = app(tmp_path)
    graded = [(each.name, each.grade.value) for each in examine(made).findings]
    assert graded == [
        ("git", "ok"),
        ("configuration", "ok"),
        ("repository", "fail"),
        ("ci", "fail"),
        ("vault", "skip"),
        ("kubernetes", "skip"),
    ]


def test_a_bad_configuration_does_not_hide_the_repository(tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    root = repository(tmp_path, "[vault]\naddr = 'https://evil.example'\n", remote=str(bare))
    here = replace(world(tmp_path, PATH=os.environ["PATH"]), cwd=root)
    assert run(["doctor", "--json"], here) == 2
    checks = {check["name"]: check for check in json.loads(written(here.stdout))["checks"]}
    assert {name: check["grade"] for name, check in checks.items()} == {
        "git": "ok",
        "configuration": "fail",
        "repository": "ok",
        "remote": "fail",
    }
    assert ".homelab.toml:1 [vault]" in checks["configuration"]["says"]
    assert checks["remote"]["exit_code"] == 7


def test_a_bad_timeout_in_the_environment_is_not_hidden_by_doctors_own(tmp_path: Path) -> None:
    here = world(tmp_path, HOMELAB_TIMEOUT_HTTP="soon", PATH=os.environ["PATH"])
    assert run(["doctor", "--json"], here) == 2
    checks = {check["name"]: check for check in json.loads(written(here.stdout))["checks"]}
    assert "HOMELAB_TIMEOUT_HTTP" in checks["configuration"]["says"]


def test_in_a_repository_its_command_is_checked_last(tmp_path: Path) -> None:
    made = app(tmp_path, root=repository(tmp_path, "[work]\nverify = 'make'\n", remote=str(tmp_path / "bare.git")))
    last = examine(made).findings[-1]
    assert (last.name, last.grade.value) == ("trust", "fail")
