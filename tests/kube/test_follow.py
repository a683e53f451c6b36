"""A followed log loses no line and gives none twice, whatever its connections do."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from homelab.errors import HttpStatus, Unreachable
from homelab.kube.follow import LOST_SECONDS, Followed
from homelab.kube.port import Params
from tests.fakes import FakeClock

Step = list[str] | Exception


class Stream:
    """One answer: its pieces, then how it ends."""

    def __init__(self, lines: Iterable[str], end: Exception | None = None) -> None:
        self.pieces = [f"{line}\n".encode() for line in lines]
        self.end = end

    def read1(self, _amount: int) -> bytes:
        if self.pieces:
            return self.pieces.pop(0)
        if self.end is not None:
            raise self.end
        return b""

    def close(self) -> None:
        pass


class Source:
    """Answers each opening with the next step; remembers from where it was asked."""

    def __init__(self, *steps: Stream | Exception) -> None:
        self.steps, self.asked = list(steps), list[Params]()

    def __call__(self, start: Params) -> Stream:
        self.asked.append(dict(start))
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step


def followed(source: Source, clock: FakeClock) -> list[str]:
    return list(Followed(source, tail=20, server="here", path="/log", clock=clock))  # type: ignore[arg-type]


BROKEN = ProtocolError("cut")


def test_lines_with_the_same_stamp_are_all_given(clock: FakeClock) -> None:
    assert followed(Source(Stream(["1 a", "1 b", "1 c"])), clock) == ["a", "b", "c"]


def test_a_broken_stream_goes_on_behind_its_last_line_though_the_server_repeats_the_second(clock: FakeClock) -> None:
    source = Source(Stream(["1.1 a", "1.5 b", "1.5 c"], BROKEN), Stream(["1.1 a", "1.5 b", "1.5 c", "1.5 d", "2.0 e"]))
    assert followed(source, clock) == ["a", "b", "c", "d", "e"]
    assert source.asked == [{"tailLines": 20}, {"sinceTime": "1.5"}]


def test_a_clock_set_back_on_the_node_hides_no_line(clock: FakeClock) -> None:
    assert followed(Source(Stream(["5 a", "3 b", "4 c"])), clock) == ["a", "b", "c"]


def test_a_silent_stream_is_asked_again_without_end(clock: FakeClock) -> None:
    silence = ReadTimeoutError(None, "/log", "silent")  # type: ignore[arg-type]
    source = Source(*(Stream([], silence) for _ in range(5)), Stream(["1 a"]))
    assert followed(source, clock) == ["a"]


def test_a_server_that_restarts_is_waited_for(clock: FakeClock) -> None:
    away = Unreachable("no answer", why="refused", fix="wait")
    assert followed(Source(Stream(["1 a"], BROKEN), away, away, Stream(["1 a", "2 b"])), clock) == ["a", "b"]


def test_a_server_that_stays_away_is_an_error_and_not_the_end_of_the_log(clock: FakeClock) -> None:
    away = Unreachable("no answer", why="refused", fix="wait")
    with pytest.raises(Unreachable):
        followed(Source(Stream(["1 a"], BROKEN), away), clock)
    assert clock.elapsed >= LOST_SECONDS


def test_a_container_that_has_not_started_is_said_at_once(clock: FakeClock) -> None:
    waiting = HttpStatus("400", status=400, why="waiting to start", fix="wait")
    with pytest.raises(HttpStatus):
        followed(Source(waiting), clock)
    assert clock.elapsed == 0
