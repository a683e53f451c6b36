"""Pure parts of the lab's process keeping; real children are in tests/e2e."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from homelab.errors import Unreachable
from homelab.lab import process
from homelab.lab.process import Child
from tests.fakes import FakeClock


def test_a_pid_of_another_birth_is_not_our_child(tmp_path: Path) -> None:
    assert not process.alive(Child("other", os.getpid(), "boot/1", tmp_path / "x.log"))


def test_a_reused_pid_is_never_signalled(tmp_path: Path) -> None:
    process.stop(Child("other", os.getpid(), "boot/1", tmp_path / "x.log"), clock=FakeClock())


def test_a_child_that_never_gets_ready_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("first\nno such option\n")
    gone = Child("server", 2**22 + 1, "boot/1", log)
    with pytest.raises(Unreachable, match="server did not start") as caught:
        process.wait_ready(gone, lambda: None, clock=FakeClock())
    assert caught.value.details == ("first", "no such option")
