"""``lab status``: which parts run. Layer: lab."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from homelab.lab.layout import Layout
from homelab.lab.ledger import Ledger
from homelab.lab.process import alive
from homelab.outcome import Outcome
from homelab.result import Result


@dataclass(frozen=True, slots=True)
class LabResult(Result):
    """The lab's parts (name → running), its folder, and the line that makes a terminal use it."""

    folder: str = ""
    parts: tuple[tuple[str, bool, int], ...] = ()
    dial: str = ""
    use: str = ""

    def lines(self) -> list[str]:
        """Return a row a part, then what to type."""
        rows = [f"{name:<12} {'running' if runs else 'stopped'}  pid {pid}" for name, runs, pid in self.parts]
        return [*rows, f"load balancer {self.dial}", f"use it: {self.use}"] if rows else []

    def record(self) -> dict[str, Any]:
        """Return the parts by name."""
        parts = {name: {"running": runs, "pid": pid} for name, runs, pid in self.parts}
        return {"folder": self.folder, "dial": self.dial, "use": self.use, "parts": parts}


def status(lab: Layout) -> LabResult:
    """Say what runs: done when all parts do, red when one died, nothing there without a lab."""
    parts = tuple((child.name, alive(child), child.pid) for child in Ledger(lab.ledger).children().values())
    if not parts:
        return LabResult(Outcome.NOTHING, f"no lab in {lab.root}; start it: {lab.command('up')}", folder=str(lab.root))
    dead = [name for name, runs, _ in parts if not runs]
    whole = not dead and lab.ready.exists()
    return LabResult(
        Outcome.DONE if whole else Outcome.RED,
        f"{len(parts)} parts run"
        if whole
        else f"not whole ({', '.join(dead) or 'still starting'}): {lab.command('up')}",
        folder=str(lab.root),
        parts=parts,
        dial=_dial(lab),
        use=lab.use,
    )


def _dial(lab: Layout) -> str:
    try:
        return str(json.loads(lab.ready.read_text())["dial"])
    except (OSError, ValueError, KeyError):
        return "not known"
