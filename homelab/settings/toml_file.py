"""Read one TOML file without believing anything about it, and walk it against a table of allowed keys.

Layer: settings. Every fault is a :class:`~homelab.errors.ConfigError` with path, line, key and what is allowed.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homelab.errors import ConfigError
from homelab.settings.form import Check, UnfitError
from homelab.settings.toml_lines import Place, lines_of
from homelab.settings.visible import shortened, visible

#: More than any hand-written configuration; a bigger file is a mistake or an attack.
LARGEST = 64 * 1024
#: ``tomllib`` needs quadratic time for a key of many parts; no line of a configuration has this many.
MOST_DOTS = 512

_SECRETS = frozenset({"token", "tokens", "secret", "password", "api_key", "apikey"})


@dataclass(frozen=True, slots=True)
class Sourced:
    """A checked value and the words that say where it came from."""

    value: Any
    origin: str


#: Checked values of one source by their dotted way: ``("ci", "home", "url")``.
Layer = Mapping[tuple[str, ...], Sourced]


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file that still knows its lines."""

    path: Path
    data: Mapping[str, Any]
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int | None:
        """Return the line of ``place``, or of the nearest table around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)

    def origin(self, place: Place) -> str:
        """Return ``path:line``."""
        line = self.line(place)
        return f"{self.path}:{line}" if line else str(self.path)

    def fault(self, place: Place, what: str, allowed: str) -> ConfigError:
        """Return the error for ``place``, ready to raise."""
        return ConfigError(self.path, what, line=self.line(place), key=dotted(place), allowed=allowed)

    def table(self, place: Place, raw: Any) -> Mapping[str, Any]:
        """Return ``raw`` when it is a table. Raises ConfigError."""
        if not isinstance(raw, dict):
            raise self.fault(place, "is not a table", f"a table: [{dotted(place)}]")
        return raw

    def checked(self, place: Place, raw: Any, check: Check) -> Any:
        """Return ``raw`` in its clean form. Raises ConfigError."""
        try:
            return check(raw)
        except UnfitError as unfit:
            raise self.fault(place, unfit.what, unfit.allowed) from None

    def section(self, place: Place, raw: Any, keys: Mapping[str, Check]) -> Layer:
        """Return the section's checked values; a key that is not in ``keys`` is refused. Raises ConfigError."""
        layer: dict[tuple[str, ...], Sourced] = {}
        for key, value in self.table(place, raw).items():
            here = (*place, key)
            if key not in keys:
                raise self.fault(here, unknown(key, keys), ", ".join(keys))
            names = tuple(str(part) for part in here)
            layer[names] = Sourced(self.checked(here, value, keys[key]), self.origin(here))
        return layer


def dotted(place: Place) -> str:
    """Return ``place`` as it would be typed in TOML."""
    parts = [f"[{part}]" if isinstance(part, int) else _spelled(part) for part in place]
    return ".".join(parts).replace(".[", "[")


def unknown(key: str, known: Mapping[str, Any]) -> str:
    """Say that ``key`` is unknown, with the nearest known one; a secret's name gets the reason."""
    if key.lower() in _SECRETS:
        return "a secret never stands in a file; say where it is found"
    near = difflib.get_close_matches(key, known, n=1)
    return f"unknown key{f'; did you mean {near[0]}?' if near else ''}"


def read(path: Path) -> Document:
    """Read and parse ``path``. Raises ConfigError; FileNotFoundError when there is no such file."""
    body = _bytes(path)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise ConfigError(path, "is not UTF-8 text", line=line, allowed="UTF-8 without other encodings") from None
    for number, written in enumerate(text.split("\n"), 1):
        if written.count(".") > MOST_DOTS:
            raise ConfigError(path, f"has more than {MOST_DOTS} dots", line=number, allowed="shorter keys and lines")
    try:
        return Document(path, tomllib.loads(text), lines_of(text))
    except tomllib.TOMLDecodeError as error:
        raise _syntax(path, text, str(error)) from None
    except (RecursionError, ValueError):  # ValueError: an integer longer than Python converts
        raise ConfigError(path, "is nested too deeply or holds an absurd number", allowed="plain TOML") from None


def _bytes(path: Path) -> bytes:
    if str(path) == os.devnull:
        return b""
    try:
        # O_NONBLOCK: a named pipe must not hold us up before we can refuse it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(path, f"cannot be read: {error.strerror}", allowed="a file you may read") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ConfigError(path, "is not a file", allowed="a regular file")
    with os.fdopen(handle, "rb") as file:
        body = file.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise ConfigError(path, "is too large", allowed=f"at most {LARGEST // 1024} KiB")
    return body


def _syntax(path: Path, text: str, said: str) -> ConfigError:
    found = re.search(r"at line (\d+)", said)
    line = int(found[1]) if found else text.count("\n") + 1
    reason = visible(re.sub(r" ?\(at [^)]*\)", "", said))
    return ConfigError(path, f"is not TOML: {shortened(reason, limit=120)}", line=line, allowed="TOML, see toml.io")


def _spelled(part: str) -> str:
    return part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{shortened(part)}"'
