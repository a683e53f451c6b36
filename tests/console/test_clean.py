"""Text from outside never steers a terminal."""

import pytest

from homelab.console.clean import clean


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;owned\x07title", "title"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("a\x08b", "a\\x08b"),
        ("10%\r50%\r100%", "100%"),
        ("done\r", "done"),
        ("line\nbreak", "line\\x0abreak"),
        ("user\u202egpj.exe", "user\\x202egpj.exe"),
        ("\x9b31mc1", "\\x9b31mc1"),
        ("tab\tstays", "tab\tstays"),
        ("ünïcode →", "ünïcode →"),
    ],
)
def test_control_sequences_are_dropped_or_made_visible(raw: str, shown: str) -> None:
    assert shown == clean(raw)
