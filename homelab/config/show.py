"""``config show``: every value in force and where it comes from. Layer: the configuration domain."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homelab.outcome import Outcome
from homelab.result import Result
from homelab.settings.model import Settings, Value
from homelab.settings.visible import visible


@dataclass(frozen=True, slots=True)
class SettingsShown(Result):
    """The values in force, and the files that could speak (path → whether it is there)."""

    values: tuple[Value, ...] = ()
    files: dict[str, bool] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return ``key = value`` with its origin behind, a line each, in columns."""
        rows = [(f"{value.key} = {visible(value.value)}", visible(value.origin)) for value in self.values]
        width = max((len(left) for left, _ in rows if len(left) <= _WIDEST), default=0)
        return [f"{left:<{width}}  # {origin}" for left, origin in rows]

    def record(self) -> dict[str, Any]:
        """Return the files and the values as they are."""
        return {
            "files": [{"path": path, "exists": exists} for path, exists in self.files.items()],
            "values": [_record(each) for each in self.values],
        }


def _record(value: Value) -> dict[str, Any]:
    """Return a value as fields; what nobody set is null, and ``means`` says what follows from that."""
    unset = value.origin == "default" and value.value.startswith("(")
    fields = {"key": value.key, "value": None if unset else value.value, "origin": value.origin}
    return {**fields, "means": value.value} if unset else fields


#: A longer value does not push the origins of all others to the right.
_WIDEST = 72


def show(settings: Settings) -> SettingsShown:
    """Return what ``config show`` answers. Reads no file again; says only which of them are there."""
    paths = [settings.user_file, *([settings.repository_file] if settings.repository_file else [])]
    files = {str(path): path.exists() for path in paths}
    there = [path for path, exists in files.items() if exists]
    return SettingsShown(Outcome.DONE, _headline(there, settings.user_file), settings.values, files)


def _headline(there: list[str], user_file: Path) -> str:
    if not there:
        return f"no file says anything; yours would be {user_file}"
    return f"read {', '.join(there)}"
