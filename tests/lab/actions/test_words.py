from __future__ import annotations

import pytest

from homelab.lab.actions.words import Kind, Level, Status, combine, commit_state, description, gitea_words, of_jobs

S = Status


@pytest.mark.parametrize(
    ("status", "old", "new", "gitea"),
    [
        (S.WAITING, "pending", "pending", ("queued", "")),
        (S.BLOCKED, "pending", "pending", ("waiting", "")),
        (S.RUNNING, "pending", "pending", ("in_progress", "")),
        (S.SUCCESS, "success", "success", ("completed", "success")),
        (S.FAILURE, "failure", "failure", ("completed", "failure")),
        (S.CANCELLED, "failure", "failure", ("completed", "cancelled")),
        (S.SKIPPED, "success", "skipped", ("completed", "skipped")),
        (S.UNKNOWN, "error", "error", ("", "")),
    ],
)
def test_each_face_has_its_own_word_for_a_status(status: Status, old: str, new: str, gitea: tuple[str, str]) -> None:
    assert old == commit_state(status, knows_skipped=False)
    assert new == commit_state(status, knows_skipped=True)
    assert gitea == gitea_words(status)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], S.UNKNOWN),
        ([S.SKIPPED, S.SKIPPED], S.SKIPPED),
        ([S.SUCCESS, S.SKIPPED], S.SUCCESS),
        ([S.SUCCESS, S.FAILURE], S.FAILURE),
        ([S.CANCELLED, S.FAILURE, S.RUNNING], S.CANCELLED),
        ([S.FAILURE, S.RUNNING], S.RUNNING),
        ([S.FAILURE, S.WAITING], S.WAITING),
        ([S.SUCCESS, S.BLOCKED], S.BLOCKED),
        ([S.FAILURE, S.BLOCKED], S.FAILURE),
    ],
    ids=str,
)
def test_a_run_takes_its_status_from_its_jobs(statuses: list[Status], expected: Status) -> None:
    assert expected is of_jobs(statuses)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], ""),
        (["success", "skipped"], "success"),
        (["skipped"], "success"),
        (["success", "pending"], "pending"),
        (["pending", "failure"], "failure"),
        (["error", "failure"], "error"),
    ],
    ids=str,
)
def test_the_worst_commit_state_wins_even_while_others_are_pending(states: list[str], expected: str) -> None:
    assert expected == combine(states)


def test_descriptions_tell_cancelled_from_failed() -> None:
    assert description(S.SUCCESS, 62) == "Successful in 1m2s"
    assert description(S.FAILURE, 3601) == "Failing after 1h0m1s"
    assert description(S.CANCELLED, 1) == "Has been cancelled"


def test_levels_compare() -> None:
    assert Level.STATUSES < Level.TASKS < Level.RUNS < Level.LOGS
    assert [kind.value for kind in Kind] == ["forgejo", "gitea"]
