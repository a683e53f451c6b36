"""Where each key of a TOML document stands: ``tomllib`` parses, this finds the lines.

It walks a document that ``tomllib`` already accepted, so it never has to refuse anything.
Layer: settings; imports nothing of ours.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

#: A key's way from the top: names, and the positions inside arrays (from 0).
Place = tuple[str | int, ...]


def lines_of(text: str) -> Mapping[Place, int]:
    """Return the line (from 1) of every table, key and array item in ``text``, a valid TOML document."""
    return _Walk(text.replace("\r\n", "\n")).whole()


class _Walk:
    """One pass over the text, with the position in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._table: Place = ()
        self._arrays: dict[Place, int] = {}
        self._found: dict[Place, int] = {}

    def whole(self) -> Mapping[Place, int]:
        """Walk from the first character to the last."""
        self._blank()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                self._header()
            else:
                self._pair(self._table)
            self._blank()
        return self._found

    def _header(self) -> None:
        repeated = self._text.startswith("[[", self._at)
        self._at += 2 if repeated else 1
        place = self._inside(self._keys())
        if repeated:
            self._arrays[place] = self._arrays.get(place, -1) + 1
            self._note(place)
            place = (*place, self._arrays[place])
        for length in range(1, len(place) + 1):
            self._note(place[:length])
        self._table = place
        self._at = self._text.index("]", self._at) + (2 if repeated else 1)

    def _inside(self, keys: tuple[str, ...]) -> Place:
        """Return the place a header names: each array of tables on the way means its newest item."""
        place: Place = ()
        for position, key in enumerate(keys):
            place = (*place, key)
            if place in self._arrays and position < len(keys) - 1:
                place = (*place, self._arrays[place])
        return place

    def _pair(self, table: Place) -> None:
        place = table
        for key in self._keys():
            place = (*place, key)
            self._note(place)
        self._at = self._text.index("=", self._at) + 1
        self._value(place)

    def _keys(self) -> tuple[str, ...]:
        keys = [self._key()]
        while self._spaces() == ".":
            self._at += 1
            keys.append(self._key())
        return tuple(keys)

    def _key(self) -> str:
        quoted = self._spaces() in "\"'"
        start = self._at
        if quoted:
            self._string()
            return str(tomllib.loads(f"k = {self._text[start : self._at]}")["k"])
        while self._text[self._at] not in " \t.=]":
            self._at += 1
        return self._text[start : self._at]

    def _value(self, place: Place) -> None:
        opening = self._spaces()
        if opening in "\"'":
            self._string()
        elif opening == "[":
            self._items(place)
        elif opening == "{":
            self._inline(place)
        else:
            while self._at < len(self._text) and self._text[self._at] not in ",]}#\n":
                self._at += 1

    def _items(self, place: Place) -> None:
        self._at += 1
        position = 0
        while self._blank() != "]":
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._note((*place, position))
            self._value((*place, position))
            position += 1
        self._at += 1

    def _inline(self, place: Place) -> None:
        self._at += 1
        while self._blank() != "}":
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._pair(place)
        self._at += 1

    def _string(self) -> None:
        quote = self._text[self._at]
        closing = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._at += len(closing)
        while not self._text.startswith(closing, self._at):
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += len(closing)
        if len(closing) > 1:  # up to two quotes may stand right before the closing three
            while self._text.startswith(quote, self._at):
                self._at += 1

    def _spaces(self) -> str:
        while self._text[self._at] in " \t":
            self._at += 1
        return self._text[self._at]

    def _blank(self) -> str:
        """Pass spaces, line ends and comments; return the next character, "" at the end."""
        while self._at < len(self._text) and self._text[self._at] in " \t\n#":
            if self._text[self._at] == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                self._at += 1
        return self._text[self._at : self._at + 1]

    def _note(self, place: Place) -> None:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        self._found.setdefault(place, self._line)
