"""``lab down``: stop every part, newest first, and remove the folder. Layer: lab."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from homelab.errors import UsageError
from homelab.lab.layout import Layout
from homelab.lab.ledger import Ledger
from homelab.lab.process import stop
from homelab.outcome import Outcome
from homelab.result import Result


def down(lab: Layout) -> Result:
    """End the lab; nothing of it stays. Raises UsageError for a folder that no lab made."""
    if not lab.root.exists():
        return Result(Outcome.DONE, f"no lab in {lab.root}; nothing to do")
    if not lab.mark.exists():
        raise UsageError(
            f"{lab.root} is not a lab's folder",
            why=f"{lab.mark.name} is not in it",
            fix="homelab lab down --dir FOLDER",
        )
    parts = stop_all(lab)
    shutil.rmtree(lab.root)
    return Result(Outcome.DONE, f"stopped {parts} parts and removed {lab.root}")


def stop_all(lab: Layout) -> int:
    """Stop every remembered child, newest first; return how many were remembered."""
    return stop_some(lab, list(Ledger(lab.ledger).children()))


def stop_some(lab: Layout, names: Sequence[str]) -> int:
    """Stop the children of these names, the last first, with whatever a dead one left behind; return how many."""
    ledger = Ledger(lab.ledger)
    children = ledger.children()
    for name in reversed(names):
        stop(children[name])
        ledger.forget(name)
    return len(names)
