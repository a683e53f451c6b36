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
        ("\x9b31mc1", "c1"),
        ("\x9d0;owned\x9ctitle", "title"),
        ("\x1b(B\x1b[mafter tput sgr0", "after tput sgr0"),
        ("\x1b]0;never ends, but is read", "0;never ends, but is read"),
        ("\x1bPq#0\x1b\\sixel", "sixel"),
        ("\x1b7\x1b[6n\x1b8moved", "moved"),
        ("half \x1b[", "half "),
        ("ask\U000e0041\U000e007f", "ask\\xe0041\\xe007f"),
        ("50%\r\x1b[K100%\r\n".rstrip("\n"), "100%"),
        ("tab\tstays", "tab\tstays"),
        ("ünïcode →", "ünïcode →"),
    ],
)
def test_control_sequences_are_dropped_or_made_visible(raw: str, shown: str) -> None:
    assert shown == clean(raw)
