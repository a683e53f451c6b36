"""The page about ``deploy wait`` says what the code does."""

from __future__ import annotations

from pathlib import Path

from homelab.deploy.early import GRACES, Grace
from homelab.deploy.gitops import ownership
from homelab.deploy.kinds.table import KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")


def said(grace: Grace) -> str:
    parts = [f"{grace.seconds:.0f} s"] if grace.seconds is not None else []
    parts += [f"{grace.restarts} restarts"] if grace.restarts is not None else []
    return " or ".join(parts) or "the deadline"


def test_the_table_of_graces_is_the_codes() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")][2:]
    assert rows == [f"| {name} | {said(grace)} |" for name, grace in GRACES.items()]


def test_every_kind_is_named() -> None:
    assert [kind for kind in (*KINDS, *ownership.APIS) if f"`{kind}`" not in PAGE] == []
