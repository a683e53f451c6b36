from __future__ import annotations

import pytest

from homelab.ci.actions import Actions
from homelab.ci.model import State
from homelab.errors import NothingThere, PermissionMissing, PersonNeeded, TokenRejected
from tests.ci.fakes import OID, FakeForge, pipeline, status
from tests.fakes import FakeClock

REPO = "/api/v1/repos/o/r"
ROW = {
    "status": "success",
    "description": "Successful in 3s",
    "created_at": "2026-01-02T03:05:17Z",
}


def forge(**answers: object) -> FakeForge:
    return FakeForge({REPO: {"full_name": "o/r", "has_actions": True}, **{REPO + k: v for k, v in answers.items()}})


def actions(http: FakeForge) -> Actions:
    return Actions(http, "o/r", name="forge", clock=FakeClock())


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        (401, TokenRejected, "does not accept the token"),
        (403, PermissionMissing, "refuses o/r to this token"),
        (404, NothingThere, "has no repository o/r"),
    ],
)
def test_a_refused_repository_says_which_refusal_it_is(code: int, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        actions(FakeForge({REPO: status(code)})).runs_of(OID)


def test_every_page_of_statuses_is_read_and_the_newest_of_a_context_counts() -> None:
    first = [
        {**ROW, "id": n, "context": f"CI / j{n} (push)", "target_url": f"/o/r/actions/runs/1/jobs/{n}"}
        for n in range(50)
    ]
    again = {**first[3], "id": 99, "status": "failure", "description": "Failing after 1s"}
    http = forge(**{f"/commits/{OID}/status": lambda page: {"statuses": first if page == 1 else [again]}})

    (run,) = actions(http).runs_of(OID)

    assert (run.state, len(run.workflows)) == (State.FAILURE, 50)


def test_no_status_at_all_is_no_run_on_either_server() -> None:
    assert actions(forge(**{f"/commits/{OID}/status": {"state": "", "statuses": None}})).runs_of(OID) == []
    assert actions(forge(**{f"/commits/{OID}/status": {"sha": "", "state": ""}})).runs_of(OID) == []


def test_a_task_tells_what_its_status_merges_and_runs_without_statuses() -> None:
    told = {"id": 1, "context": "CI / build (push)", "target_url": "/o/r/actions/runs/1/jobs/0", "status": "failure"}

    def task(number: int, name: str, run: int, event: str, state: str, *, sha: str = OID) -> dict[str, object]:
        said = {"id": number, "name": name, "run_number": run, "event": event, "status": state}
        return {**said, "head_sha": sha, "head_branch": "main"}

    tasks = [
        task(5, "build", 1, "push", "cancelled"),
        task(4, "build", 1, "push", "failure"),
        task(3, "nightly", 2, "schedule", "success"),
        task(2, "x", 9, "push", "success", sha="b" * 40),
    ]
    http = forge(**{f"/commits/{OID}/status": {"statuses": [told]}, "/actions/tasks": {"workflow_runs": tasks}})

    runs = actions(http).runs_of(OID)

    assert [(run.number, run.event, run.branch, run.state) for run in runs] == [
        (2, "cron", "main", State.SUCCESS),
        (1, "push", "main", State.CANCELED),
    ]


def test_what_has_no_call_is_a_persons_with_the_page() -> None:
    ci = actions(forge())

    for act in (ci.restart, ci.cancel, ci.approve, ci.decline):
        with pytest.raises(PersonNeeded) as caught:
            act(pipeline(3, State.RUNNING, url="https://git.example.org/o/r/actions/runs/3"))
        assert caught.value.fix == "open https://git.example.org/o/r/actions/runs/3"
