from __future__ import annotations

import io
import os
import signal
import time
from pathlib import Path

import pytest

from homelab.ci.notify import notifying
from homelab.errors import Unreachable
from homelab.events import Event
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.world import World


def world(folder: Path, err: io.StringIO) -> World:
    return World(env={"PATH": "/usr/bin:/bin"}, cwd=folder, stdin=None, stdout=io.StringIO(), stderr=err)


def test_the_bell_rings_on_an_answer(tmp_path: Path, events: list[Event]) -> None:
    err = io.StringIO()
    with notifying(world(tmp_path, err), "bell", events.append) as told:
        told.of(Result(Outcome.DONE, "green"))

    assert err.getvalue() == "\a"


def test_a_command_is_told_of_an_error_too_and_no_text_reaches_its_shell(tmp_path: Path, events: list[Event]) -> None:
    command = 'echo "$HOMELAB_EXIT_CODE $HOMELAB_HEADLINE" > told'
    with pytest.raises(Unreachable), notifying(world(tmp_path, io.StringIO()), command, events.append):
        raise Unreachable("$(touch hacked)", why="-", fix="-")

    assert (tmp_path / "told").read_text() == "5 $(touch hacked)\n"
    assert not (tmp_path / "hacked").exists()


def test_a_command_that_fails_is_said_and_changes_nothing(tmp_path: Path, events: list[Event]) -> None:
    with notifying(world(tmp_path, io.StringIO()), "exit 3", events.append) as told:
        told.of(Result(Outcome.DONE, "green"))

    assert [event.sentence() for event in events] == ["the command ended with 3"]


@pytest.mark.parametrize(
    ("outcome", "code"), [(Outcome.RED, "1"), (Outcome.PENDING, "8"), (Outcome.NOTHING, "7"), (Outcome.PERSON, "6")]
)
def test_every_outcome_is_told(tmp_path: Path, events: list[Event], outcome: Outcome, code: str) -> None:
    with notifying(world(tmp_path, io.StringIO()), "printf %s $HOMELAB_EXIT_CODE > told", events.append) as told:
        told.of(Result(outcome, "so"))

    assert (tmp_path / "told").read_text() == code


def test_a_bug_is_told_like_any_end(tmp_path: Path, events: list[Event]) -> None:
    command = "printf %s $HOMELAB_EXIT_CODE > told"
    with pytest.raises(ZeroDivisionError), notifying(world(tmp_path, io.StringIO()), command, events.append):
        _ = 1 // 0

    assert (tmp_path / "told").read_text() == "3"


def test_what_the_command_leaves_running_holds_nobody(tmp_path: Path, events: list[Event]) -> None:
    began = time.monotonic()
    with notifying(world(tmp_path, io.StringIO()), "sleep 5 & echo $! > pid", events.append) as told:
        told.of(Result(Outcome.DONE, "green"))

    assert time.monotonic() - began < 4
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
