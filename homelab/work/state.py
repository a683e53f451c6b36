"""An unfinished land, stored beside the worktree's own git files, whole or not at all.

Layer: work domain, above ``model``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from shlex import quote
from typing import Any

from homelab.errors import NotLanded
from homelab.whole_file import write_whole
from homelab.work.model import LandState, Phase, Verified

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class StateFile:
    """``homelab/land.json`` of one worktree."""

    path: Path

    @classmethod
    def of(cls, git_dir: Path) -> StateFile:
        """Return the file of the worktree whose git folder this is."""
        return cls(git_dir / "homelab" / "land.json")

    @property
    def folder(self) -> Path:
        """The folder for everything else a land keeps: logs, messages."""
        return self.path.parent

    def load(self) -> LandState | None:
        """Return the stored land, or None. Raises NotLanded for one that cannot be understood."""
        try:
            stored: Any = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise self._unreadable("it is damaged") from None
        if not isinstance(stored, dict) or stored.get("schema") != SCHEMA:
            raise self._unreadable("another version of homelab wrote it")
        known = {field.name for field in fields(LandState)}
        try:
            stored["phase"] = Phase(stored["phase"])
            stored["verified"] = tuple(Verified(**one) for one in stored["verified"])
            return LandState(**{name: value for name, value in stored.items() if name in known})
        except (KeyError, TypeError, ValueError):
            raise self._unreadable("it is damaged") from None

    def save(self, state: LandState) -> LandState:
        """Write the land through to the disk; return it."""
        write_whole(self.path, json.dumps(asdict(state), indent=1), durable=True)
        return state

    def clear(self) -> None:
        """Forget the land."""
        self.path.unlink(missing_ok=True)

    def _unreadable(self, why: str) -> NotLanded:
        return NotLanded(
            f"the unfinished land in {self.path} cannot be read",
            why=why,
            fix=f"git log -3 the target branch on the remote, then: rm {quote(str(self.path))}",
        )
