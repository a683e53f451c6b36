from __future__ import annotations

import random
import tomllib
from typing import Any

import pytest

from homelab.settings.toml_lines import Place, lines_of

DOCUMENT = """\
# 1
top = "a # no comment"
[ci.home] # 3
url = '''
[not.a.table]
'''
list = [ "x", # 7
  [1, 2],
  {a = 1, b = {c = 2}},
]
[forge."git.example.org"] # 11
a."b.c".d = 1
[[deploy]] # 13
name = 'x'
[[deploy]] # 15
[deploy.more]
when = 1979-05-27 07:32:00"""


def test_keys_tables_and_items_stand_where_an_editor_shows_them() -> None:
    text = DOCUMENT
    tomllib.loads(text)
    lines = lines_of(text)
    assert lines["top",] == 2
    assert lines["ci", "home"] == 3
    assert lines["ci", "home", "url"] == 4
    assert lines["ci", "home", "list"] == 7
    assert lines["ci", "home", "list", 1] == 8
    assert lines["ci", "home", "list", 2, "b", "c"] == 9
    assert lines["forge", "git.example.org"] == 11
    assert lines["forge", "git.example.org", "a", "b.c", "d"] == 12
    assert lines["deploy", 0, "name"] == 14
    assert lines["deploy", 1] == 15
    assert lines["deploy", 1, "more", "when"] == 17


def test_windows_line_ends_count_once() -> None:
    assert lines_of("a = 1\r\nb = 2\r\n") == {("a",): 1, ("b",): 2}


def test_a_random_document_has_a_line_for_everything_tomllib_finds() -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    for _ in range(150):
        text = _document(chance)
        parsed = tomllib.loads(text)
        lines = lines_of(text)
        assert set(_places(parsed)) <= set(lines), (seed, text)
        for place in _leaves(parsed):
            marker = f"m{_at(parsed, place)}m"
            assert marker in text.split("\n")[lines[place] - 1], (seed, text, place)


@pytest.mark.parametrize("text", ["", "\n\n", "# only", "a=1", "a=''''x'''''", 'a="\\\\"', "[ a . 'b' ]", "a = []#"])
def test_odd_but_valid_documents_are_walked_to_the_end(text: str) -> None:
    assert set(_places(tomllib.loads(text))) <= set(lines_of(text))


def _document(chance: random.Random) -> str:
    """Every leaf is the number N and its line ends in the comment ``# mNm``."""
    numbers = iter(range(1000))
    out: list[str] = []

    def leaf() -> str:
        return str(next(numbers))

    def value(depth: int) -> str:
        kind = chance.choice(["leaf", "leaf", "list", "table"]) if depth else "leaf"
        if kind == "leaf":
            return leaf()
        if kind == "table":
            return "{" + ", ".join(f"{key(i)} = {value(depth - 1)}" for i in range(chance.randrange(3))) + "}"
        return "[" + ", ".join(value(depth - 1) for _ in range(chance.randrange(3))) + "]"

    def key(index: int) -> str:
        return chance.choice([f"k{index}", f'"k {index}"', f"'k.{index}'", f'"k\\t{index}"', f"k{index} . deep"])

    def noise() -> str:
        return chance.choice(["", "", "\n", '# [x] = "\n', "  \t\n"])

    for section in range(chance.randrange(5)):
        header = chance.choice([f"[s{section}]", f"[[s{section}]]", f'[ s{section} . "x y" ]'])
        repeats = chance.randrange(1, 3) if header.startswith("[[") else 1
        for _ in range(repeats):
            out.append(noise() + header)
            for index in range(chance.randrange(4)):
                text = value(2)
                marks = " ".join(f"m{n}m" for n in text.replace("[", " ").replace("]", " ").split() if n)
                digits = "".join(char if char.isdigit() else " " for char in text).split()
                out.append(f"{noise()}{key(index)} = {text} # {marks} {' '.join(f'm{d}m' for d in digits)}")
    return "\n".join(out)


def _places(value: Any, place: Place = ()) -> list[Place]:
    here = [place] if place else []
    if isinstance(value, dict):
        return here + [found for key, inner in value.items() for found in _places(inner, (*place, key))]
    if isinstance(value, list):
        return here + [found for index, inner in enumerate(value) for found in _places(inner, (*place, index))]
    return here


def _leaves(parsed: Any) -> list[Place]:
    return [place for place in _places(parsed) if isinstance(_at(parsed, place), int)]


def _at(value: Any, place: Place) -> Any:
    for part in place:
        value = value[part]
    return value
