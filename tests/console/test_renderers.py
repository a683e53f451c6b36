"""Three renderers over one event stream."""

from __future__ import annotations

import errno
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from homelab.app import App
from homelab.console.choose import choose
from homelab.console.human import Board, Human
from homelab.console.ndjson import Ndjson
from homelab.console.plain import Plain
from homelab.errors import NothingThere, OutputLost
from homelab.events import Event, Heartbeat, Notice, ReaderLeft
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.secret import Secret
from homelab.spoken import duration
from homelab.tier import Tier
from tests.fakes import FakeClock, world, written


@dataclass(frozen=True, slots=True)
class StepChanged(Event):
    kind: ClassVar[str] = "ci.step.changed"
    detail: ClassVar[bool] = True
    step: str
    path: Path

    def sentence(self) -> str:
        return f"{self.step} changed"


@dataclass(frozen=True, slots=True)
class Answer(Result):
    body: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        return list(self.body)

    def record(self) -> dict[str, Any]:
        return {"body": self.body}


@dataclass(frozen=True, slots=True)
class LineRead(Event):
    kind: ClassVar[str] = "ci.log.read"
    data: ClassVar[bool] = True

    def sentence(self) -> str:
        return "a line"


class Left(io.StringIO):
    """A pipe whose reader has what it wanted."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


ANSWER = Answer(Outcome.RED, "step test failed", body=("one", "two \x1b[31mred"))
ERROR = NothingThere("no such workload", why="demo/shop is absent", fix="kubectl -n demo get deploy", details=("seen",))


def test_plain_puts_the_answer_on_stdout_and_progress_on_stderr(tmp_path: Path) -> None:
    here = world(tmp_path)
    plain = choose(here, None, as_json=False)
    assert isinstance(plain, Plain)
    plain.event(Notice("ci", "pipeline 2 running"))
    plain.event(StepChanged("test", Path("x")))
    plain.result(ANSWER)
    assert written(here.stdout) == "one\ntwo red\n"
    assert written(here.stderr) == "ci: pipeline 2 running\nred (exit 1): step test failed\n"


def test_plain_errors_say_what_why_and_the_command_to_type_next(tmp_path: Path) -> None:
    here = world(tmp_path)
    choose(here, "plain", as_json=False).error(ERROR)
    assert written(here.stdout) == ""
    assert written(here.stderr).splitlines() == [
        "error: no such workload",
        "why: demo/shop is absent",
        "  seen",
        "next: kubectl -n demo get deploy",
        "nothing there (exit 7)",
    ]


def test_json_answers_are_one_object_on_stdout(tmp_path: Path) -> None:
    here = world(tmp_path)
    choose(here, None, as_json=True).result(ANSWER)
    assert json.loads(written(here.stdout)) == {
        "outcome": "red",
        "exit_code": 1,
        "headline": "step test failed",
        "body": ["one", "two \x1b[31mred"],
    }


def test_json_errors_are_one_object_on_stdout_too(tmp_path: Path) -> None:
    here = world(tmp_path)
    choose(here, None, as_json=True).error(ERROR)
    record = json.loads(written(here.stdout))
    assert record["exit_code"] == 7
    assert record["error"]["fix"] == "kubectl -n demo get deploy"


def test_ndjson_writes_every_event_and_ends_with_the_exit_code(tmp_path: Path) -> None:
    here = world(tmp_path)
    ndjson = choose(here, "ndjson", as_json=False)
    assert isinstance(ndjson, Ndjson)
    ndjson.event(StepChanged("test", Path("a/b")))
    ndjson.result(ANSWER)
    first, last = (json.loads(line) for line in written(here.stdout).splitlines())
    assert first == {
        "v": 1,
        "kind": "ci.step.changed",
        "time": 1_700_000_000.0,
        "step": "test",
        "path": "a/b",
        "subject": "ci",
        "sentence": "test changed",
    }
    assert (last["kind"], last["exit_code"]) == ("result", 1)


def test_a_secret_in_a_record_prints_nothing(tmp_path: Path) -> None:
    here = world(tmp_path)
    choose(here, "ndjson", as_json=False).event(StepChanged("test", Secret("hunter2")))  # type: ignore[arg-type]
    assert "hunter2" not in written(here.stdout)


def test_off_a_terminal_no_escape_sequence_is_written_even_when_human_is_asked(tmp_path: Path) -> None:
    here = world(tmp_path, env={"TERM": "xterm-256color"})
    human = choose(here, "human", as_json=False)
    assert isinstance(human, Human)
    human.event(Notice("ci", "running"))
    human.result(ANSWER)
    assert "\x1b" not in written(here.stderr) + written(here.stdout)


def test_no_color_takes_the_colour_off_a_terminal(tmp_path: Path) -> None:
    here = world(tmp_path, env={"TERM": "xterm-256color", "NO_COLOR": "1"}, tty=True)
    choose(here, None, as_json=False).error(ERROR)
    assert "\x1b[3" not in written(here.stderr)
    assert "nothing there (exit 7)" in written(here.stderr)


def test_a_terminal_gets_the_live_view_and_the_cursor_back(tmp_path: Path) -> None:
    here = world(tmp_path, env={"TERM": "xterm-256color"}, tty=True)
    human = choose(here, None, as_json=False)
    human.event(Notice("ci", "running"))
    human.result(ANSWER)
    assert written(here.stderr).count("\x1b[?25l") == written(here.stderr).count("\x1b[?25h") == 1


def test_a_sign_of_life_takes_no_row_from_what_has_a_clock_of_its_own(tmp_path: Path) -> None:
    where = world(tmp_path, tty=True)
    human = Human(where)
    human.event(StepChanged(step="build", path=Path("x")))
    human.event(Heartbeat(waiting_for="ci", elapsed=60.0))
    human.result(Result(Outcome.DONE, "green"))
    assert "build changed" in written(where.stderr)
    assert "still waiting" not in written(where.stderr)


def test_a_dumb_terminal_gets_plain_lines(tmp_path: Path) -> None:
    assert isinstance(choose(world(tmp_path, env={"TERM": "dumb"}, tty=True), None, as_json=False), Plain)


def test_a_reader_that_went_away_does_not_end_the_verb(tmp_path: Path) -> None:
    here = world(tmp_path)
    here.stdout.close()
    choose(here, "plain", as_json=False).result(ANSWER)
    assert written(here.stderr).endswith("red (exit 1): step test failed\n")


def test_the_live_view_counts_what_does_not_fit(clock: FakeClock) -> None:
    from rich.console import Console

    board = Board(clock, height=8)
    for number in range(20):
        board.hear(Notice(f"target-{number}", "waiting"))
    clock.sleep(65)
    console = Console(width=60, height=8, record=True, file=None)
    with console.capture() as shown:
        console.print(board)
    lines = shown.get().splitlines()
    assert len(lines) == 6
    assert "target-19" in lines[4]
    assert "1m05s" in lines[4]
    assert "and 15 more" in lines[5]


@pytest.mark.parametrize("width", [40, 80])
def test_a_long_sentence_takes_neither_mark_nor_subject_nor_time_from_the_live_view(width: int) -> None:
    clock = FakeClock()
    from rich.console import Console

    board = Board(clock, height=8)
    board.hear(Notice("ci woodpecker/deploy-production", "https://ci.homelab.test/repos/1/pipeline/10 " * 3))
    clock.sleep(125)
    console = Console(width=width, height=8, record=True, file=None)
    with console.capture() as shown:
        console.print(board)
    (line,) = shown.get().splitlines()
    assert line[0] not in " c"
    assert line[2:22] == "ci woo…oy-production"
    assert "https:/" in line
    assert line.rstrip().endswith("… 2m05s")


@pytest.mark.parametrize(("seconds", "text"), [(4.9, "4s"), (125, "2m05s"), (3720, "1h02m")])
def test_elapsed_times_read_as_a_person_says_them(seconds: float, text: str) -> None:
    assert text == duration(seconds)


@dataclass(frozen=True, slots=True)
class Ended(Event):
    kind: ClassVar[str] = "ci.step.ended"
    well: bool

    @property
    def ended(self) -> bool | None:
        return self.well

    def sentence(self) -> str:
        return "over"


def test_what_ended_stops_its_clock_and_says_how(clock: FakeClock) -> None:
    from rich.console import Console

    for well, mark in ((True, "✓"), (False, "✗")):
        board = Board(clock, height=8)
        clock.sleep(3)
        board.hear(Ended(well))
        clock.sleep(60)
        console = Console(width=40, height=8, record=True, file=None)
        with console.capture() as shown:
            console.print(board)
        assert shown.get().split() == [mark, "ci", "over", "0s"]


def test_what_goes_on_keeps_its_row_when_more_has_ended_than_fits(clock: FakeClock) -> None:
    from rich.console import Console

    board = Board(clock, height=6)
    board.hear(Notice("the slow one", "waiting"))
    for number in range(20):
        board.hear(EndedWell(f"target-{number}"))
    console = Console(width=60, height=6, record=True, file=None)
    with console.capture() as shown:
        console.print(board)
    assert "the slow one" in shown.get()


@dataclass(frozen=True, slots=True)
class EndedWell(Event):
    kind: ClassVar[str] = "ci.step.ended"
    name: str

    @property
    def subject(self) -> str:
        return self.name

    @property
    def ended(self) -> bool | None:
        return True

    def sentence(self) -> str:
        return "over"


@pytest.mark.parametrize("output", ["human", "plain", "ndjson"])
def test_data_without_a_reader_ends_the_verb_and_progress_does_not(tmp_path: Path, output: str) -> None:
    renderer = choose(replace(world(tmp_path), stdout=Left()), output, as_json=False)

    renderer.event(Notice("ci", "goes on"))
    with pytest.raises(ReaderLeft):
        renderer.event(LineRead())
    renderer.close()


def test_rows_keep_their_order_and_those_that_do_not_fit_are_counted_by_how_they_stand(clock: FakeClock) -> None:
    from rich.console import Console

    board = Board(clock, height=6)
    for name in ("target-a", "target-b", "target-c", "target-d", "target-e"):
        board.hear(Notice(name, "waiting"))
        clock.sleep(1)
    board.hear(EndedWell("target-a"))
    board.hear(Notice("target-b", "moving"))
    console = Console(width=60, height=6, record=True, file=None)
    with console.capture() as shown:
        console.print(board)
    lines = shown.get().splitlines()
    assert [line.split()[1] for line in lines[:3]] == ["target-b", "target-d", "target-e"]
    assert lines[3] == "and 2 more: 1 going on, 1 done"


class Full(io.StringIO):
    """A file on a disk without room."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(("tier", "outcome", "code"), [(Tier.WRITE, Outcome.DONE, 0), (Tier.READ, Outcome.RED, 1)])
def test_what_was_done_or_found_red_stays_so_though_the_disk_is_full(
    tmp_path: Path, tier: Tier, outcome: Outcome, code: int
) -> None:
    here = replace(world(tmp_path), stdout=Full())
    app = App(here, tier=tier, renderer=choose(here, None, as_json=False))
    assert app.finish(Answer(outcome, "said", body=("one",))) == code
    assert written(here.stderr).splitlines() == [
        "stdout: the answer could not be written to stdout: No space left on device",
        f"{outcome.word} (exit {code}): said",
    ]


def test_lines_that_a_full_disk_lost_end_the_verb(tmp_path: Path) -> None:
    with pytest.raises(OutputLost):
        choose(replace(world(tmp_path), stdout=Full()), None, as_json=False).event(LineRead())
