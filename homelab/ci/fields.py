"""Fields of somebody else's JSON, read by the names they had over the years; absent ones are empty. Pure. Layer: ci."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def integer(raw: Json, *names: str) -> int:
    """Return the first of ``names`` that holds a number other than 0, else 0."""
    for name in names:
        value = raw.get(name)
        if isinstance(value, (int, float)) and value:
            return int(value)
    return 0


def text(raw: Json, *names: str) -> str:
    """Return the first of ``names`` that is not empty, as text, else ""."""
    for name in names:
        value = raw.get(name)
        if value:
            return str(value)
    return ""


def items(value: object) -> list[Json]:
    """Return the objects of a list; an empty one may arrive as ``null``."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
