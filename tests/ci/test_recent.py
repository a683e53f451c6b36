"""Lists of runs: which, how old, and what is said where there is none."""

from __future__ import annotations

import pytest

from homelab.ci.model import Pipeline, State
from homelab.ci.recent import ListResult, Wanted, open_page, recent
from homelab.errors import NothingThere
from homelab.events import Event
from homelab.outcome import Outcome
from tests.ci.fakes import pipeline
from tests.ci.runs import FakeRuns
from tests.fakes import FakeClock

NOW = 1_700_000_000


class NoList(FakeRuns):
    name = "forge"

    def recent(self, limit: int, *, event: str = "", branch: str = "", state: State | None = None) -> list[Pipeline]:
        raise NothingThere("forge gives no list of runs by call", why="-", fix="open https://git.example.org")


def listed(clock: FakeClock, events: list[Event], *servers: FakeRuns, limit: int = 9, **asked: str) -> ListResult:
    wanted = Wanted.read(asked.get("event"), asked.get("branch"), asked.get("state"))
    return recent(servers, limit, wanted, clock=clock, emit=events.append)


def test_a_row_tells_how_long_it_took_or_goes_already_and_how_old_it_is(clock: FakeClock, events: list[Event]) -> None:
    done = pipeline(1, created=NOW - 7300, started=NOW - 7290, finished=NOW - 7200, title="first")
    going = pipeline(22, State.RUNNING, created=NOW - 65, started=NOW - 62, title="second")
    waits = pipeline(23, State.PENDING, created=NOW - 5, started=0, branch="", ref="refs/tags/v1", event="tag")

    assert listed(clock, events, FakeRuns(done, going, waits)).lines() == [
        "#23  pending  tag   v1    aaaaaaaaaaaa  -       5s ago",
        "#22  running  push  main  aaaaaaaaaaaa  1m02s…  1m ago  second",
        "#1   success  push  main  aaaaaaaaaaaa  1m30s   2h ago  first",
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "no run of team/app yet on home"),
        ({"event": "any"}, "no run of team/app yet on home"),
        ({"event": "cron", "state": "failure"}, "no run fits --event cron --state failure on home"),
    ],
)
def test_an_empty_list_says_what_was_looked_for(
    clock: FakeClock, events: list[Event], asked: dict[str, str], said: str
) -> None:
    result = listed(clock, events, FakeRuns(), **asked)

    assert (result.outcome, result.headline, result.lines()) == (Outcome.DONE, said, [])


def test_a_server_without_a_list_keeps_no_other_from_being_listed(clock: FakeClock, events: list[Event]) -> None:
    result = listed(clock, events, NoList(), FakeRuns(pipeline(1, created=NOW)))

    assert [run.number for run in result.pipelines] == [1]
    assert [event.sentence() for event in events] == [
        "forge gives no list of runs by call; open https://git.example.org"
    ]
    with pytest.raises(NothingThere):
        listed(clock, events, NoList())


def test_a_page_is_shown_only_where_a_person_sits() -> None:
    seen: list[str] = []
    run = pipeline(3)

    quiet = open_page([run], "https://ci.example.org/repos/7", None)
    shown = open_page([run], "https://ci.example.org/repos/7", lambda url: seen.append(url) is None)

    assert quiet.lines() == shown.lines() == seen == ["https://ci.example.org/repos/7/pipeline/3"]
    assert (quiet.headline, shown.headline) == ("#3", "#3, opened in the browser")
    assert open_page([], "https://ci.example.org/repos/7", None).url == "https://ci.example.org/repos/7"
