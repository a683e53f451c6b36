from __future__ import annotations

from homelab.ci.choice import Choice, choose
from homelab.ci.model import Pipeline, State
from tests.ci.fakes import pipeline


def numbers(runs: list[Pipeline], **asked: object) -> list[int]:
    return [run.number for run in choose(runs, Choice(**asked))]  # type: ignore[arg-type]


RUNS = [
    pipeline(1, ref="refs/heads/main"),
    pipeline(2, event="tag", branch="", ref="refs/tags/v1"),
    pipeline(3, event="cron", source="nightly"),
    pipeline(4, event="cron", source="weekly"),
    pipeline(5, event="pull_request", ref="refs/pull/8/head"),
    pipeline(6, branch="topic", ref="refs/heads/topic"),
]


def test_a_push_of_the_target_speaks_for_the_commit_alone() -> None:
    assert [1] == numbers(RUNS, target="main")


def test_a_commit_that_is_not_on_the_target_is_judged_by_its_own_branches() -> None:
    assert [6] == numbers(RUNS[5:], target="main")
    assert [] == numbers(RUNS[5:], target="main", landed=True)


def test_a_named_branch_is_the_only_one_that_counts() -> None:
    assert [6] == numbers(RUNS, target="main", branch="topic")


def test_any_event_means_every_event_but_no_push_of_another_branch() -> None:
    assert [5, 4, 3, 2, 1] == numbers(RUNS, event="any", target="main")


def test_two_crons_of_one_commit_are_two_runs() -> None:
    assert [4, 3] == numbers(RUNS, event="cron")


def test_of_a_restarted_run_the_newest_attempt_counts() -> None:
    restarted = [pipeline(1, State.FAILURE), pipeline(9, parent=1), pipeline(7, State.FAILURE, parent=1)]

    assert [9] == numbers(restarted, target="main")


def test_a_number_chooses_that_run_whatever_made_it() -> None:
    assert [3] == numbers(RUNS, number=3, target="main")
