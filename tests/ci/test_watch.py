"""A watch from the first look to the verdict, against Woodpecker's API in memory and real git."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from homelab.ci.choice import Choice
from homelab.ci.memory import FileKeeper, Memory
from homelab.ci.request import CiRequest
from homelab.ci.result import CiResult
from homelab.ci.watch import watch
from homelab.ci.woodpecker.client import Woodpecker
from homelab.clock import SystemClock
from homelab.errors import TokenRejected, Unreachable
from homelab.events import Event
from homelab.git.repository import open_repository
from homelab.http.port import ServerEvent
from homelab.outcome import Outcome
from tests.ci.fakes import Checkout, FakeWoodpecker, git, log, raw_pipeline, raw_step, status
from tests.fakes import FakeClock

Run = Callable[..., CiResult]


@pytest.fixture
def run(ci: Woodpecker, checkout: Checkout, clock: FakeClock, events: list[Event]) -> Run:
    def go(oid: str | None = None, choice: Choice | None = None, **asked: Any) -> CiResult:
        request = CiRequest(oid=oid or checkout.first, choice=choice or Choice(target="main", landed=True), **asked)
        repository = open_repository(checkout.root, {})
        return watch(ci, request, repository=repository, clock=clock, emit=events.append)

    return go


def sequence(server: FakeWoodpecker, clock: FakeClock, *changes: tuple[float, Callable[[], object]]) -> None:
    """Let each change happen when its virtual second has come."""
    left = list(changes)

    def happen(_path: str) -> None:
        while left and clock.elapsed >= left[0][0]:
            left.pop(0)[1]()

    server.before = happen


def told(events: list[Event], *, detail: bool = False) -> list[str]:
    return [event.sentence() for event in events if detail or not event.detail]


def test_a_green_watch_is_two_lines(
    run: Run, server: FakeWoodpecker, clock: FakeClock, checkout: Checkout, events: list[Event]
) -> None:
    sequence(
        server,
        clock,
        (2, lambda: server.add(raw_pipeline(12, "pending", commit=checkout.first))),
        (5, lambda: server.add(raw_pipeline(12, "running", commit=checkout.first))),
        (30, lambda: server.add(raw_pipeline(12, "success", commit=checkout.first))),
    )

    result = run()

    assert (result.outcome, result.headline) == (Outcome.DONE, "CI green: #12, 1 step, 1m12s")
    assert told(events) == ["#12 push main https://ci.example.org/repos/7/pipeline/12"]
    assert result.lines() == []
    assert {"#12 pending", "#12 running"} & set(told(events, detail=True))


def test_a_red_watch_names_the_step_its_exit_code_and_its_last_lines(
    run: Run, server: FakeWoodpecker, checkout: Checkout
) -> None:
    steps = [raw_step("test", "failure", number=31, exit_code=3)]
    workflows = [{"id": 21, "pid": 1, "name": "build", "state": "failure", "children": steps}]
    server.add(raw_pipeline(12, "failure", commit=checkout.first, workflows=workflows))
    server.logs[31] = log("+ make test", "E   assert 1 == 2")

    result = run()

    assert (result.outcome, result.headline) == (Outcome.RED, "CI red: #12 build/test: exit 3")
    assert result.lines()[:4] == [
        "build/test: exit 3",
        "  https://ci.example.org/repos/7/pipeline/12/3",
        "  | + make test",
        "  | E   assert 1 == 2",
    ]
    assert result.record()["failures"][0]["exit_code"] == 3


def test_a_red_answer_stays_within_its_budget(run: Run, server: FakeWoodpecker, checkout: Checkout) -> None:
    def broken(n: int) -> dict[str, Any]:
        steps = [raw_step(f"step{n}", "failure", number=100 + n, exit_code=1)]
        return {"id": n, "pid": n, "name": f"workflow{n}", "state": "failure", "children": steps}

    server.add(raw_pipeline(12, "failure", commit=checkout.first, workflows=[broken(n) for n in range(30)]))
    server.logs = {100 + n: log(*("é" * 400 for _ in range(60))) for n in range(30)}

    result = run()

    assert len("\n".join(result.lines()).encode()) < 4000
    assert len(result.record()["failures"]) == 30


def test_a_blocked_run_ends_the_watch_at_once_with_who_can_approve_and_where(
    run: Run, server: FakeWoodpecker, clock: FakeClock, checkout: Checkout
) -> None:
    server.add(raw_pipeline(12, "blocked", commit=checkout.first))
    server.permissions = {"push": False}

    result = run()

    assert Outcome.PERSON is result.outcome
    assert clock.elapsed == 0
    assert list(result.reasons) == [
        (
            "whoever may push to team/app can approve it, you may not (its rule: forks): "
            "https://ci.example.org/repos/7/pipeline/12"
        )
    ]


def test_with_wait_approval_the_watch_stays_until_the_approved_run_is_green(
    run: Run, server: FakeWoodpecker, clock: FakeClock, checkout: Checkout, events: list[Event]
) -> None:
    server.add(raw_pipeline(12, "blocked", commit=checkout.first))
    approved = raw_pipeline(12, "success", commit=checkout.first)
    approved["workflows"][0] |= {"id": 77, "children": [raw_step("test", number=78)]}
    sequence(server, clock, (60, lambda: server.add(approved)))

    result = run(wait_approval=True)

    assert Outcome.DONE is result.outcome
    assert sum("waits for approval" in line for line in told(events)) == 1


def test_without_a_run_the_watch_ends_with_7_and_the_causes_it_looked_for(
    run: Run, clock: FakeClock, checkout: Checkout
) -> None:
    result = run()

    assert (result.outcome, int(clock.elapsed)) == (Outcome.NOTHING, 90)
    assert "no pipeline for " + checkout.first[:12] + " (push on main) after 1m30s" == result.headline
    assert "probably filtered by event, branch or path" in result.reasons[0]


def test_skip_words_shorten_the_wait_and_are_named(run: Run, checkout: Checkout, clock: FakeClock) -> None:
    oid = checkout.commit("docs [CI SKIP]")
    checkout.push()

    result = run(oid)

    assert (result.outcome, result.reasons[0]) == (Outcome.NOTHING, "the commit message says [CI SKIP]")
    assert clock.elapsed < 20


def test_a_landed_commit_with_skip_words_is_not_told_to_be_rewritten(run: Run, checkout: Checkout) -> None:
    oid = checkout.commit("docs [skip ci]")
    checkout.push()

    landed = run(oid, Choice(target="main", landed=True)).next
    alone = run(oid, Choice(target="main")).next

    assert landed[0] == "git commit --allow-empty --message 'Run CI' && homelab work land --allow-empty"
    assert alone[0] == "git commit --amend, without the words, then push"


def test_an_inactive_repository_is_said_at_once(run: Run, server: FakeWoodpecker, clock: FakeClock) -> None:
    assert server.repo is not None
    server.repo["active"] = False

    result = run()

    assert (result.outcome, result.reasons[0]) == (Outcome.NOTHING, "team/app is not active on home")
    assert clock.elapsed == 0


def test_a_run_that_is_created_and_removed_was_filtered(
    run: Run, server: FakeWoodpecker, clock: FakeClock, checkout: Checkout
) -> None:
    server.add(raw_pipeline(12, "created", commit=checkout.first, workflows=[]))
    sequence(server, clock, (4, server.pipelines.clear))

    result = run()

    assert (
        result.outcome,
        result.reasons[0],
    ) == (Outcome.NOTHING, "#12 was created and removed: every workflow was filtered out")
    assert clock.elapsed < 10


def test_a_number_used_again_is_not_taken_for_the_run_that_had_it(
    run: Run, server: FakeWoodpecker, clock: FakeClock, checkout: Checkout
) -> None:
    server.add(raw_pipeline(12, "created", commit=checkout.first, workflows=[]))
    again = raw_pipeline(12, "success", commit="c" * 40) | {"id": 5000}
    sequence(server, clock, (4, lambda: server.add(again)))

    assert Outcome.NOTHING is run().outcome


def test_the_run_of_another_event_is_named_not_believed(run: Run, server: FakeWoodpecker, checkout: Checkout) -> None:
    server.add(raw_pipeline(12, "success", commit=checkout.first, event="cron"))

    result = run()

    assert (
        result.outcome,
        result.reasons[0],
    ) == (Outcome.NOTHING, "not push on main, but there is #12 cron main success")


def test_an_inner_commit_of_a_push_is_told_to_watch_the_head(run: Run, checkout: Checkout) -> None:
    inner = checkout.commit("second")
    head = checkout.commit("third")
    checkout.push()

    result = run(inner)

    assert f"origin/main is at {head[:12]}, which holds this commit" in result.reasons[0]
    assert f"homelab ci watch {head[:12]}" in result.next


def test_the_deadline_answers_8_with_the_command_that_continues(
    run: Run, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock
) -> None:
    server.add(raw_pipeline(12, "running", commit=checkout.first))

    result = run(timeout=600, flags=("--ci", "home"))

    assert (result.outcome, result.headline) == (Outcome.PENDING, "CI waiting: #12 running (test)")
    assert (f"homelab ci watch {checkout.first[:12]} --ci home",) == result.next
    assert clock.elapsed == 600


def test_a_replaced_run_is_followed_when_the_newer_commit_holds_ours(
    run: Run, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock, events: list[Event]
) -> None:
    newer = checkout.commit("second")
    killed = raw_pipeline(12, "killed", commit=checkout.first, cancel_info={"superseded_by": 13})
    server.add(killed, raw_pipeline(13, "running", commit=newer))
    sequence(server, clock, (9, lambda: server.add(raw_pipeline(13, "success", commit=newer))))

    result = run()

    assert (result.outcome, result.headline) == (Outcome.DONE, "CI green: #13, 1 step, 1m12s, in place of #12")
    assert newer == result.judged_instead
    replaced = [line.rpartition(" ")[0] for line in told(events) if "replaced" in line]
    assert replaced == [f"#12 replaced by #13 ({newer[:12]} holds the commit, by ann)"]


def test_a_replaced_run_is_9_when_the_newer_commit_is_not_known_to_hold_ours(
    run: Run, server: FakeWoodpecker, checkout: Checkout
) -> None:
    killed = raw_pipeline(12, "killed", commit=checkout.first, cancel_info={"superseded_by": 13})
    server.add(killed, raw_pipeline(13, "success", commit="d" * 40))

    result = run()

    assert (
        result.outcome,
        result.headline,
    ) == (Outcome.SUPERSEDED, "CI superseded: #12 replaced by #13 (dddddddddddd)")
    assert result.reasons[0].startswith("pushed by ann, not known here to hold ")
    assert "git fetch origin" in result.next[0]


def test_an_older_server_that_does_not_name_the_newer_run_is_asked_for_it(
    run: Run, server: FakeWoodpecker, checkout: Checkout
) -> None:
    newer = checkout.commit("second")
    server.add(raw_pipeline(12, "killed", commit=checkout.first), raw_pipeline(13, "success", commit=newer))

    assert run().headline == "CI green: #13, 1 step, 1m12s, in place of #12"


def test_a_cancelled_run_names_who_cancelled_it(run: Run, server: FakeWoodpecker, checkout: Checkout) -> None:
    server.add(raw_pipeline(12, "killed", commit=checkout.first, cancel_info={"canceled_by_user": "bob"}))

    result = run()

    assert (result.outcome, result.headline) == (Outcome.SUPERSEDED, "CI cancelled: #12 cancelled by bob")


def test_a_killed_run_that_turns_green_is_green(
    run: Run, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock
) -> None:
    killed = raw_pipeline(12, "killed", commit=checkout.first)
    killed["workflows"][0]["state"] = "running"
    server.add(killed)
    sequence(server, clock, (4, lambda: server.add(raw_pipeline(12, "success", commit=checkout.first))))

    assert Outcome.DONE is run().outcome


def test_a_restart_that_is_green_makes_the_commit_green(run: Run, server: FakeWoodpecker, checkout: Checkout) -> None:
    server.add(
        raw_pipeline(12, "failure", commit=checkout.first),
        raw_pipeline(14, "success", commit=checkout.first, parent=12),
    )

    result = run()

    assert (result.outcome, [one.number for one in result.pipelines]) == (Outcome.DONE, [14])


@pytest.mark.parametrize("fault", [401, 404, 502])
def test_a_server_in_trouble_mid_watch_is_ridden_out_and_a_refusal_is_said_once(
    run: Run, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock, events: list[Event], fault: int
) -> None:
    server.add(raw_pipeline(12, "running", commit=checkout.first))
    sequence(
        server,
        clock,
        (5, lambda: setattr(server, "fail", status(fault))),
        (45, lambda: (setattr(server, "fail", None), server.add(raw_pipeline(12, commit=checkout.first)))),
    )

    assert Outcome.DONE is run().outcome
    said = [line.partition(":")[0] for line in told(events)[1:]]
    assert said == ([] if fault == 502 else ["cannot see CI, still trying", "sees home again, after 39s"]), said


def test_a_server_that_stays_away_ends_the_watch_as_unreachable(
    run: Run, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock
) -> None:
    server.add(raw_pipeline(12, "running", commit=checkout.first))
    sequence(server, clock, (5, lambda: setattr(server, "fail", status(502))))

    with pytest.raises(Unreachable, match="502"):
        run()
    assert 300 <= clock.elapsed < 330


def test_a_bad_token_ends_the_watch_before_it_began(run: Run, server: FakeWoodpecker, clock: FakeClock) -> None:
    server.user = None

    with pytest.raises(TokenRejected):
        run()
    assert clock.elapsed == 0


def test_an_event_ends_the_wait_before_the_poll_would(
    ci: Woodpecker, server: FakeWoodpecker, checkout: Checkout
) -> None:
    server.add(raw_pipeline(12, "running", commit=checkout.first))
    server.events = Queue()
    looked: list[str] = []

    def finish(path: str) -> None:
        looked.append(path)
        if path.endswith("/pipelines/12") and len(looked) < 8:
            server.add(raw_pipeline(12, "success", commit=checkout.first))
            assert server.events is not None
            server.events.put(ServerEvent("message", '{"repo":{"id":9},"pipeline":{"number":1}}'))
            server.events.put(ServerEvent("message", "not json"))
            server.events.put(ServerEvent("message", '{"repo":{"id":7},"pipeline":{"number":12}}'))

    # The answer to the first look was already taken when the change is told.
    first = raw_pipeline(12, "running", commit=checkout.first)
    answer = server._below

    def below(rest: list[str], params: Any) -> Any:
        if rest == ["pipelines", "12"] and server.asked.count("/api/repos/7/pipelines/12") == 1:
            finish("/pipelines/12")
            return first
        return answer(rest, params)

    server._below = below  # type: ignore[method-assign]
    clock = SystemClock()
    began = clock.monotonic()
    request = CiRequest(oid=checkout.first, choice=Choice(target="main", landed=True), timeout=20)

    result = watch(ci, request, repository=open_repository(checkout.root, {}), clock=clock, emit=lambda _: None)

    assert Outcome.DONE is result.outcome
    assert clock.monotonic() - began < 2.5


def test_a_commit_on_its_own_branch_is_judged_by_that_branch(
    run: Run, server: FakeWoodpecker, checkout: Checkout
) -> None:
    oid = checkout.commit("topic work", branch="topic")
    server.add(raw_pipeline(12, commit=oid, branch="topic", ref="refs/heads/topic"))

    assert Outcome.DONE is run(oid, Choice(target="main")).outcome


def test_a_commit_that_is_not_here_can_still_be_watched(run: Run, server: FakeWoodpecker, checkout: Checkout) -> None:
    git(checkout.root, "status")
    server.add(raw_pipeline(12, commit="e" * 40))

    assert Outcome.DONE is run("e" * 40).outcome


def finished(number: int, seconds: int, **fields: Any) -> dict[str, Any]:
    return raw_pipeline(
        number, commit="c" * 40, **{"started": 1_600_000_000, "finished": 1_600_000_000 + seconds} | fields
    )


def test_a_run_says_how_long_its_green_likes_took(
    run: Run, server: FakeWoodpecker, checkout: Checkout, events: list[Event]
) -> None:
    server.add(finished(1, 60), finished(2, 80), finished(3, 70), finished(4, 900, event="cron"))
    server.add(raw_pipeline(12, commit=checkout.first))

    run()

    assert told(events)[0].endswith("(usually 1m10s)")


def test_a_run_far_over_its_usual_time_is_said_once(
    run: Run, server: FakeWoodpecker, checkout: Checkout, events: list[Event], clock: FakeClock
) -> None:
    server.add(finished(1, 60), raw_pipeline(12, "running", commit=checkout.first, started=int(clock.now())))

    assert run(timeout=400).outcome is Outcome.PENDING
    assert [line for line in told(events) if "runs for" in line] == ["#12 runs for 2m03s, usually 1m00s"]


def test_a_target_that_moved_on_is_said_with_who_moved_it(
    run: Run, server: FakeWoodpecker, checkout: Checkout, events: list[Event], clock: FakeClock
) -> None:
    server.add(raw_pipeline(12, "running", commit=checkout.first))
    theirs = raw_pipeline(13, "running", commit="d" * 40, author="bob")
    sequence(server, clock, (20, lambda: server.add(theirs)))

    run(timeout=200)

    assert [line for line in told(events) if "moved on" in line] == ["main moved on to dddddddddddd by bob (#13)"]


def test_green_on_one_server_waits_for_the_other_and_says_when_it_stays_silent(
    ci: Woodpecker, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock
) -> None:
    silent = FakeWoodpecker()
    other = Woodpecker(silent, silent.slug, name="second", second=lambda: silent)
    server.add(raw_pipeline(12, commit=checkout.first))
    request = CiRequest(oid=checkout.first, choice=Choice(target="main", landed=True))

    result = watch(
        [ci, other], request, repository=open_repository(checkout.root, {}), clock=clock, emit=lambda _: None
    )

    assert result.outcome is Outcome.NOTHING
    assert result.headline.startswith("no run on second for ")
    assert clock.elapsed >= 90


def test_red_on_one_server_does_not_wait_for_a_silent_one(
    ci: Woodpecker, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock
) -> None:
    silent = FakeWoodpecker()
    other = Woodpecker(silent, silent.slug, name="second", second=lambda: silent)
    server.add(raw_pipeline(12, "failure", commit=checkout.first))
    request = CiRequest(oid=checkout.first, choice=Choice(target="main", landed=True))

    result = watch(
        [ci, other], request, repository=open_repository(checkout.root, {}), clock=clock, emit=lambda _: None
    )

    assert (result.outcome, clock.elapsed) == (Outcome.RED, 0)


def test_a_watch_that_continues_counts_its_patience_for_a_first_run_from_the_first_piece(
    ci: Woodpecker, checkout: Checkout, clock: FakeClock, tmp_path: Path
) -> None:
    request = CiRequest(oid=checkout.first, choice=Choice(target="main", landed=True), timeout=40)
    outcomes = []
    for _ in range(3):
        result = watch(
            ci,
            request,
            repository=open_repository(checkout.root, {}),
            clock=clock,
            emit=lambda _: None,
            keeper=FileKeeper(tmp_path / "memory", "question"),
        )
        outcomes.append(result.outcome)

    assert outcomes == [Outcome.PENDING, Outcome.PENDING, Outcome.NOTHING]
    assert 90 <= clock.elapsed < 100


def test_a_server_that_never_answers_is_asked_once_and_its_stream_not_at_all(run: Run, server: FakeWoodpecker) -> None:
    asked: list[str] = []
    server.before = asked.append
    server.fail = Unreachable("ci refuses the connection", why="nothing listens", fix="homelab doctor")

    with pytest.raises(Unreachable):
        run()
    assert asked == ["/api/user"]


def test_a_watch_that_loses_its_server_for_good_names_the_command_that_continues(
    run: Run, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock
) -> None:
    server.add(raw_pipeline(12, "running", commit=checkout.first))
    sequence(server, clock, (5, lambda: setattr(server, "fail", status(502))))

    with pytest.raises(Unreachable) as caught:
        run()
    assert caught.value.details[-1] == f"go on: homelab ci watch {checkout.first[:12]}"


def test_a_watch_that_is_killed_without_a_word_has_kept_what_it_told(
    ci: Woodpecker, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock, events: list[Event], tmp_path: Path
) -> None:
    request = CiRequest(oid=checkout.first, choice=Choice(target="main", landed=True))
    server.add(raw_pipeline(12, "running", commit=checkout.first))

    class Killed(FileKeeper):
        """Keeps for as long as the process lives: not at its end."""

        def keep(self, memory: Memory, now: float) -> None:
            if clock.elapsed < 60:
                super().keep(memory, now)

    def die(_path: str) -> None:
        if clock.elapsed >= 60:
            raise KeyboardInterrupt

    server.before = die
    for keeper in (Killed(tmp_path / "memory", "q"), FileKeeper(tmp_path / "memory", "q")):
        with suppress(KeyboardInterrupt):
            watch(
                ci,
                request,
                repository=open_repository(checkout.root, {}),
                clock=clock,
                emit=events.append,
                keeper=keeper,
            )
        server.before = lambda _path: None
        server.add(raw_pipeline(12, commit=checkout.first))

    assert [line.partition(" http")[0] for line in told(events)] == ["#12 push main"]


def test_the_push_between_two_pieces_is_waited_for_though_the_first_piece_was_long_ago(
    ci: Woodpecker, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock, tmp_path: Path
) -> None:
    request = CiRequest(oid=checkout.first, choice=Choice(target="main", landed=True), timeout=5)

    def piece() -> Outcome:
        return watch(
            ci,
            request,
            repository=open_repository(checkout.root, {}),
            clock=clock,
            emit=lambda _: None,
            keeper=FileKeeper(tmp_path / "memory", "question"),
        ).outcome

    first = piece()
    clock.sleep(600)
    second = piece()
    server.add(raw_pipeline(12, commit=checkout.first))

    assert (first, second, piece()) == (Outcome.PENDING, Outcome.PENDING, Outcome.DONE)


@pytest.mark.parametrize("ahead", [-3600.0, 0.0, 3600.0])
def test_a_clock_that_is_wrong_neither_strands_nor_slows_a_run(
    run: Run, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock, events: list[Event], ahead: float
) -> None:
    server.ahead = ahead
    now = int(clock.now() + ahead)
    server.add(finished(1, 60))
    server.add(raw_pipeline(12, "created", commit=checkout.first, created=now, updated=now, started=0, workflows=[]))
    going = raw_pipeline(12, "running", commit=checkout.first, created=now, updated=now, started=now)
    sequence(
        server,
        clock,
        (20, lambda: server.add(going)),
        (50, lambda: server.add(raw_pipeline(12, commit=checkout.first, created=now, finished=now + 50))),
    )

    assert run().outcome is Outcome.DONE
    assert not [line for line in told(events) if "runs for" in line]


def test_a_state_nobody_knows_is_said_once(
    run: Run, server: FakeWoodpecker, checkout: Checkout, events: list[Event]
) -> None:
    server.add(raw_pipeline(12, "warming", commit=checkout.first, finished=0))

    run(timeout=60)

    assert sum("'warming', a state homelab does not know" in line for line in told(events)) == 1


def test_a_new_branch_takes_the_usual_time_of_the_others(
    run: Run, server: FakeWoodpecker, checkout: Checkout, events: list[Event]
) -> None:
    oid = checkout.commit("topic", branch="topic")
    server.add(finished(1, 60), raw_pipeline(12, commit=oid, branch="topic", ref="refs/heads/topic"))

    run(oid, Choice(target="main"))

    assert told(events)[0].endswith("(usually 1m00s)")


def test_a_number_used_again_for_the_same_commit_is_told_as_another_run(
    run: Run, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock, events: list[Event]
) -> None:
    server.add(raw_pipeline(12, "created", commit=checkout.first, workflows=[]))
    sequence(server, clock, (4, lambda: server.add(raw_pipeline(12, commit=checkout.first, id=5000))))

    assert run().outcome is Outcome.DONE
    assert [line.partition(" http")[0] for line in told(events)] == [
        "#12 push main",
        "#12 is gone again: filtered out",
        "#12 push main",
    ]
