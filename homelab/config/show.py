"""``config show``: every value in force and where it comes from. Layer: the configuration domain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homelab.app import App
from homelab.errors import HomelabError
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.settings.model import Value
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


def _with(values: Sequence[Value], git_config: Callable[[str], str | None]) -> Iterator[Value]:
    """Yield ``values`` as the work verbs see them: some have a key in git's own configuration too."""
    said = {key: (name, git_config(name)) for key, name in _GIT_KEYS.items()}
    for value in values:
        name, text = said.pop(value.key, ("", None))
        # A file's command is everybody's; git's configuration only fills the gap.
        filed = value.key == "work.verify" and value.origin != "default"
        yield Value(value.key, text, f"git config {name}") if text and not filed else value
    yield from (Value(key, text, f"git config {name}") for key, (name, text) in said.items() if text)


#: What the work verbs read from git's configuration, by the key it stands for here.
_GIT_KEYS = {
    "work.verify": "homelab.verify",
    "work.target": "homelab.target",
    "work.strategy": "homelab.strategy",
    "work.remote": "homelab.remote",
    "work.allow_target": "homelab.allowTarget",
    "work.worktrees": "homelab.worktrees",
}

#: A longer value does not push the origins of all others to the right.
_WIDEST = 72


def show(app: App) -> SettingsShown:
    """Return what ``config show`` answers. Reads no file again; says only which of them are there."""
    settings = app.settings
    paths = [settings.user_file, *([settings.repository_file] if settings.repository_file else [])]
    files = {str(path): path.exists() for path in paths}
    there = [path for path, exists in files.items() if exists]
    values = tuple(_with(settings.values, _git_config(app)))
    return SettingsShown(Outcome.DONE, _headline(there, settings.user_file), values, files)


def _git_config(app: App) -> Callable[[str], str | None]:
    try:
        return app.repository.config
    except HomelabError:
        return lambda _: None


def _headline(there: list[str], user_file: Path) -> str:
    if not there:
        return f"no file says anything; yours would be {user_file}"
    return f"read {', '.join(there)}"
