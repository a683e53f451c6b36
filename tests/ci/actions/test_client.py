from __future__ import annotations

import pytest

from homelab.ci.actions.client import Actions
from homelab.ci.model import State
from homelab.errors import (
    NothingThere,
    PermissionMissing,
    PersonNeeded,
    TokenRejected,
    Unreachable,
    UsageError,
)
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


def test_every_page_of_statuses_is_read_however_short_and_the_newest_of_a_context_counts() -> None:
    first = [
        {**ROW, "id": n, "context": f"CI / j{n} (push)", "target_url": f"/o/r/actions/runs/1/jobs/{n}"}
        for n in range(50)
    ]
    again = {**first[3], "id": 99, "status": "failure", "description": "Failing after 1s"}
    pages = {1: first[:30], 2: first[30:], 3: [again]}
    http = forge(**{f"/commits/{OID}/status": lambda page: {"statuses": pages.get(page)}})

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


def described(*paths: str, **answers: object) -> FakeForge:
    """A server that describes itself, Gitea where it does not say otherwise."""
    calls: dict[str, object] = {}
    for path in paths:
        method, _, name = path.rpartition(" ")
        calls.setdefault(f"/repos/{{owner}}/{{repo}}/actions{name}", {})[method.lower() or "get"] = {}  # type: ignore[index]
    made = forge(**answers)
    made.answers["/swagger.v1.json"] = {"paths": calls}
    return made


def row(number: int, *, sha: str = OID, **more: object) -> dict[str, object]:
    said = {"id": 100 + number, "run_number": number, "head_sha": sha, "event": "push", "head_branch": "main"}
    return {**said, "status": "completed", "conclusion": "success", "run_attempt": 1, **more}


LEVEL_D = ("/tasks", "/runs", "/runs/{run}/jobs", "/jobs/{job_id}/logs")


def test_a_rerun_that_begins_between_two_answers_is_not_the_old_verdict() -> None:
    jobs = {"jobs": [{"id": 5, "name": "build", "status": "in_progress", "run_attempt": 2}]}
    http = described(*LEVEL_D, **{"/actions/runs": {"workflow_runs": [row(1)]}, f"/commits/{OID}/status": {}})
    http.answers |= {f"{REPO}/actions/runs/101": row(1), f"{REPO}/actions/runs/101/jobs": jobs}
    ci = actions(http)
    ci.runs_of(OID)

    found = ci.run(1)

    assert found is not None
    assert (found.state, found.attempt, found.finished) == (State.RUNNING, 2, 0)


def test_a_failed_run_without_jobs_says_why() -> None:
    failed = row(1, conclusion="failure")
    http = described(*LEVEL_D, **{"/actions/runs": {"workflow_runs": [failed]}})
    http.answers |= {f"{REPO}/actions/runs/101": failed, f"{REPO}/actions/runs/101/jobs": {"jobs": None}}

    found = actions(http).run(1)

    assert found is not None
    assert "workflow file" in found.errors[0]


@pytest.mark.parametrize("code", [401, 403])
def test_a_list_of_runs_for_owners_alone_is_replaced_by_statuses_and_tasks(code: int) -> None:
    said = {"id": 1, "context": "CI / build (push)", "target_url": "/o/r/actions/runs/4/jobs/0", **ROW}
    http = described(
        *LEVEL_D,
        **{"/actions/runs": status(code), f"/commits/{OID}/status": {"statuses": [said]}, "/actions/tasks": {}},
    )

    assert [(run.number, run.state) for run in actions(http).runs_of(OID)] == [(4, State.SUCCESS)]


@pytest.mark.parametrize(("link", "page"), [(9, "/o/r/actions/runs/109"), (109, "/o/r/actions/runs/109")])
def test_a_run_of_a_pull_requests_target_is_found_by_its_status(link: int, page: str) -> None:
    """Its own commit is the base branch's; its link holds its number, since Gitea 1.26 its id."""
    said = {**ROW, "id": 1, "status": "failure", "description": "Failing after 1s"}
    said |= {"context": "CI / build (pull_request_target)", "target_url": f"/o/r/actions/runs/{link}/jobs/0"}
    http = described(
        *LEVEL_D,
        **{"/actions/runs": {"workflow_runs": [row(1)]}, f"/commits/{OID}/status": {"statuses": [said]}},
    )
    base = row(9, sha="b" * 40, event="pull_request_target", html_url=f"https://git.example.org{page}")
    http.answers[f"{REPO}/actions/runs/109"] = base
    ci = actions(http)

    found = {run.number: run for run in ci.runs_of(OID)}

    assert {number: run.event for number, run in found.items()} == {1: "push", 9: "pull_request"}
    seen = ci.run(9)
    assert seen is not None
    assert (seen.state, seen.commit) == (State.FAILURE, OID)


def test_a_list_of_tasks_tells_a_run_by_all_its_jobs() -> None:
    """One of its jobs is green, another waits for a runner and is no task."""
    jobs = [{**ROW, "id": n, "target_url": f"/o/r/actions/runs/1/jobs/{n}"} for n in range(2)]
    jobs[0] |= {"context": "CI / build (push)"}
    jobs[1] |= {"context": "CI / deploy (push)", "status": "pending", "description": "Waiting to run"}
    told = {"id": 3, "name": "build", "run_number": 1, "head_sha": OID, "event": "push", "status": "success"}
    http = described(
        "/tasks", **{"/actions/tasks": {"workflow_runs": [told]}, f"/commits/{OID}/status": {"statuses": jobs}}
    )

    assert [(run.number, run.state) for run in actions(http).recent(9)] == [(1, State.RUNNING)]


def test_a_server_without_any_list_says_so_with_the_page() -> None:
    with pytest.raises(NothingThere, match="no list of runs"):
        actions(forge()).recent(9)


def test_a_list_is_read_until_there_are_enough_that_fit() -> None:
    pages = {
        page: {"workflow_runs": [row(n, event="push" if n % 40 else "release") for n in numbers]}
        for page, numbers in {1: range(120, 60, -1), 2: range(60, 0, -1)}.items()
    }
    http = described("/runs", **{"/actions/runs": lambda page: pages.get(page, {})})

    assert [run.number for run in actions(http).recent(3, event="release")] == [120, 80, 40]


DISPATCH = "POST /workflows/{workflow_id}/dispatches"


def test_a_dispatch_names_its_run_by_id() -> None:
    http = described(DISPATCH, "/runs")
    http.answers |= {
        f"POST {REPO}/actions/workflows/ci.yml/dispatches": {"workflow_run_id": 7},
        f"{REPO}/actions/runs/7": row(3, id=7, event="workflow_dispatch"),
    }

    made = actions(http).trigger("main", {}, workflow="ci.yml")

    assert made is not None
    assert (made.number, made.event) == (3, "manual")


def test_a_dispatch_that_names_no_run_is_no_failure() -> None:
    http = described(DISPATCH)
    http.answers[f"POST {REPO}/actions/workflows/ci.yml/dispatches"] = {}

    made = actions(http).trigger("main", {}, workflow="ci.yml")

    assert made is not None
    assert (made.number, made.url) == (0, "https://git.example.org/o/r/actions")


@pytest.mark.parametrize(("code", "error"), [(404, NothingThere), (422, UsageError), (400, UsageError)])
def test_a_dispatch_that_is_refused_says_in_the_servers_words(code: int, error: type[Exception]) -> None:
    http = described(DISPATCH)
    http.answers[f"POST {REPO}/actions/workflows/ci.yml/dispatches"] = status(code, "no such workflow")

    with pytest.raises(error) as caught:
        actions(http).trigger("main", {}, workflow="ci.yml")
    assert caught.value.why == "no such workflow"  # type: ignore[attr-defined]


LOST = Unreachable("no answer", why="the connection was cut; it may have taken effect", fix="-")


def test_a_dispatch_whose_answer_is_lost_is_found_by_its_run() -> None:
    http = described(DISPATCH, "/runs", **{"/actions/runs": {"workflow_runs": [row(3, event="workflow_dispatch")]}})

    def cut(_page: object) -> dict[str, object]:
        rows = [row(4, event="workflow_dispatch")] if http.sent else []
        return {"workflow_runs": [*rows, row(3, event="workflow_dispatch")]}

    http.answers |= {f"POST {REPO}/actions/workflows/ci.yml/dispatches": LOST, f"{REPO}/actions/runs": cut}

    made = actions(http).trigger("main", {}, workflow="ci.yml")

    assert made is not None
    assert (made.number, len(http.sent)) == (4, 1)


@pytest.mark.parametrize("error", [LOST, status(500)])
def test_a_dispatch_that_made_nothing_is_an_error_and_is_not_repeated(error: Exception) -> None:
    http = described(DISPATCH, "/runs", **{"/actions/runs": {"workflow_runs": [row(3, event="workflow_dispatch")]}})
    http.answers[f"POST {REPO}/actions/workflows/ci.yml/dispatches"] = error

    with pytest.raises(Unreachable):
        actions(http).trigger("main", {}, workflow="ci.yml")
    assert len(http.sent) == 1


@pytest.mark.parametrize(("attempt", "known"), [(2, True), (1, False)])
def test_a_rerun_whose_answer_is_lost_is_known_by_its_attempt(attempt: int, *, known: bool) -> None:
    http = described("POST /runs/{run}/rerun", "/runs")
    http.answers |= {
        f"POST {REPO}/actions/runs/101/rerun": LOST,
        f"{REPO}/actions/runs/101": row(1, run_attempt=attempt),
    }
    run = pipeline(1, State.FAILURE, id=101, attempt=1)

    if known:
        again = actions(http).restart(run)
        assert again is not None
        assert again.attempt == 2
    else:
        with pytest.raises(Unreachable):
            actions(http).restart(run)
