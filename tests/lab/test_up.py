"""What ``lab up`` and its siblings say without starting anything; whole labs are in tests/e2e."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelab.errors import UsageError
from homelab.events import Event
from homelab.lab.layout import Layout
from homelab.lab.status import status
from homelab.lab.up import up
from tests.fakes import FakeClock


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    events: list[Event] = []
    with pytest.raises(UsageError, match="cannot be made") as refused:
        up(Layout(tmp_path / "file" / "lab"), env={}, clock=FakeClock(), emit=events.append)
    assert refused.value.why == "Not a directory"


def test_a_folder_that_was_named_is_named_in_what_to_type_next(tmp_path: Path) -> None:
    named = Layout(tmp_path / "my lab", named=True)
    assert status(named).headline.endswith(f"start it: homelab lab up --dir '{tmp_path}/my lab'")
    assert status(Layout(tmp_path / "lab")).headline.endswith("start it: homelab lab up")
