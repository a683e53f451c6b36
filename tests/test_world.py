from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.settings.fakes import world


@pytest.mark.parametrize("named", ["", "relative/folder"])
def test_a_base_folder_that_is_not_absolute_is_none(tmp_path: Path, named: str) -> None:
    here = world(tmp_path, XDG_CONFIG_HOME=named, XDG_STATE_HOME=named)
    assert here.config_home == tmp_path / "h" / ".config" / "homelab"
    assert here.state_home == tmp_path / "h" / ".local" / "state" / "homelab"


def test_an_absolute_base_folder_is_taken(tmp_path: Path) -> None:
    here = world(tmp_path, XDG_CONFIG_HOME="/c", XDG_STATE_HOME="/s")
    assert (here.config_home, here.state_home) == (Path("/c/homelab"), Path("/s/homelab"))


def test_without_home_the_accounts_own_is_taken(tmp_path: Path) -> None:
    assert replace(world(tmp_path), env={}).home == Path.home()
