"""The Actions status table, one row each, and the shapes both servers send."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.ci.actions import translate
from homelab.ci.actions.statuses import fold, told
from homelab.ci.model import LogLine, State
from homelab.ci.verdict import Quiet, Stand, judge
from tests.ci.fakes import OID

GITEA = {
    "id": 7,
    "run_number": 3,
    "run_attempt": 1,
    "head_sha": OID,
    "head_branch": "main",
    "event": "push",
    "path": "ci.yml@refs/heads/main",
    "html_url": "https://git.example.org/o/r/actions/runs/7",
    "started_at": "2026-01-02T03:04:05Z",
    "completed_at": "2026-01-02T03:05:17Z",
}
FORGEJO = {
    "id": 7,
    "index_in_repo": 3,
    "commit_sha": OID,
    "prettyref": "main",
    "event": "push",
    "event_payload": '{"ref":"refs/heads/main"}',
    "workflow_id": "ci.yml",
    "html_url": "https://git.example.org/o/r/actions/runs/3",
    "started": "2026-01-02T03:04:05Z",
    "stopped": "2026-01-02T03:05:17Z",
    "created": "2026-01-02T03:04:00Z",
}
ROWS = [
    ("waiting", {"status": "queued"}, {"status": "waiting"}, ("pending", "Waiting to run"), Stand.WAITING),
    (
        "blocked",
        {"status": "waiting"},
        {"status": "blocked"},
        ("pending", "Blocked by required conditions"),
        Stand.WAITING,
    ),
    ("running", {"status": "in_progress"}, {"status": "running"}, ("pending", "Has started running"), Stand.WAITING),
    ("success", "success", "success", ("success", "Successful in 1m2s"), Stand.GREEN),
    ("failure", "failure", "failure", ("failure", "Failing after 12s"), Stand.RED),
    ("cancelled", "cancelled", "cancelled", ("failure", "Has been cancelled"), Stand.CANCELLED),
    ("skipped", "skipped", "skipped", ("success", "Has been skipped"), Stand.SKIPPED),
    ("skipped, newer", "skipped", "skipped", ("skipped", "Has been skipped"), Stand.SKIPPED),
    ("unknown", {"status": ""}, {"status": "unknown"}, None, Stand.UNKNOWN),
    ("a word of tomorrow", "melted", "melted", None, Stand.UNKNOWN),
]


def run(raw: dict[str, Any]) -> Any:
    return translate.run(raw, web="https://git.example.org/o/r", server="forge")


def status(state: str, description: str, *, context: str = "CI / build (push)", index: int = 0, **more: Any) -> Any:
    return {
        "id": 1 + index,
        "status": state,
        "context": context,
        "description": description,
        "target_url": f"/o/r/actions/runs/3/jobs/{index}",
        "created_at": "2026-01-02T03:05:17Z",
        "updated_at": "2026-01-02T03:05:17Z",
        **more,
    }


def from_statuses(*rows: Any) -> Any:
    seen = told(rows, oid=OID, web="https://git.example.org/o/r", server="forge", host="https://git.example.org")
    return [*seen.runs.values(), *seen.foreign]


@pytest.mark.parametrize(("gitea", "forgejo", "said", "stand"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_status_means_the_same_on_every_level(gitea: Any, forgejo: Any, said: Any, stand: Stand) -> None:
    words = gitea if isinstance(gitea, dict) else {"status": "completed", "conclusion": gitea}
    more = forgejo if isinstance(forgejo, dict) else {"status": forgejo}
    found = [run(GITEA | words), run(FORGEJO | more), *(from_statuses(status(*said)) if said else ())]

    assert {judge([one], quiet=Quiet()).stand for one in found} == {stand}


def test_a_commit_status_nobody_knows_is_not_the_end() -> None:
    assert {judge(from_statuses(status(word, "?")), quiet=Quiet()).stand for word in ("melted", "warning")} == {
        Stand.WAITING
    }
    melted, warning = (from_statuses(status(word, "", context="x/y"))[0] for word in ("melted", "warning"))
    assert (melted.finished, warning.state, warning.finished > 0) == (0, State.UNKNOWN, True)


def test_a_run_of_either_server_is_the_same_record() -> None:
    gitea, forgejo = run(GITEA | {"status": "queued"}), run(FORGEJO | {"status": "waiting"})
    names = ("number", "id", "commit", "event", "branch", "ref", "source", "state", "started")

    assert [getattr(gitea, name) for name in names] == [getattr(forgejo, name) for name in names]
    assert (gitea.number, gitea.source, gitea.ref) == (3, "ci.yml", "refs/heads/main")


def test_a_tag_and_a_branch_of_one_commit_are_told_apart_by_the_ref() -> None:
    assert run(GITEA | {"path": "ci.yml@refs/tags/v1", "status": "queued"}).event == "tag"
    assert run(FORGEJO | {"event_payload": '{"ref":"refs/tags/v1"}', "status": "waiting"}).event == "tag"


def test_only_a_run_that_needs_approval_is_blocked() -> None:
    assert run(FORGEJO | {"status": "blocked", "need_approval": True}).state is State.BLOCKED
    assert run(FORGEJO | {"status": "blocked"}).state is State.PENDING


def test_unset_times_of_1970_are_none() -> None:
    assert run(GITEA | {"status": "queued", "started_at": "1970-01-01T00:00:00Z"}).started == 0


def test_a_combined_failure_is_not_the_end_while_jobs_are_pending() -> None:
    (found,) = from_statuses(
        status("failure", "Failing after 2s"),
        status("pending", "Has started running", context="CI / lint (push)", index=1),
    )

    assert (found.state, [flow.name for flow in found.workflows]) == (State.RUNNING, ["build", "lint"])


def test_a_jobs_page_gets_its_host_and_its_duration_from_the_words() -> None:
    (found,) = from_statuses(status("failure", "Failing after 1m2s"))

    assert found.workflows[0].steps[0].url == "https://git.example.org/o/r/actions/runs/3/jobs/0"
    assert found.seconds == 62


def test_another_ci_is_its_own_run_and_woodpeckers_statuses_are_left_to_its_api() -> None:
    found = from_statuses(
        status("success", "", context="drone/push", target_url="https://drone.example.org/1"),
        status(
            "success", "", context="ci/woodpecker/push/build", target_url="https://ci.example.org/repos/1/pipeline/2"
        ),
    )

    assert [(one.event, one.source, one.name) for one in found] == [("status", "drone/push", "drone/push")]
    assert found[0].number < 0, "a number of its own would be another run's"


def test_what_happens_to_a_pull_request_has_one_name() -> None:
    names = ("pull_request", "pull_request_target", "pull_request_sync", "schedule", "workflow_dispatch")

    assert [translate.event_of(name) for name in names] == ["pull_request"] * 3 + ["cron", "manual"]


@pytest.mark.parametrize(
    ("states", "folded"),
    [
        ([State.SUCCESS, State.SKIPPED], State.SUCCESS),
        ([State.SKIPPED], State.SKIPPED),
        ([State.SUCCESS, State.UNKNOWN], State.UNKNOWN),
        ([State.CANCELED, State.FAILURE], State.FAILURE),
        ([State.CANCELED, State.SUCCESS], State.CANCELED),
        ([State.PENDING, State.PENDING], State.PENDING),
        ([State.SUCCESS, State.PENDING], State.RUNNING),
        ([], State.PENDING),
    ],
)
def test_a_runs_state_follows_from_its_jobs(states: list[State], folded: State) -> None:
    assert fold(states) is folded


def job(*steps: str, state: str = "failure") -> Any:
    told = [{"name": f"step {n}", "status": "completed", "conclusion": one} for n, one in enumerate(steps)]
    return translate.job({"id": 5, "name": "build", "status": "completed", "conclusion": state, "steps": told})


def test_the_failing_step_is_named_where_the_server_tells_it() -> None:
    assert job("success", "failure", "skipped").steps[0].name == "step 1"
    assert job("failure", "failure", "success").steps[0].name == "", "the first may have been allowed to fail"


def test_steps_that_all_carry_their_jobs_state_name_none() -> None:
    assert job("failure", "failure").steps[0].name == ""


def test_a_job_without_a_runner_says_which_labels_it_waits_for() -> None:
    waiting = translate.job({"id": 5, "name": "build", "status": "queued", "labels": ["gpu"], "runner_name": ""})

    forgejo = translate.job({"id": 5, "name": "build", "status": "waiting", "runs_on": ["gpu"]})
    blocked = translate.job({"id": 5, "name": "build", "status": "waiting", "labels": ["gpu"]})

    assert waiting.error == forgejo.error == "waits for a runner with gpu"
    assert blocked.error == ""


def test_a_log_line_loses_its_stamp() -> None:
    assert translate.log_line(4, "2026-01-02T03:04:05.1234567Z  two  spaces") == LogLine(4, " two  spaces")
    assert translate.log_line(0, "no stamp") == LogLine(0, "no stamp")
