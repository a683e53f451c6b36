from __future__ import annotations

from pathlib import Path

import pytest

from homelab.console.ask import ask
from tests.fakes import written
from tests.settings.fakes import world


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("y\n", True), ("YES\n", True), (" yes \n", True), ("", False), ("\n", False), ("ya\n", False)],
)
def test_only_y_or_yes_is_a_yes(tmp_path: Path, typed: str, answer: bool) -> None:
    here = world(tmp_path, typed=typed)
    assert ask(here, "Run?") is answer
    assert written(here.stderr) == "Run? [y/N] "


def test_nobody_there_is_a_no_and_nothing_is_written(tmp_path: Path) -> None:
    here = world(tmp_path)
    assert ask(here, "Run?") is False
    assert ask(world(tmp_path, typed="y\n", HOMELAB_NONINTERACTIVE="1"), "Run?") is False
    assert written(here.stderr) == ""
