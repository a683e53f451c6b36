"""Text from outside, made safe for a terminal.

A log line may hold cursor moves, title changes or bidirectional overrides; none of them may
act on the reader's terminal. Pure.
"""

from __future__ import annotations

import re

#: CSI and OSC sequences are dropped whole: what they would have coloured is what a reader wants.
_SEQUENCES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]?")
#: C0 but tab, DEL, C1, line separators, and the bidirectional controls of UAX #9.
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Return ``text`` as one line that cannot steer a terminal. A progress line keeps its last state."""
    text = _SEQUENCES.sub("", text)
    if "\r" in text:
        text = text.rstrip("\r").rpartition("\r")[2]
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
