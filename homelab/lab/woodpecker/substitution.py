"""``${NAME}`` in a configuration file, replaced before it is parsed. Pure.

Source: woodpecker pipeline/frontend/metadata/substitution.go, which uses drone/envsubst. The forms
here are ``${N}``, ``${N:-d}``, ``${N=d}``, ``${N:o:l}``, ``${N^^}``, ``${N,,}``, ``${N#p}``, ``${N%p}``,
``${N/a/b}`` and ``$${`` for a literal. An unknown name becomes nothing; ``$NAME`` is left to the shell.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping

_FORM = re.compile(r"\$(?P<literal>\$\{[^{}]*\})|\$\{(?P<name>[A-Za-z_]\w*)(?P<rest>[^{}]*)\}")


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """Return ``text`` with each form replaced."""

    def replaced(found: re.Match[str]) -> str:
        if found["literal"]:
            return str(found["literal"])
        value = _applied(variables.get(found["name"], ""), found["rest"])
        return f'"{value}"' if "\n" in value else value

    return _FORM.sub(replaced, text)


def _applied(value: str, rest: str) -> str:
    """Return ``value`` as the form after the name wants it."""
    if default := re.fullmatch(r":?[-=](.*)", rest, re.DOTALL):
        return value or default[1]
    if span := re.fullmatch(r":(\d+)(?::(\d+))?", rest):
        start = int(span[1])
        return value[start : start + int(span[2])] if span[2] else value[start:]
    if swap := re.fullmatch(r"/(/?)([^/]*)/(.*)", rest):
        return value.replace(swap[2], swap[3], -1 if swap[1] else 1)
    if rest in _CASES:
        return _CASES[rest](value)
    return _trimmed(value, rest) if rest[:1] in {"#", "%"} else value


_CASES = {"^^": str.upper, ",,": str.lower}


def _trimmed(value: str, rest: str) -> str:
    """Cut the shortest (``#``, ``%``) or longest (``##``, ``%%``) match from one end."""
    pattern, longest = rest.lstrip(rest[0]), rest[:2] in {"##", "%%"}
    lengths = range(len(value) + 1)
    for length in reversed(lengths) if longest else lengths:
        end = value[:length] if rest[0] == "#" else value[len(value) - length :]
        if fnmatch.fnmatchcase(end, pattern):
            return value[length:] if rest[0] == "#" else value[: len(value) - length]
    return value
