from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from homelab.errors import UsageError
from homelab.lab import births
from homelab.lab.down import down, stop_some
from homelab.lab.layout import Layout
from homelab.lab.ledger import Ledger
from homelab.lab.process import Child, start


@pytest.fixture
def lab(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "lab")
    made.root.mkdir()
    made.mark.touch()
    return made


def begin(lab: Layout, name: str) -> Child:
    return Ledger(lab.ledger).add(start(name, ["sleep", "60"], folder=lab.part(name)))


def test_a_lab_that_is_not_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert down(Layout(tmp_path / "lab")).headline.endswith("nothing to do")


def test_a_folder_that_no_lab_made_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(UsageError, match="is not a lab's folder"):
        down(Layout(tmp_path))
    assert (tmp_path / "thesis.txt").exists()


def test_down_ends_every_part_and_leaves_no_folder(lab: Layout) -> None:
    children = [begin(lab, "one"), begin(lab, "two")]
    assert down(lab).headline == f"stopped 2 parts and removed {lab.root}"
    assert [births.birth(child.pid) for child in children] == [None, None]
    assert not lab.root.exists()


def test_parts_that_are_not_named_run_on_and_are_remembered(lab: Layout) -> None:
    one, two = begin(lab, "one"), begin(lab, "two")
    assert stop_some(lab, ["one"]) == 1
    assert (births.birth(one.pid), births.birth(two.pid)) == (None, two.born)
    assert list(Ledger(lab.ledger).children()) == ["two"]
    down(lab)


def test_a_pid_that_somebody_else_has_by_now_is_left_alone(lab: Layout) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        Ledger(lab.ledger).add(Child("one", stranger.pid, "another/birth", lab.root / "one.log"))
        down(lab)
        assert stranger.poll() is None
        stranger.kill()
