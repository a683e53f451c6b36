from __future__ import annotations

import stat
from pathlib import Path

import pytest

from homelab.whole_file import write_whole


def test_a_file_is_readable_by_its_owner_alone_unless_told_otherwise(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    write_whole(folder / "state.json", "{}")
    write_whole(folder / "tool", "#!/bin/sh\n", mode=0o700)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.iterdir()]}
    assert modes == {"made": 0o700, "state.json": 0o600, "tool": 0o700}


def test_who_has_the_old_file_open_keeps_reading_the_old_text(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_whole(path, "old")
    with path.open() as old:
        write_whole(path, b"new", durable=True)
        assert (old.read(), path.read_text()) == ("old", "new")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    taken = tmp_path / "folder" / "taken"
    (taken / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="taken"):
        write_whole(taken, "text")
    assert [path.name for path in taken.parent.iterdir()] == ["taken"]
