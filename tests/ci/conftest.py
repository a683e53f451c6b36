from __future__ import annotations

from pathlib import Path

import pytest

from homelab.ci.woodpecker.client import Woodpecker
from tests.ci.fakes import Checkout, FakeWoodpecker


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "work")


@pytest.fixture
def server() -> FakeWoodpecker:
    return FakeWoodpecker()


@pytest.fixture
def ci(server: FakeWoodpecker) -> Woodpecker:
    return Woodpecker(server, server.slug, name="home", second=lambda: server)
