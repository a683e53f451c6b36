"""``when``: conditions on event, branch, path and their kin, matched against one pipeline. Pure.

A list of conditions means any of them; the keys of one condition mean all of them. Source:
woodpecker pipeline/frontend/yaml/constraint/{constraint,list,path,skip}.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from homelab.lab.woodpecker.states import Trigger


class ConditionError(Exception):
    """A condition that cannot be read; the text says what does not fit."""


_SKIP = re.compile(r"\[(?:ci *skip|skip *ci)\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Facts:
    """What conditions look at."""

    event: Trigger
    branch: str
    ref: str
    repo: str
    message: str = ""
    cron: str = ""
    platform: str = "linux/amd64"
    instance: str = ""
    changed_files: tuple[str, ...] = ()
    matrix: Mapping[str, str] = field(default_factory=dict)


def is_skip_message(event: Trigger, message: str) -> bool:
    """Return whether the message asks for no pipeline; only pushes and pull requests listen."""
    return (event is Trigger.PUSH or event.is_pull) and _SKIP.search(message) is not None


@dataclass(frozen=True, slots=True)
class Globs:
    """Include and exclude patterns for one word."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def match(self, word: str) -> bool:
        """An exclude wins; no include means everything."""
        if any(fits(pattern, word) for pattern in self.exclude):
            return False
        return not self.include or any(fits(pattern, word) for pattern in self.include)


@dataclass(frozen=True, slots=True)
class Paths:
    """Patterns for the files a push changed."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ignore_message: str = ""
    on_empty: bool = True

    def match(self, files: Iterable[str], message: str) -> bool:
        """Excluded only when every file is; included when any is."""
        changed = tuple(files)
        if self.ignore_message and self.ignore_message.lower() in message.lower():
            return True
        if not changed:
            return self.on_empty
        if self.exclude and all(any(fits(pattern, file) for pattern in self.exclude) for file in changed):
            return False
        return not self.include or any(fits(pattern, file) for pattern in self.include for file in changed)


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of ``when``: all its keys must match. ``status`` is judged while running."""

    events: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    words: Mapping[str, Globs] = field(default_factory=dict)
    path: Paths = Paths()
    matrix: Mapping[str, str] = field(default_factory=dict)

    def match(self, facts: Facts, *, whole_workflow: bool) -> bool:
        """Return whether every key matches; the matrix binds steps only."""
        if not whole_workflow and any(facts.matrix.get(axis) != value for axis, value in self.matrix.items()):
            return False
        if self.events and facts.event not in self.events:
            return False
        if not all(
            globs.match(getattr(facts, name)) for name, globs in self.words.items() if _binds(name, facts.event)
        ):
            return False
        by_files = facts.event is Trigger.PUSH or facts.event.is_pull
        return not by_files or self.path.match(facts.changed_files, facts.message)


def _binds(name: str, event: Trigger) -> bool:
    """A tag has no branch, and only a cron run has a cron name."""
    return not (name == "branch" and event is Trigger.TAG) and not (name == "cron" and event is not Trigger.CRON)


@dataclass(frozen=True, slots=True)
class When:
    """All conditions of one ``when``; none means always."""

    conditions: tuple[Condition, ...] = ()

    def matching(self, facts: Facts, *, whole_workflow: bool) -> list[Condition]:
        """Return the conditions that match."""
        return [one for one in self.conditions if one.match(facts, whole_workflow=whole_workflow)]

    def match(self, facts: Facts, *, whole_workflow: bool = False) -> bool:
        """Return whether any condition matches."""
        return not self.conditions or bool(self.matching(facts, whole_workflow=whole_workflow))

    def on_failure(self, facts: Facts, *, whole_workflow: bool = False) -> bool:
        """Return whether it also runs after a failure."""
        return any("failure" in one.status for one in self.matching(facts, whole_workflow=whole_workflow))

    def on_success(self, facts: Facts) -> bool:
        """Return whether it runs when all went well: assumed unless left out of a list."""
        matching = self.matching(facts, whole_workflow=False)
        return not self.conditions or any(not one.status or "success" in one.status for one in matching)


ALWAYS = When()

_WORDS = ("ref", "repo", "instance", "platform", "branch", "cron")
KEYS = frozenset({*_WORDS, "event", "status", "path", "matrix", "local", "evaluate"})


def parse(raw: Any) -> When:
    """Read a ``when``: one mapping or a list of them. ConditionError says what does not fit."""
    entries = raw if isinstance(raw, list) else [raw] if raw else []
    return When(tuple(_condition(entry) for entry in entries))


def _condition(raw: Any) -> Condition:
    if not isinstance(raw, dict):
        raise ConditionError(f"a condition must be a mapping, not {raw!r}")
    if unknown := sorted(set(raw) - KEYS):
        raise ConditionError(f"unknown condition {', '.join(map(str, unknown))}")
    if "evaluate" in raw:
        raise ConditionError("evaluate is not supported by this server")
    matrix = raw.get("matrix") or {}
    if not isinstance(matrix, dict):
        raise ConditionError(f"matrix must be a mapping, not {matrix!r}")
    return Condition(
        events=strings(raw.get("event")),
        status=strings(raw.get("status")),
        words={name: Globs(*_sides(raw[name])) for name in _WORDS if name in raw},
        path=_paths(raw.get("path")),
        matrix={str(axis): str(value) for axis, value in matrix.items()},
    )


def _paths(raw: Any) -> Paths:
    extra = raw if isinstance(raw, dict) else {}
    ignore, on_empty = str(extra.get("ignore_message", "")), bool(extra.get("on_empty", True))
    return Paths(*_sides(raw), ignore_message=ignore, on_empty=on_empty)


def _sides(raw: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if isinstance(raw, dict):
        return strings(raw.get("include")), strings(raw.get("exclude"))
    return strings(raw), ()


def strings(raw: Any) -> tuple[str, ...]:
    """Read a string or a list of strings. ConditionError for anything else."""
    if raw is None:
        return ()
    if isinstance(raw, list):
        return tuple(str(item) for item in raw)
    if isinstance(raw, dict):
        raise ConditionError(f"expected a string or a list, not {raw!r}")
    return (str(raw),)


def fits(pattern: str, word: str) -> bool:
    """Match a doublestar glob: ``*`` within a path part, ``**`` across parts, ``?``, ``[a-z]``, ``{a,b}``."""
    return _compiled(pattern).fullmatch(word) is not None


_GLOB = re.compile(
    r"(?P<deep>\*\*/?)|(?P<star>\*)|(?P<one>\?)|(?P<set>\[[^\]]+\])|\{(?P<any>[^{}]*)\}|(?P<plain>.)", re.DOTALL
)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_regex(pattern), re.DOTALL)


def _regex(pattern: str) -> str:
    return "".join(_part(found) for found in _GLOB.finditer(pattern))


def _part(found: re.Match[str]) -> str:
    match found.lastgroup, found[0]:
        case "deep", text:
            return "(?:.*/)?" if text.endswith("/") else ".*"
        case "star", _:
            return "[^/]*"
        case "one", _:
            return "[^/]"
        case "set", text:
            return text.replace("[!", "[^", 1)
        case "any", _:
            return f"(?:{'|'.join(_regex(choice) for choice in found['any'].split(','))})"
        case _, text:
            return re.escape(text)
