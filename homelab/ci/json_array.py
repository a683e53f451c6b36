"""A JSON array read piece by piece: each element once it is whole, in the memory of one. Pure. Layer: ci."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any

_BLANK = " \t\r\n"
#: Characters of one element; an agent splits lines at 1 MiB.
LONGEST = 8 * 1024 * 1024


def elements(pieces: Iterable[bytes]) -> Iterator[Any]:
    """Yield the elements of the array of objects in ``pieces``; ``null`` has none.

    Raises ValueError where the text is neither, or ends early: an empty body is a cut one.
    """
    decoder, utf8 = json.JSONDecoder(), codecs.getincrementaldecoder("utf-8")("replace")
    text, opened = "", False
    for piece in pieces:
        text += utf8.decode(piece)
        if not opened:
            text = text.lstrip(_BLANK)
            if not text or "null".startswith(text[:4]):
                continue
            if text[0] != "[":
                raise ValueError("not an array")
            opened, text = True, text[1:]
        position = 0
        while (start := _next(text, position)) is not None:
            if text[start] == "]":
                return
            try:
                element, position = decoder.raw_decode(text, start)
            except ValueError:
                position = start
                break
            yield element
        text = text[position:]
        if len(text) > LONGEST:
            raise ValueError("an element of the array does not end")
    if opened or text.strip(_BLANK) != "null":
        raise ValueError("the array ends early")


def _next(text: str, position: int) -> int | None:
    """Return where the next element, or the end, begins; None when it is not here yet."""
    while position < len(text) and (text[position] in _BLANK or text[position] == ","):
        position += 1
    return position if position < len(text) else None
