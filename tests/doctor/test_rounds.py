from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from homelab.clock import SystemClock
from homelab.doctor.model import Finding, Grade, ok
from homelab.doctor.rounds import Check, rounds
from homelab.errors import TokenMissing
from homelab.events import Event
from homelab.outcome import Outcome
from tests.settings.fakes import world


def _fine() -> Iterator[Finding]:
    yield ok("fine", "well")


def _broken() -> Iterator[Finding]:
    yield ok("broken.first", "well")
    raise TokenMissing("no token", why="w", fix="f")


def _buggy() -> Iterator[Finding]:
    yield ok("buggy", str(1 // 0))


def test_an_error_or_a_bug_in_one_check_stops_no_other(tmp_path: Path, events: list[Event]) -> None:
    checks = [Check("broken", _broken), Check("buggy", _buggy), Check("fine", _fine)]
    found = rounds(checks, limit=5.0, world=world(tmp_path), emit=events.append)
    assert [(each.name, each.grade, each.outcome) for each in found] == [
        ("broken.first", Grade.OK, Outcome.DONE),
        ("broken", Grade.FAIL, Outcome.CREDENTIALS),
        ("buggy", Grade.FAIL, Outcome.BUG),
        ("fine", Grade.OK, Outcome.DONE),
    ]
    assert "ZeroDivisionError" in found[2].says
    assert list((tmp_path / "h" / ".local" / "state" / "homelab" / "crashes").iterdir())
    assert sorted(event.record()["name"] for event in events) == ["broken", "broken.first", "buggy", "fine"]


def test_a_check_that_hangs_is_left_behind_and_says_so(tmp_path: Path, events: list[Event]) -> None:
    released = threading.Event()

    def stuck() -> Iterator[Finding]:
        yield ok("stuck.first", "well")
        released.wait(30)

    found = rounds(
        [Check("stuck", stuck), Check("fine", _fine)],
        limit=0.1,
        world=replace(world(tmp_path), clock=SystemClock()),
        emit=events.append,
    )
    released.set()
    assert [(each.name, each.grade) for each in found] == [
        ("stuck.first", Grade.OK),
        ("stuck", Grade.FAIL),
        ("fine", Grade.OK),
    ]
    assert found[1].outcome is Outcome.UNREACHABLE
