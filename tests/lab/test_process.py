"""Pure parts of the lab's process keeping; real children are in tests/e2e."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from homelab.errors import Unreachable
from homelab.lab import process
from homelab.lab.process import Child, Ledger
from tests.fakes import FakeClock


def test_a_ledger_gives_back_the_child_it_was_given(tmp_path: Path) -> None:
    child = Child("caddy", 4242, "boot/77", tmp_path / "caddy.log")
    Ledger(tmp_path / "children.json").add(child)
    assert {"caddy": child} == Ledger(tmp_path / "children.json").children()


def test_a_forgotten_child_is_not_in_the_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "children.json")
    ledger.add(Child("caddy", 4242, "boot/77", tmp_path / "caddy.log"))
    ledger.add(Child("openbao", 4243, "boot/78", tmp_path / "openbao.log"))
    ledger.forget("caddy")
    assert list(ledger.children()) == ["openbao"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"caddy": {"pid": "x"}}'], ids=["empty", "cut", "list", "fields"])
def test_a_damaged_ledger_is_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "children.json").write_text(text)
    assert Ledger(tmp_path / "children.json").children() == {}


def test_state_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    process.write_whole(tmp_path / "deep" / "state.json", "{}")
    assert stat.S_IMODE((tmp_path / "deep" / "state.json").stat().st_mode) == 0o600


def test_a_pid_of_another_birth_is_not_our_child(tmp_path: Path) -> None:
    assert not process.alive(Child("other", os.getpid(), "boot/1", tmp_path / "x.log"))


def test_a_reused_pid_is_never_signalled(tmp_path: Path) -> None:
    process.stop(Child("other", os.getpid(), "boot/1", tmp_path / "x.log"), clock=FakeClock())


def test_a_ready_file_that_is_not_written_yet_reads_as_none(tmp_path: Path) -> None:
    assert process.read_ready(tmp_path / "ready.json") is None


def test_a_child_that_never_gets_ready_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("first\nno such option\n")
    gone = Child("server", 2**22 + 1, "boot/1", log)
    with pytest.raises(Unreachable, match="server did not start") as caught:
        process.wait_ready(gone, lambda: None, clock=FakeClock())
    assert caught.value.details == ("first", "no such option")


@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps")
def test_ps_tells_a_living_process_from_a_missing_one() -> None:
    assert process._birth_from_ps(os.getpid()) == process._birth_from_ps(os.getpid()) is not None
    assert process._birth_from_ps(2**22 + 1) is None
