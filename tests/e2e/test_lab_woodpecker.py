"""The lab's CI server run for real: pushes, processes, streams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.woodpecker.lab import GREEN, World, states, world


@pytest.fixture
def ci(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def test_a_push_runs_its_commands_and_ends_green(ci: World) -> None:
    oid = ci.push({".woodpecker.yaml": GREEN})
    made = ci.wait(1)
    assert made["status"] == "success"
    assert made["commit"] == oid
    assert states(made) == {"clone": "success", "build": "success"}
    assert ci.log(1, "build") == ["+ echo built", "built"]
    assert "pipeline #1" in ci.said
