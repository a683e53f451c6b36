"""Text from a file or a repository, made safe to show: what a terminal would obey becomes an escape.

Layer: settings; imports nothing of ours.
"""

from __future__ import annotations


def visible(text: str, *, keep: str = "") -> str:
    r"""Return ``text`` with every unprintable character (controls, bidi, zero width) written as an escape.

    Characters in ``keep`` stay (``"\n"`` for text shown over several lines).
    """
    return "".join(char if char in keep or char.isprintable() else _escape(char) for char in text)


def shortened(text: str, *, limit: int = 60) -> str:
    """Return ``text`` visible, on one line, cut at ``limit`` characters."""
    shown = visible(text)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
