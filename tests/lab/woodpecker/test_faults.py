from __future__ import annotations

import asyncio

import pytest

from homelab.lab.woodpecker.faults import Faults
from homelab.lab.woodpecker.records import LogLine


def delivered(faults: Faults, count: int) -> list[int]:
    """Return the order in which so many events come out."""
    seen: list[int] = []

    async def deliver() -> None:
        for number in range(count):
            faults.deliver(lambda number=number: seen.append(number))  # type: ignore[misc]
        await asyncio.sleep(faults.delay * 2)

    asyncio.run(deliver())
    return seen


def test_events_come_in_order_unless_told_otherwise() -> None:
    assert delivered(Faults(), 4) == [0, 1, 2, 3]
    assert delivered(Faults(reorder=True), 4) == [1, 0, 3, 2]
    assert delivered(Faults(mute="events"), 4) == []
    assert delivered(Faults(delay=0.01), 3) == [0, 1, 2]


def test_an_event_held_back_comes_out_when_order_returns() -> None:
    faults = Faults(reorder=True)
    assert delivered(faults, 1) == []
    faults.reorder = False
    assert delivered(faults, 1) == [0]
    assert faults._held is None


def test_a_passing_answer_is_used_up_in_order_and_on_its_path_alone() -> None:
    faults = Faults(transient=["401", "502"], transient_path="/pipelines")
    assert faults.next_transient("/api/user") is None
    passing = [faults.next_transient("/api/repos/1/pipelines") for _ in range(3)]
    assert [one and one.status for one in passing] == [401, 502, None]


def test_setting_keeps_the_rest_and_knows_every_name() -> None:
    faults = Faults(delay=1.0)
    faults.set({"mute": "bytes"})
    assert (faults.delay, faults.mute) == (1.0, "bytes")
    with pytest.raises(ValueError, match="gremlins"):
        faults.set({"gremlins": 1})
    with pytest.raises(ValueError, match="_held"):
        faults.set({"_held": 1})


def test_a_log_is_given_as_the_faults_say() -> None:
    lines = [LogLine(number, 7, number, 0, b"x") for number in range(30)]
    assert Faults().rest_log(7, lines) == lines
    shuffled = Faults(log_shuffled=True).rest_log(7, lines)
    assert shuffled != lines
    assert sorted(shuffled, key=lambda line: line.line) == lines
    doubled = Faults(log_duplicated=True).rest_log(7, lines)
    assert len(doubled) == 40
    late = Faults(log_late=60.0)
    late.wrote(lines, 7)
    assert late.rest_log(7, lines) == lines[:15]
    assert late.rest_log(8, lines) == lines
