from __future__ import annotations

import os
from pathlib import Path

import pytest

from homelab.lab import births
from homelab.lab.layout import Layout
from homelab.lab.ledger import Ledger
from homelab.lab.process import Child
from homelab.lab.status import status
from homelab.outcome import Outcome

BORN = births.birth(os.getpid()) or ""
ALIVE, DEAD = ("caddy", os.getpid(), BORN), ("openbao", os.getpid(), "another/birth")


@pytest.mark.parametrize(
    ("children", "ready", "outcome", "headline"),
    [
        ([ALIVE], '{"dial": "127.0.0.1:1"}', Outcome.DONE, "1 parts run"),
        ([ALIVE], None, Outcome.RED, "not whole (still starting): homelab lab up"),
        ([ALIVE, DEAD], '{"dial": "127.0.0.1:1"}', Outcome.RED, "not whole (openbao): homelab lab up"),
    ],
    ids=["whole", "starting", "one died"],
)
def test_a_lab_is_whole_where_every_part_runs_and_up_has_ended(
    tmp_path: Path, children: list[tuple[str, int, str]], ready: str | None, outcome: Outcome, headline: str
) -> None:
    lab = Layout(tmp_path / "my lab")
    for name, pid, born in children:
        Ledger(lab.ledger).add(Child(name, pid, born, lab.root / "log"))
    if ready:
        lab.ready.write_text(ready)
    found = status(lab)
    assert (found.outcome, found.headline) == (outcome, headline)
    assert found.record()["parts"]["caddy"] == {"running": True, "pid": os.getpid()}
    assert found.lines()[-1] == f"use it: . '{lab.env}' && cd '{lab.clone}'"


def test_no_lab_is_nothing_there_and_not_red(tmp_path: Path) -> None:
    found = status(Layout(tmp_path / "lab"))
    assert (found.outcome, found.lines()) == (Outcome.NOTHING, [])


def test_a_damaged_ready_file_leaves_the_address_unknown(tmp_path: Path) -> None:
    lab = Layout(tmp_path)
    Ledger(lab.ledger).add(Child(*ALIVE, lab.root / "log"))
    lab.ready.write_text("{")
    assert status(lab).dial == "not known"
