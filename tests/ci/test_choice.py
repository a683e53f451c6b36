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
    assert numbers(RUNS, target="main") == [1]


def test_a_commit_that_is_not_on_the_target_is_judged_by_its_own_branches() -> None:
    assert numbers(RUNS[5:], target="main") == [6]
    assert numbers(RUNS[5:], target="main", landed=True) == []


def test_a_named_branch_is_the_only_one_that_counts() -> None:
    assert numbers(RUNS, target="main", branch="topic") == [6]


def test_any_event_means_every_event_but_no_push_of_another_branch() -> None:
    assert numbers(RUNS, event="any", target="main") == [5, 4, 3, 2, 1]


def test_two_crons_of_one_commit_are_two_runs() -> None:
    assert numbers(RUNS, event="cron") == [4, 3]


def test_of_a_restarted_run_the_newest_attempt_counts() -> None:
    restarted = [pipeline(1, State.FAILURE), pipeline(9, parent=1), pipeline(7, State.FAILURE, parent=1)]

    assert numbers(restarted, target="main") == [9]


def test_a_number_chooses_that_run_whatever_made_it() -> None:
    assert numbers(RUNS, number=3, target="main") == [3]
