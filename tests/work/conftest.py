from __future__ import annotations

from pathlib import Path

import pytest

from tests.work.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A bare remote, a clone on ``topic`` with one commit to land."""
    made = Site.make(tmp_path / "site")
    made.topic()
    made.commit("feature.txt")
    return made
