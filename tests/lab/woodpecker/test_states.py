from __future__ import annotations

import itertools

import pytest

from homelab.lab.woodpecker.states import CANCELABLE, State, Trigger, merge, of_steps, of_workflows

S = State


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], S.SUCCESS),
        ([S.SUCCESS, S.SKIPPED], S.SUCCESS),
        ([S.SKIPPED], S.SUCCESS),
        ([S.SUCCESS, S.FAILURE], S.FAILURE),
        ([S.FAILURE, S.RUNNING], S.RUNNING),
        ([S.PENDING, S.FAILURE], S.PENDING),
        ([S.KILLED, S.FAILURE], S.KILLED),
        ([S.ERROR, S.KILLED], S.ERROR),
        ([S.DECLINED, S.BLOCKED], S.DECLINED),
        ([S.CANCELED, S.SUCCESS], S.KILLED),
    ],
    ids=str,
)
def test_the_strongest_workflow_gives_the_pipeline_its_state(states: list[State], expected: State) -> None:
    assert expected is of_workflows(states)


def test_canceled_beside_anything_else_counts_as_killed() -> None:
    assert merge(S.CANCELED, S.CANCELED) is S.CANCELED
    assert all(merge(S.CANCELED, weaker) is S.KILLED for weaker in (S.RUNNING, S.FAILURE, S.SKIPPED, S.SUCCESS))


def test_merging_does_not_depend_on_the_order() -> None:
    for one, other in itertools.product(S, S):
        assert merge(one, other) is merge(other, one)


def test_an_ignored_failure_leaves_the_workflow_green() -> None:
    assert of_steps([(S.SUCCESS, False), (S.FAILURE, True)]) is S.SUCCESS
    assert of_steps([(S.SUCCESS, False), (S.FAILURE, False)]) is S.FAILURE


def test_an_ignored_step_that_still_runs_keeps_the_workflow_running() -> None:
    assert of_steps([(S.RUNNING, True)]) is S.RUNNING


def test_only_pull_request_events_are_pulls() -> None:
    assert [t.value for t in Trigger if t.is_pull] == [
        "pull_request",
        "pull_request_closed",
        "pull_request_metadata",
    ]


def test_a_finished_pipeline_cannot_be_cancelled() -> None:
    assert {S.PENDING, S.RUNNING, S.BLOCKED} == CANCELABLE
