from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from homelab.lab.changes import CHANGES, Change


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    with as_file(files("homelab.lab") / "sample") as folder:
        shutil.copytree(folder, tmp_path / "sample")
    return tmp_path / "sample"


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_of_the_demo_still_fits_the_sample(sample: Path, name: str) -> None:
    change = CHANGES[name]
    before = (sample / change.path).read_text()
    change.apply(sample)
    after = (sample / change.path).read_text()
    assert after == before.replace(change.before, change.after) != before


def test_a_change_whose_text_is_gone_is_refused_and_nothing_is_written(sample: Path) -> None:
    before = (sample / "hello.py").read_text()
    with pytest.raises(ValueError, match="no longer holds 'no such text'"):
        Change("t", "m", "hello.py", "no such text", "x").apply(sample)
    assert (sample / "hello.py").read_text() == before
