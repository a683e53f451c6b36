from __future__ import annotations

from homelab.settings.visible import shortened, visible


def test_what_a_terminal_would_obey_is_written_out() -> None:
    assert visible("a\x1b[2Jb\rc\u202ed\u200be\x9b") == r"a\x1b[2Jb\rc\u202ed\u200be\x9b"


def test_ordinary_text_of_any_script_stays() -> None:
    assert visible("make prüfen && 検証") == "make prüfen && 検証"


def test_a_long_text_is_cut_at_the_limit() -> None:
    assert shortened("x" * 11, limit=10) == "x" * 9 + "…"
    assert shortened("x" * 10, limit=10) == "x" * 10
