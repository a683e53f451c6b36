"""The children of one lab, kept in a file so that a later command can stop them. Layer: lab; starts and stops none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from homelab.lab.process import Child
from homelab.whole_file import write_whole


class Ledger:
    """Who was started, by name, in one JSON file."""

    def __init__(self, path: Path) -> None:
        """``path`` need not exist yet."""
        self.path = path

    def children(self) -> dict[str, Child]:
        """Return the children by name, dead ones too; nothing when the file is missing or damaged."""
        try:
            records = json.loads(self.path.read_text())
            return {name: Child.from_record(record) for name, record in records.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def add(self, child: Child) -> Child:
        """Remember ``child`` under its name, in place of an earlier one; return it."""
        self._write({**self.children(), child.name: child})
        return child

    def forget(self, name: str) -> None:
        """Forget the child of that name, if there is one."""
        self._write({known: child for known, child in self.children().items() if known != name})

    def _write(self, children: Mapping[str, Child]) -> None:
        write_whole(self.path, json.dumps({name: child.record() for name, child in children.items()}, indent=1))
