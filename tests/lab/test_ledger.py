from __future__ import annotations

from pathlib import Path

import pytest

from homelab.lab.ledger import Ledger
from homelab.lab.process import Child


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
