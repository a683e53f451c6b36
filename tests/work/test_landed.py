from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from homelab.work.landed import Pair, find, pairs, record

PAIR = Pair("topic", "a" * 40, "b" * 40, "c" * 40, "refs/heads/main", "origin", 1.0, "d" * 40)


def test_a_branch_is_found_by_its_tip_before_and_after_integration(tmp_path: Path):
    record(tmp_path, PAIR)
    assert find(tmp_path, "a" * 40) == find(tmp_path, "b" * 40) == PAIR
    assert find(tmp_path, "c" * 40) is None


def test_the_newest_land_of_a_tip_counts(tmp_path: Path):
    record(tmp_path, PAIR)
    record(tmp_path, replace(PAIR, landed="e" * 40))
    found = find(tmp_path, "a" * 40)
    assert found is not None
    assert found.landed == "e" * 40


def test_a_line_cut_off_by_a_full_disk_does_not_spoil_the_rest(tmp_path: Path):
    record(tmp_path, PAIR)
    with (tmp_path / "homelab/landed.jsonl").open("a") as file:
        file.write('{"branch": "half\n')
    record(tmp_path, replace(PAIR, branch="next"))
    assert [pair.branch for pair in pairs(tmp_path)] == ["topic", "next"]


def test_without_a_record_nothing_has_landed(tmp_path: Path):
    assert find(tmp_path, "a" * 40) is None
