"""Woodpecker's ``when``: whether a file plainly excludes an event, a branch or the changed paths. Pure.

Only what cannot be misread is concluded: a condition on anything else is taken to match. Sources:
woodpecker pipeline/frontend/yaml/constraint/{constraint,list,path}.go. Layer: ci; loads PyYAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: The events whose changed paths the server compares.
_WITH_PATHS = {"push", "pull_request"}
_SHOWN = 3
#: Characters of a file that is still read: parsing takes a second for so many.
LARGEST = 200_000


@dataclass(frozen=True, slots=True)
class Push:
    """What conditions look at. ``branch`` "" and ``paths`` None are not known."""

    event: str
    branch: str = ""
    paths: tuple[str, ...] | None = None
    message: str = ""


def excluded(text: str, push: Push) -> str | None:
    """Return why the file wants no run of ``push``, "" where it may want one, None where it cannot be read."""
    import yaml  # noqa: PLC0415 -- needed only where a run is missing

    try:
        root = yaml.safe_load(text) if len(text) <= LARGEST else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    if not isinstance(root, Mapping):
        return None
    whole = _unwanted(root.get("when"), push)
    if whole:
        return whole
    steps = _steps(root.get("steps"))
    why = [_unwanted(step.get("when"), push) for step in steps]
    return f"in every step {why[0]}" if why and all(why) else ""


def _steps(steps: object) -> list[Mapping[str, Any]]:
    found = steps.values() if isinstance(steps, Mapping) else steps if isinstance(steps, list) else []
    return [step for step in found if isinstance(step, Mapping)]


def _unwanted(when: object, push: Push) -> str:
    """Return why every alternative of a ``when`` excludes the push, "" where one may take it."""
    alternatives = when if isinstance(when, list) else [when]
    why = [_against(one, push) if isinstance(one, Mapping) else "" for one in alternatives]
    return why[0] if why and all(why) else ""


def _against(condition: Mapping[str, Any], push: Push) -> str:
    event, branch, path = (_Globs.read(condition.get(key)) for key in ("event", "branch", "path"))
    if event is not None and not event.match(push.event):
        return f"wants the events {event}, not {push.event}"
    if branch is not None and push.branch and push.event != "tag" and not branch.match(push.branch):
        return f"wants the branches {branch}, not {push.branch}"
    if path is None or push.event not in _WITH_PATHS or not push.paths or _silenced(condition["path"], push):
        return ""
    more = ", …" if len(push.paths) > _SHOWN else ""
    named = f"{', '.join(push.paths[:_SHOWN])}{more}"
    return "" if path.match_any(push.paths) else f"wants changes of {path}, not of {named}"


def _silenced(path: object, push: Push) -> bool:
    """Say whether the message lifts the path condition."""
    word = str(path.get("ignore_message") or "") if isinstance(path, Mapping) else ""
    return bool(word) and word.lower() in push.message.lower()


@dataclass(frozen=True, slots=True)
class _Globs:
    include: tuple[str, ...]
    exclude: tuple[str, ...]

    @classmethod
    def read(cls, said: object) -> _Globs | None:
        """Take a word, a list, or ``include`` and ``exclude``; None for nothing, or for what is none of these."""
        if isinstance(said, Mapping):
            found = cls(_words(said.get("include")), _words(said.get("exclude")))
        else:
            found = cls(_words(said), ())
        return found if found.include or found.exclude else None

    def match(self, word: str) -> bool:
        if _fits_any(self.exclude, word):
            return False
        return not self.include or _fits_any(self.include, word)

    def match_any(self, paths: Iterable[str]) -> bool:
        """Say whether the changed paths are wanted: not all of them excluded, and one included."""
        found = list(paths)
        if self.exclude and all(_fits_any(self.exclude, path) for path in found):
            return False
        return not self.include or any(_fits_any(self.include, path) for path in found)

    def __str__(self) -> str:
        said = ", ".join(self.include[:_SHOWN])
        without = f"all but {', '.join(self.exclude[:_SHOWN])}" if self.exclude else ""
        return " and ".join(part for part in (said, without) if part)


def _words(said: object) -> tuple[str, ...]:
    found = said if isinstance(said, list) else [said]
    return tuple(str(word) for word in found if isinstance(word, (str, int, float)))


def _fits_any(patterns: Iterable[str], word: str) -> bool:
    return any(_fits(pattern, word) for pattern in patterns)


def _fits(pattern: str, word: str) -> bool:
    """Match as doublestar does; a pattern with marks we do not translate is taken to fit."""
    if re.search(r"[\[\]\\]", pattern):
        return True
    return re.fullmatch(_regex(pattern), word) is not None


def _regex(pattern: str) -> str:
    found, depth = [], 0
    for mark in re.findall(r"/\*\*/|\*\*/|/\*\*$|\*\*|.", pattern, re.DOTALL):
        if mark in _MARKS:
            found.append(_MARKS[mark])
        elif mark == "{":
            depth += 1
            found.append("(?:")
        elif depth and mark in ",}":
            depth -= mark == "}"
            found.append("|" if mark == "," else ")")
        else:
            found.append(re.escape(mark))
    return "".join(found) + ")" * depth


_MARKS = {"/**/": "/(?:.*/)?", "**/": "(?:.*/)?", "/**": "(?:/.*)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
