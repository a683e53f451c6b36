"""Text from outside, made safe for a terminal.

A log line may hold cursor moves, title changes or bidirectional overrides; none of them may
act on the reader's terminal. Pure.
"""

from __future__ import annotations

import re

#: Escape sequences are dropped whole: what they would have coloured is what a reader wants. Strings (OSC, DCS, SOS,
#: PM, APC) go with their payload, but only where they end in this line: one left open would hide the rest of it.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]?"
)
#: C0 but tab, DEL, C1, separators, the bidirectional controls of UAX #9, interlinear marks, and the invisible tag
#: characters, which only a machine reads.
_CONTROLS = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def clean(text: str) -> str:
    """Return ``text`` as one line that cannot steer a terminal. A progress line keeps its last state."""
    text = _SEQUENCES.sub("", text)
    if "\r" in text:
        text = text.rstrip("\r").rpartition("\r")[2]
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
