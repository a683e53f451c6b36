from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from homelab.cli import run
from homelab.git.runner import Git
from tests.fakes import written
from tests.settings.fakes import world
from tests.trust.fakes import repository


def test_each_value_stands_beside_where_it_comes_from(tmp_path: Path) -> None:
    root = repository(tmp_path, "[work]\nverify = 'make check'\n")
    here = world(
        tmp_path, user="[timeouts]\nci = '2h'\n", HOMELAB_CI_URL="https://ci.example.org", PATH=os.environ["PATH"]
    )
    assert run(["config", "show"], replace(here, cwd=root)) == 0
    lines = [line.split(" # ") for line in written(here.stdout).splitlines()]
    shown = {left.strip(): origin for left, origin in lines}
    assert shown["ci.environment.url = https://ci.example.org"] == "environment HOMELAB_CI_URL"
    assert shown["timeouts.ci = 7200s"] == f"{tmp_path}/h/.config/homelab/config.toml:2"
    assert shown["work.verify = make check"] == f"{root}/.homelab.toml:2"
    assert shown["timeouts.http = 60s"] == "default"


@pytest.mark.parametrize("output", [["--json"], ["--output", "plain"], ["--output", "ndjson"]], ids=" ".join)
def test_no_secret_is_ever_shown(tmp_path: Path, output: list[str]) -> None:
    names = ("HOMELAB_CI_TOKEN", "WOODPECKER_TOKEN", "VAULT_TOKEN")
    secrets = dict.fromkeys(names, "hunter2")
    urls = {"HOMELAB_CI_URL": "https://ci.example.org", "VAULT_ADDR": "https://vault.example.org"}
    here = world(tmp_path, PATH=os.environ["PATH"], **secrets, **urls)
    assert run(["config", "show", *output], here) == 0
    assert "hunter2" not in written(here.stdout) + written(here.stderr)
    assert "WOODPECKER_TOKEN (set)" in written(here.stdout)


def test_json_holds_null_for_what_nobody_set_and_names_the_files(tmp_path: Path) -> None:
    here = world(tmp_path, PATH=os.environ["PATH"])
    assert run(["config", "show", "--json"], here) == 0
    answer = json.loads(written(here.stdout))
    values = {value["key"]: value for value in answer["values"]}
    assert values["vault.addr"] == {"key": "vault.addr", "value": None, "origin": "default", "means": "(no Vault)"}
    assert values["timeouts.http"]["value"] == "60s"
    assert answer["files"] == [{"path": f"{tmp_path}/h/.config/homelab/config.toml", "exists": False}]


def test_a_bad_file_exits_2_with_path_line_and_key(tmp_path: Path) -> None:
    here = world(tmp_path, user="\n[ci.home]\nkind = 'woodpecker'\nurl = 'ci.example.org'\n", PATH=os.environ["PATH"])
    assert run(["config", "show"], here) == 2
    error = written(here.stderr).splitlines()
    assert error[0].startswith(f"error: {tmp_path}/h/.config/homelab/config.toml:4 [ci.home.url]: does not start with")
    assert error[1].startswith("why: allowed here: https://")
    assert written(here.stdout) == ""


def test_what_the_work_verbs_read_from_gits_configuration_is_shown_as_they_see_it(tmp_path: Path) -> None:
    root = repository(tmp_path, "[work]\nverify = 'make check'\ntarget = 'main'\n")
    git = Git(root, env=os.environ)
    for key, value in (("target", "release"), ("verify", "make other"), ("remote", "origin")):
        git.text("config", f"homelab.{key}", value)
    here = replace(world(tmp_path, PATH=os.environ["PATH"]), cwd=root)
    assert run(["config", "show", "--json"], here) == 0
    values = {value["key"]: value for value in json.loads(written(here.stdout))["values"]}
    assert (values["work.target"]["value"], values["work.target"]["origin"]) == ("release", "git config homelab.target")
    assert values["work.verify"]["value"] == "make check"
    assert values["work.remote"]["value"] == "origin"
    (root / ".homelab.toml").unlink()
    here = replace(world(tmp_path, PATH=os.environ["PATH"]), cwd=root)
    run(["config", "show"], here)
    assert "work.verify = make other" in written(here.stdout)
