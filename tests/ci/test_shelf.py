from __future__ import annotations

import random

from homelab.ci.model import LogLine
from homelab.ci.shelf import Shelf


def through(numbers: list[int], **more: int) -> list[int]:
    with Shelf(**more) as shelf:
        given = [line.number for number in numbers for line in shelf.put(LogLine(number, f"line {number}"))]
        return given + [line.number for line in shelf.rest()]


def test_each_line_comes_once_and_in_order() -> None:
    assert through([2, 0, 0, 1, 2, 4]) == [0, 1, 2, 4]


def test_lines_before_the_first_wanted_one_are_dropped() -> None:
    assert through([0, 1, 2, 3], first=2) == [2, 3]


def test_any_order_is_put_right_beyond_what_memory_holds() -> None:
    seed = random.randrange(10**6)
    print("seed", seed)  # noqa: T201 -- what a failure is repeated with
    numbers = list(range(3000)) * 2
    random.Random(seed).shuffle(numbers)

    assert through(numbers, held=5000) == list(range(3000))


def test_a_gap_is_known() -> None:
    with Shelf() as shelf:
        list(shelf.put(LogLine(1, "b")))
        assert shelf.gap
        list(shelf.put(LogLine(0, "a")))
        assert not shelf.gap
