"""``homelab ci`` against the lab's CI server, through a real load balancer, from a real clone."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab.ci.bell import UNPROVEN
from tests.e2e.ci_shop import GREEN, RED, SLOW, TEST_STEP, Shop, shop


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path / "lab") as made:
        yield made


def test_a_green_commit_is_0_in_two_lines(here: Shop) -> None:
    here.push(GREEN)

    ran = here.homelab("watch")

    assert ran.code == 0, ran.plain
    assert "#1, 1 step" in ran.err.splitlines()[-1]
    assert len(ran.plain.splitlines()) == 2
    assert len(ran.plain.encode()) < 300


def test_the_deciding_event_ends_the_watch_and_not_its_next_look(here: Shop) -> None:
    decided: list[float] = []

    def listen() -> None:
        with here.world.stream("/api/stream/events") as lines:
            for line in lines:
                if line.startswith("data:") and json.loads(line[5:])["pipeline"]["status"] == "success":
                    decided.append(time.time())
                    return

    listener = here.later(listen)
    here.push(GREEN.replace("0.3", "1.5"))

    ran = here.homelab("watch")
    listener.join()

    assert ran.code == 0, ran.plain
    # How soon is for the bench to measure; without the event the next look is UNPROVEN seconds after the last.
    assert ran.ended - decided[0] < UNPROVEN / 2


def test_a_red_commit_is_1_with_the_failing_step_and_its_log(here: Shop) -> None:
    here.push(RED)

    ran = here.homelab("watch")

    assert ran.code == 1, ran.plain
    assert "test: exit 3" in ran.out
    assert "| about to break" in ran.out
    assert "https://ci.homelab.test/repos/1/pipeline/1" in ran.out


def test_status_answers_while_it_runs_and_after(here: Shop) -> None:
    here.push(SLOW)
    here.world.wait(1, "running")

    assert here.homelab("status").code == 8
    here.world.call("/api/repos/1/pipelines/1/cancel", method="POST")
    here.world.wait_quiet(1)
    assert here.homelab("status", "--json").record["exit_code"] == 9


def test_skip_words_are_7_and_named(here: Shop) -> None:
    here.push(GREEN, message="docs [skip ci]")

    ran = here.homelab("watch", "--appear-timeout", "2")

    assert ran.code == 7
    assert "the commit message says [skip ci]" in ran.out


def test_a_filtered_push_is_7(here: Shop) -> None:
    here.push("when:\n  branch: other\n" + GREEN)

    assert here.homelab("watch", "--appear-timeout", "1").code == 7


def test_an_inactive_repository_is_7_at_once(tmp_path: Path) -> None:
    with shop(tmp_path / "lab", active=False) as made:
        made.push(GREEN)
        ran = made.homelab("watch")

    assert ran.code == 7
    assert "not active" in ran.out


def test_a_blocked_run_is_6_at_once_and_waited_for_when_asked(tmp_path: Path) -> None:
    with shop(tmp_path / "lab", require_approval="all_events") as made:
        made.push(GREEN)
        at_once = made.homelab("watch")
        approve = made.later(
            lambda: (time.sleep(0.5), made.world.call("/api/repos/1/pipelines/1/approve", method="POST"))
        )
        stayed = made.homelab("watch", "--wait-approval")
        approve.join()

    assert at_once.code == 6, at_once.plain
    assert "you can approve it" in at_once.out
    assert stayed.code == 0, stayed.plain


def test_a_superseded_run_is_followed_to_the_one_that_replaced_it(here: Shop) -> None:
    first = here.push(SLOW)
    here.world.wait(1, "running")
    here.push(GREEN)

    ran = here.homelab("watch", first)

    assert ran.code == 0, ran.plain
    assert "in place of #1" in ran.err


def test_a_run_replaced_by_somebody_elses_commit_is_followed_without_moving_a_ref(here: Shop, tmp_path: Path) -> None:
    oid = here.push(SLOW)
    here.world.wait(1, "running")
    other = tmp_path / "other"
    bare = here.world.folder / "shop.git"
    subprocess.run(["git", "clone", "--quiet", str(bare), str(other)], check=True)
    (other / ".woodpecker.yaml").write_text(GREEN)
    for words in (["add", "-A"], ["commit", "-qm", "theirs"], ["push", "-q", "origin", "HEAD:main"]):
        subprocess.run(["git", "-C", str(other), *words], check=True, capture_output=True)
    refs = here.world.git("for-each-ref")

    ran = here.homelab("watch", oid)

    assert ran.code == 0, ran.plain
    assert "in place of #1" in ran.err
    assert here.world.git("for-each-ref") == refs


def test_a_server_restart_mid_watch_is_ridden_out(here: Shop) -> None:
    here.push(TEST_STEP + "      - sleep 1.5\n")
    here.world.wait(1, "running")
    restarts: list[threading.Thread] = []

    ran = here.homelab("watch", "--timeout", "30", first=lambda: restarts.append(here.later(here.restart)))
    restarts[0].join()

    assert ran.code in {0, 1, 9}, ran.plain


def test_a_bad_token_is_4_even_where_a_guest_could_read(tmp_path: Path) -> None:
    with shop(tmp_path / "lab", visibility="public") as made:
        made.push(GREEN)
        ran = made.homelab("watch", WOODPECKER_TOKEN="wrong")

    assert ran.code == 4, ran.plain
    assert "does not accept the token" in ran.err


def test_an_unknown_repository_is_7_and_says_where_to_activate_it(here: Shop) -> None:
    here.push(GREEN)
    here.world.git("remote", "set-url", "origin", "ssh://git@git.homelab.test/lab/other.git")

    ran = here.homelab("watch")

    assert ran.code == 7, ran.plain
    assert "https://ci.homelab.test/repos/add" in ran.err
