"""The lab's Actions server run for real: both faces at every level they had."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homelab.errors import UsageError
from homelab.lab.actions.config import load
from homelab.lab.woodpecker.hook import install
from homelab.lab.woodpecker.server import LabWoodpecker
from homelab.secret import Secret
from tests.lab.actions.lab import FILE, GREEN, REPO, World, world
from tests.lab.woodpecker.lab import GREEN as WOODPECKER_GREEN
from tests.lab.woodpecker.lab import make_config as woodpecker_config

FACES = [
    ("forgejo", "A"),
    ("forgejo", "B"),
    ("forgejo", "C"),
    ("forgejo", "D"),
    ("gitea", "A"),
    ("gitea", "B"),
    ("gitea", "D"),
]
BAD = """
on: push
jobs:
  build:
    runs-on: docker
    steps:
      - run: |
          echo before
          echo '::group::detail'
          exit 3
      - name: after
        if: always()
        run: echo after
  deploy:
    needs: build
    runs-on: docker
    steps: [{run: echo never}]
"""


@pytest.fixture
def forgejo(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def gitea(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, "gitea") as made:
        yield made


@pytest.fixture(params=["forgejo", "gitea"])
def forge(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, request.param) as made:
        yield made


def file(forge: World) -> str:
    return FILE if forge.config.kind == "forgejo" else ".gitea/workflows/ci.yml"


def job(steps: str, more: str = "") -> str:
    return f"on: push\njobs:\n  build:\n    runs-on: docker\n{more}    steps: {steps}\n"


def word(made: dict[str, Any]) -> str:
    return str(made.get("conclusion", made["status"]))


def hold(gate: Path) -> str:
    return f"'until [ -e {gate} ]; do sleep 0.02; done'"


@pytest.mark.parametrize(("kind", "level"), FACES)
def test_every_face_and_level_writes_commit_statuses(tmp_path: Path, kind: str, level: str) -> None:
    with world(tmp_path, kind, level) as forge:
        sha = forge.push({".github/workflows/ci.yml": GREEN})
        assert forge.wait_statuses(sha) == {"CI / build (push)": "success"}


@pytest.mark.parametrize(("kind", "level"), FACES)
def test_a_level_has_its_routes_and_says_so_in_its_description(tmp_path: Path, kind: str, level: str) -> None:
    wanted = {
        "/repos/{owner}/{repo}/commits/{ref}/status": "A",
        "/repos/{owner}/{repo}/actions/tasks": "B",
        "/repos/{owner}/{repo}/actions/runs": "C",
        "/repos/{owner}/{repo}/actions/jobs/{job_id}/logs": "D",
    }
    with world(tmp_path, kind, level) as forge:
        told = forge.call("/swagger.v1.json", token=None).json
        assert told["basePath"] == "/api/v1"
        assert forge.call("/api/v1/version", token=None).json["version"] == told["info"]["version"]
        for path, since in wanted.items():
            assert (path in told["paths"]) is (level >= since), path
        assert forge.call(f"{REPO}/actions/tasks").status == (200 if level >= "B" else 404)
        assert forge.call(f"{REPO}/actions/runs").status == (200 if level >= "C" else 404)
        assert (forge.call("/api/forgejo/v1/version").status == 200) is (kind == "forgejo")


def test_a_page_holds_no_more_than_the_server_allows(tmp_path: Path) -> None:
    with world(tmp_path, max_items=2) as forge:
        for number in range(3):
            given = {"full_name": "lab/shop", "sha": "a" * 40, "jobs": [{"name": f"job-{number}"}]}
            forge.call("/_lab/runs", method="POST", body=given)
        page = forge.call(f"{REPO}/actions/runs?limit=50")
        assert (len(page.json["workflow_runs"]), page.headers["x-total-count"]) == (2, "3")


def test_gitea_1_24_has_a_log_call_and_tells_no_jobs_id(tmp_path: Path) -> None:
    with world(tmp_path, "gitea", "B", early_logs=True, version="1.24.7") as forge:
        told = forge.call("/swagger.v1.json", token=None).json["paths"]
        assert "/repos/{owner}/{repo}/actions/jobs/{job_id}/logs" in told
        assert "/repos/{owner}/{repo}/actions/runs" not in told


def test_the_description_can_be_off(tmp_path: Path) -> None:
    with world(tmp_path, swagger=False) as forge:
        assert forge.call("/swagger.v1.json").status == 404
        assert forge.get("")["has_actions"] is True


def test_a_green_run_shows_itself_its_job_and_its_log(forge: World) -> None:
    sha = forge.push({file(forge): GREEN})
    run = forge.wait_run(sha)
    (made,) = forge.jobs(run["id"])
    assert forge.get(f"/actions/runs/{run['id']}") == run
    assert made["name"] == "build"
    log = forge.log(made["id"])
    assert "built" in log
    assert sha in log
    assert log[-1] == "🏁  Job succeeded"
    assert "CI: pipeline #1 for refs/heads/main: running" in forge.said


def test_forgejo_tells_a_run_in_its_own_words(forgejo: World) -> None:
    sha = forgejo.push({FILE: GREEN}, message="Subject\n\nbody")
    run = forgejo.wait_run(sha)
    told = {key: run[key] for key in ("commit_sha", "prettyref", "status", "index_in_repo", "title", "workflow_id")}
    assert told == {
        "commit_sha": sha,
        "prettyref": "main",
        "status": "success",
        "index_in_repo": 1,
        "title": "Subject",
        "workflow_id": "ci.yml",
    }
    assert run["html_url"] == "https://git.homelab.test/lab/shop/actions/runs/1"
    assert len(run["event_payload"]) > 1000
    assert forgejo.jobs(run["id"])[0]["status"] == "success"


def test_gitea_tells_a_run_in_its_own_words(gitea: World) -> None:
    sha = gitea.push({file(gitea): GREEN})
    run = gitea.wait_run(sha)
    assert (run["status"], run["conclusion"], run["run_attempt"]) == ("completed", "success", 1)
    assert (run["head_sha"], run["head_branch"], run["path"]) == (sha, "main", "ci.yml@refs/heads/main")
    (made,) = gitea.jobs(run["id"])
    assert [step["name"] for step in made["steps"]] == ["Run actions/checkout@v4", "Make"]
    assert made["runner_name"] == "lab-runner"
    assert gitea.get(f"/actions/jobs/{made['id']}") == made
    assert gitea.get("/actions/jobs")["total_count"] == 1


def test_a_failure_skips_what_needs_it_and_marks_the_log_before_the_clean_up(forge: World) -> None:
    sha = forge.push({file(forge): BAD})
    run = forge.wait_run(sha)
    assert word(run) == "failure"
    build, _ = forge.until(lambda: (jobs := forge.jobs(run["id"])) and word(jobs[1]) == "skipped" and jobs)
    assert word(build) == "failure"
    log = forge.log(build["id"])
    mark = next(at for at, line in enumerate(log) if "exitcode '3': failure" in line)
    assert log[mark - 1] in {"##[group]detail", "  ❌  Failure - Main Run echo before"}
    assert "after" in log[mark:]
    assert log[-1] == "🏁  Job failed"
    assert forge.statuses(sha) == {"ci.yml / build (push)": "failure", "ci.yml / deploy (push)": "skipped"}


def test_older_servers_call_a_skipped_job_a_success(tmp_path: Path) -> None:
    with world(tmp_path, level="C") as forge:
        sha = forge.push({FILE: BAD})
        assert forge.wait_statuses(sha)["ci.yml / deploy (push)"] == "success"


def test_every_line_of_a_log_is_stamped(forge: World) -> None:
    run = forge.wait_run(forge.push({file(forge): GREEN}))
    body = forge.call(f"{REPO}/actions/jobs/{forge.jobs(run['id'])[0]['id']}/logs").body.decode()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ", line) for line in body.splitlines())


def test_the_failing_step_is_told_by_gitea_unless_the_job_speaks_for_all(gitea: World) -> None:
    run = gitea.wait_run(gitea.push({file(gitea): BAD}))
    conclusions = [step["conclusion"] for step in gitea.jobs(run["id"])[0]["steps"]]
    assert conclusions == ["failure", "success"]
    gitea.faults(steps_copy_job=True)
    assert [step["conclusion"] for step in gitea.jobs(run["id"])[0]["steps"]] == ["failure", "failure"]


def test_forgejo_gives_the_log_of_one_step_and_of_one_attempt(forgejo: World) -> None:
    run = forgejo.wait_run(forgejo.push({FILE: BAD}))
    job_id = forgejo.jobs(run["id"])[0]["id"]
    assert forgejo.log(job_id, "?step=1") == ["after"]
    assert forgejo.log(job_id, "?step=0")[0] == "before"
    assert forgejo.call(f"{REPO}/actions/jobs/{job_id}/logs?step=9").status == 404
    assert forgejo.log(job_id, "?attempt=1") == forgejo.log(job_id)
    assert forgejo.call(f"{REPO}/actions/jobs/{job_id}/logs?attempt=2").status == 404


def test_a_log_is_followed_by_asking_for_the_rest(forge: World, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    sha = forge.push({file(forge): job(f"[{{run: echo one}}, {{run: {hold(gate)}}}, {{run: echo two}}]")})
    job_id = forge.until(lambda: (runs := forge.runs(head_sha=sha)) and forge.jobs(runs[0]["id"])[0]["id"])
    path = f"{REPO}/actions/jobs/{job_id}/logs"
    first = forge.until(lambda: (got := forge.call(path)).status == 200 and b"one" in got.body and got)
    known = len(first.body)
    assert forge.call(path, Range=f"bytes={known}-").status == 416
    gate.touch()
    forge.wait_run(sha)
    rest = forge.call(path, Range=f"bytes={known}-")
    assert rest.status == 206
    assert b"two" in rest.body
    assert first.body + rest.body == forge.call(path).body
    forge.faults(ignore_range=True)
    assert forge.call(path, Range=f"bytes={known}-").status == 200


def test_a_job_no_runner_took_has_no_log_and_is_no_task(forge: World) -> None:
    sha = forge.push({file(forge): job("[{run: echo}]").replace("docker", "arm")})
    run = forge.until(lambda: forge.runs(head_sha=sha))[0]
    assert run["status"] == {"forgejo": "waiting", "gitea": "queued"}[forge.config.kind]
    (made,) = forge.jobs(run["id"])
    refused = forge.call(f"{REPO}/actions/jobs/{made['id']}/logs")
    assert (refused.status, refused.json["message"]) == (404, "job not started")
    assert forge.get("/actions/tasks") == {"workflow_runs": [], "total_count": 0}
    assert forge.get(f"/commits/{sha}/status")["statuses"][0]["description"] == "Waiting to run"


def test_tasks_are_the_attempts_that_began_newest_first(tmp_path: Path) -> None:
    with world(tmp_path, level="B") as forge:
        shas = [forge.push({FILE: GREEN + f"# {number}\n"}) for number in range(2)]
        for sha in shas:
            forge.wait_statuses(sha)
        told = forge.get("/actions/tasks?limit=50")
        assert told["total_count"] == 2
        assert [row["head_sha"] for row in told["workflow_runs"]] == shas[::-1]
        row = told["workflow_runs"][0]
        assert (row["name"], row["status"], row["run_number"], row["workflow_id"]) == ("build", "success", 2, "ci.yml")
        assert row["url"] == "https://git.homelab.test/lab/shop/actions/runs/2"


def test_a_status_links_to_the_job_without_a_host(forge: World) -> None:
    sha = forge.push({file(forge): GREEN})
    run = forge.wait_run(sha)
    link = forge.get(f"/commits/{sha}/status")["statuses"][0]["target_url"]
    ids = f"{run['id']}/jobs/{forge.jobs(run['id'])[0]['id']}"
    assert link == "/lab/shop/actions/runs/" + (ids if forge.config.kind == "gitea" else "1/jobs/0/attempt/1")


def test_a_commit_without_statuses_answers_200_with_hardly_anything(forge: World) -> None:
    sha = forge.push({"a": "b"})
    told = forge.get(f"/commits/{sha}/status")
    assert (told["state"], told["statuses"]) == ("", None)
    assert told["sha"] == ("" if forge.config.kind == "forgejo" else sha)


def test_the_combined_state_is_that_of_the_page(forge: World) -> None:
    sha = forge.push({"a": "b"})
    for context, state in (("one", "failure"), ("two", "success"), ("two", "pending"), ("two", "success")):
        given = {"context": context, "state": state, "target_url": "https://ci.homelab.test/repos/1/pipeline/1/1"}
        assert forge.call(f"{REPO}/statuses/{sha}", method="POST", body=given).status == 201
    assert forge.get(f"/commits/{sha}/status")["state"] == "failure"
    page = forge.call(f"{REPO}/commits/{sha}/status?limit=1")
    assert (page.json["state"], page.json["total_count"], page.headers["x-total-count"]) == ("success", 1, "2")
    assert 'rel="next"' in page.headers["link"]
    assert len(forge.get(f"/commits/{sha}/statuses")) == 4
    assert forge.call(f"{REPO}/statuses/{sha}", method="POST", body={"state": "odd"}).status == 422


def test_pages_hold_thirty_unless_asked_and_fifty_at_most(forgejo: World) -> None:
    sha = forgejo.push({"a": "b"})
    for number in range(55):
        given = {"full_name": "lab/shop", "sha": sha, "jobs": [{"name": f"job-{number}"}]}
        assert forgejo.call("/_lab/runs", method="POST", body=given).status == 200
    assert [len(forgejo.runs(**query)) for query in ({}, {"limit": "100"}, {"limit": "50", "page": "2"})] == [30, 50, 5]
    assert len(forgejo.get(f"/commits/{sha}/status")["statuses"]) == 30


@pytest.mark.parametrize(
    ("kind", "query", "status", "found"),
    [
        ("forgejo", "status=success", 200, 1),
        ("forgejo", "status=failure&status=success", 200, 2),
        ("forgejo", "status=completed", 400, 0),
        ("forgejo", "run_number=2", 200, 1),
        ("forgejo", "event=push", 200, 2),
        ("forgejo", "workflow_id=other.yml", 200, 0),
        ("forgejo", "ref=refs/heads/main", 200, 2),
        ("gitea", "status=failure", 200, 1),
        ("gitea", "status=timed_out", 200, 0),
        ("gitea", "status=odd", 400, 0),
        ("gitea", "branch=main", 200, 2),
        ("gitea", "actor=nobody", 200, 0),
        ("gitea", "event=schedule", 200, 0),
    ],
)
def test_runs_are_narrowed_by_what_the_face_knows(
    tmp_path: Path, kind: str, query: str, status: int, found: int
) -> None:
    with world(tmp_path, kind) as forge:
        for state in ("success", "failure"):
            given = {"full_name": "lab/shop", "sha": "a" * 40, "jobs": [{"status": state}]}
            forge.call("/_lab/runs", method="POST", body=given)
        answer = forge.call(f"{REPO}/actions/runs?{query}")
        assert answer.status == status
        assert status != 200 or answer.json["total_count"] == len(answer.json["workflow_runs"]) == found


def test_a_matrix_an_expression_and_a_secret_work(tmp_path: Path) -> None:
    text = """
on: push
env: {WHERE: '${{ github.ref_name }}'}
jobs:
  say:
    strategy: {matrix: {word: [one, two]}}
    runs-on: docker
    steps:
      - run: echo "${{ matrix.word }} $WHERE $TOKEN $GITHUB_EVENT_NAME"
        env: {TOKEN: '${{ secrets.TOKEN }}'}
"""
    with world(tmp_path, secrets={"TOKEN": Secret("hush-hush")}) as forge:
        run = forge.wait_run(forge.push({FILE: text}))
        one, two = forge.jobs(run["id"])
        assert (one["name"], two["name"]) == ("say (one)", "say (two)")
        assert "one main *** push" in forge.log(one["id"])
        assert "two main *** push" in forge.log(two["id"])


def test_continue_on_error_leaves_the_job_green_and_says_so(forge: World) -> None:
    run = forge.wait_run(forge.push({file(forge): job("[{run: exit 1, continue-on-error: true}, {run: echo on}]")}))
    assert word(run) == "success"
    log = forge.log(forge.jobs(run["id"])[0]["id"])
    assert any("exitcode '1': failure (but continue-on-error is true)" in line for line in log)


def test_an_action_that_is_not_known_fails_the_step(forge: World) -> None:
    run = forge.wait_run(forge.push({file(forge): job("[{uses: docker/build-push-action@v6}]")}))
    assert word(run) == "failure"
    assert any("knows actions/checkout alone" in line for line in forge.log(forge.jobs(run["id"])[0]["id"]))


def test_forgejo_cancels_a_run(forgejo: World) -> None:
    sha = forgejo.push({FILE: job("[{run: sleep 30}]") + "  later: {needs: build, steps: [{run: echo}]}\n"})
    run = forgejo.until(lambda: (runs := forgejo.runs(head_sha=sha)) and runs[0]["status"] == "running" and runs[0])
    assert forgejo.call(f"{REPO}/actions/runs/{run['id']}/cancel", method="POST", token="reader").status == 403
    assert forgejo.call(f"{REPO}/actions/runs/{run['id']}/cancel", method="POST").status == 204
    forgejo.until(lambda: {one["status"] for one in forgejo.jobs(run["id"])} == {"cancelled"})
    assert forgejo.runs()[0]["status"] == "cancelled"
    assert any("context canceled" in line for line in forgejo.log(forgejo.jobs(run["id"])[0]["id"]))
    assert forgejo.statuses(sha) == {"ci.yml / build (push)": "failure", "ci.yml / later (push)": "failure"}
    described = {row["description"] for row in forgejo.get(f"/commits/{sha}/status")["statuses"]}
    assert described == {"Has been cancelled"}


def test_a_newer_push_of_a_branch_cancels_the_unfinished_run(forge: World) -> None:
    slow = job("[{run: sleep 30}]")
    first = forge.push({file(forge): slow})
    forge.until(lambda: forge.get("/actions/tasks")["total_count"] == 1)
    second = forge.push({file(forge): slow + "# again\n"})
    assert word(forge.wait_run(first)) == "cancelled"
    assert word(forge.runs(head_sha=second)[0]) not in {"cancelled", "failure"}


def test_a_file_may_let_its_unfinished_runs_go_on(forge: World) -> None:
    slow = "concurrency: {group: x, cancel-in-progress: false}\n" + job("[{run: sleep 30}]")
    first = forge.push({file(forge): slow})
    forge.push({file(forge): slow + "# again\n"})
    assert word(forge.runs(head_sha=first)[0]) not in {"cancelled", "failure"}


def test_gitea_runs_again_under_the_same_id_with_a_higher_attempt(gitea: World, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    text = job(f"[{{run: 'test -e {gate}'}}]") + "  other: {runs-on: docker, steps: [{run: echo}]}\n"
    run = gitea.wait_run(gitea.push({file(gitea): text}))
    assert run["conclusion"] == "failure"
    gate.touch()
    again = gitea.call(f"{REPO}/actions/runs/{run['id']}/rerun-failed-jobs", method="POST")
    assert (again.status, again.json["id"], again.json["run_attempt"]) == (201, run["id"], 2)
    run = gitea.until(lambda: (now := gitea.runs()[0])["status"] == "completed" and now)
    assert (run["conclusion"], run["run_attempt"]) == ("success", 2)
    assert {made["name"]: made["run_attempt"] for made in gitea.jobs(run["id"])} == {"build": 2, "other": 1}
    names = [row["name"] for row in gitea.get("/actions/tasks")["workflow_runs"]]
    assert sorted(names) == ["build", "build", "other"]
    assert gitea.call(f"{REPO}/actions/runs/{run['id']}/rerun", method="POST").json["run_attempt"] == 3
    gitea.until(lambda: gitea.runs()[0]["status"] == "completed")
    job_id = gitea.jobs(run["id"])[1]["id"]
    path = f"{REPO}/actions/runs/{run['id']}/jobs/{job_id}/rerun"
    assert gitea.call(path, method="POST").status == 201


def test_what_a_face_cannot_do_is_not_there(tmp_path: Path) -> None:
    with world(tmp_path, "gitea") as gitea:
        assert gitea.call(f"{REPO}/actions/runs/1/cancel", method="POST").status == 404
    (tmp_path / "other").mkdir()
    with world(tmp_path / "other") as forgejo:
        assert forgejo.call(f"{REPO}/actions/runs/1/rerun", method="POST").status == 404


def test_a_dispatch_makes_a_run_without_a_commit_status(forge: World) -> None:
    sha = forge.push({file(forge): GREEN.replace("push, ", "")})
    body: dict[str, Any] = {"ref": "main", "return_run_info": True}
    path = f"{REPO}/actions/workflows/ci.yml/dispatches"
    answer = forge.call(f"{path}?return_run_details=true", method="POST", body=body)
    assert answer.status == {"forgejo": 201, "gitea": 200}[forge.config.kind]
    assert forge.wait_run(sha)["event"] == "workflow_dispatch"
    assert forge.statuses(sha) == {}
    assert forge.call(path, method="POST", body={"ref": "main"}).status == 204
    assert forge.call(path, method="POST", body={"ref": "gone"}).status == 404
    assert forge.call(path.replace("ci.yml", "no.yml"), method="POST", body={"ref": "main"}).status == 404


def test_a_branch_and_a_tag_of_one_commit_are_two_runs(forge: World) -> None:
    sha = forge.push({file(forge): GREEN})
    forge.git("tag", "v1")
    forge.git("push", "--quiet", "origin", "v1")
    runs = forge.runs(head_sha=sha)
    assert [run.get("prettyref", run.get("head_branch")) for run in runs] == ["v1", "main"]
    assert {run["event"] for run in runs} == {"push"}


def test_a_forks_run_waits_for_approval(forgejo: World) -> None:
    sha = forgejo.push({FILE: "on: pull_request\n" + job("[{run: echo}]").partition("\n")[2]})
    pull = {"event": "pull_request", "ref": "refs/pull/1/head", "branch": "main", "after": sha, "from_fork": True}
    assert forgejo.hook(**pull).status == 200
    run = forgejo.runs()[0]
    assert (run["status"], run["need_approval"]) == ("blocked", True)
    assert forgejo.call(f"/_lab/runs/{run['id']}/approve", method="POST").status == 200
    assert forgejo.wait_run(sha)["status"] == "success"


def test_nothing_is_set_off_by_a_skip_word_another_folder_or_a_filter(forgejo: World) -> None:
    forgejo.push({FILE: GREEN}, message="Docs [no ci]")
    assert "no pipeline for refs/heads/main" in forgejo.said
    forgejo.push({".gitea/workflows/ci.yml": GREEN, FILE: GREEN.replace("push, ", "")})
    forgejo.push({FILE: GREEN.replace("push, workflow_dispatch", "pull_request")})
    assert forgejo.runs() == []


def test_a_broken_file_is_a_failed_run_on_a_new_forgejo_and_nothing_elsewhere(tmp_path: Path) -> None:
    for name, kind, level, count in (
        ("new", "forgejo", "D", 1),
        ("old", "forgejo", "B", 0),
        ("gitea", "gitea", "D", 0),
    ):
        (tmp_path / name).mkdir()
        with world(tmp_path / name, kind, level) as forge:
            forge.push({".github/workflows/ci.yml": "on: push\njobs: {}\n"})
            assert level < "C" or [run["status"] for run in forge.runs()] == ["failure"] * count
            assert ("pipeline #1" in forge.said) is bool(count)


def test_a_repository_without_actions_says_so(tmp_path: Path) -> None:
    with world(tmp_path, active=False) as forge:
        forge.push({FILE: GREEN})
        assert forge.get("")["has_actions"] is False
        assert forge.runs() == []


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/api/v1/user", None, 401),
        ("/api/v1/user", "dev", 200),
        ("/api/v1/user", "bad", 401),
        (REPO, None, 404),
        (REPO, "stranger", 404),
        (REPO, "reader", 200),
        ("/api/v1/repos/LAB/Shop", "dev", 200),
        (f"{REPO}/actions/runs/99", "dev", 404),
        (f"{REPO}/actions/runs/x", "dev", 404),
        (f"{REPO}/actions/jobs/99/logs", "dev", 404),
        (f"{REPO}/commits/{'d' * 40}/status", "dev", 404),
        ("/api/v1/nothing", "dev", 404),
    ],
)
def test_refusals_are_json_with_a_message(forge: World, path: str, token: str | None, status: int) -> None:
    answer = forge.call(path, token=token)
    assert answer.status == status
    assert status == 200 or set(answer.json) == {"message", "url"}


@pytest.mark.parametrize("scheme", ["Bearer dev-token", "token dev-token", "Basic eDpkZXYtdG9rZW4="])
def test_a_token_may_come_three_ways(forge: World, scheme: str) -> None:
    assert forge.call("/api/v1/user", token=None, Authorization=scheme).json["login"] == "dev"


def test_a_public_repository_needs_no_token_to_read_but_gitea_logs_do(tmp_path: Path) -> None:
    with world(tmp_path, "gitea", visibility="public") as gitea:
        run = gitea.wait_run(gitea.push({file(gitea): GREEN}))
        path = f"{REPO}/actions/jobs/{gitea.jobs(run['id'])[0]['id']}/logs"
        assert gitea.call(f"{REPO}/actions/runs", token=None).status == 200
        assert (gitea.call(path, token=None).status, gitea.call(path).status) == (401, 200)


def test_forced_sign_in_hides_even_the_version(tmp_path: Path) -> None:
    with world(tmp_path, sign_in=True, visibility="public") as forge:
        assert [forge.call(path, token=None).status for path in ("/api/v1/version", REPO)] == [401, 401]


def test_a_missing_scope_is_named(forge: World) -> None:
    forge.faults(missing_scope=True)
    answer = forge.call(REPO)
    assert answer.status == 403
    assert "required=[read:repository]" in answer.json["message"]


def test_expired_logs_say_so(forge: World) -> None:
    run = forge.wait_run(forge.push({file(forge): GREEN}))
    forge.faults(logs_expired=True)
    answer = forge.call(f"{REPO}/actions/jobs/{forge.jobs(run['id'])[0]['id']}/logs")
    assert (answer.status, answer.json["message"]) == (404, "logs have been cleaned up")


def test_a_passing_answer_stands_in_for_one_request(forge: World) -> None:
    forge.faults(transient=["502", "empty"])
    assert [forge.call(REPO).status for _ in range(3)] == [502, 200, 200]
    assert forge.call("/_lab/faults", method="DELETE").json["transient"] == []
    assert forge.call("/_lab/faults", method="POST", body={"gremlins": 1}).status == 400


def test_the_web_log_of_a_public_repository_needs_no_session_and_a_private_one_redirects(tmp_path: Path) -> None:
    for name, visibility in (("a", "public"), ("b", "private")):
        (tmp_path / name).mkdir()
        with world(tmp_path / name, level="C", visibility=visibility) as forge:
            forge.wait_run(forge.push({FILE: GREEN}))
            for path in ("/lab/shop/actions/runs/1/jobs/0/logs", "/lab/shop/actions/runs/1/jobs/0/attempt/1/logs"):
                answer = forge.call(path)
                assert answer.status == (200 if visibility == "public" else 303)
                assert (b"built" in answer.body) is (visibility == "public")
            assert forge.call("/lab/shop/actions/runs/1").status == (200 if visibility == "public" else 303)


def test_forgejo_packs_the_logs_of_a_run(forgejo: World) -> None:
    run = forgejo.wait_run(forgejo.push({FILE: GREEN}))
    packed = forgejo.call(f"{REPO}/actions/runs/{run['id']}/logs").body
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        (name,) = archive.namelist()
        assert name == f"build-{forgejo.jobs(run['id'])[0]['id']}-attempt-1.log"
        assert b"built" in archive.read(name)


def test_contents_tell_which_workflows_a_commit_has(forge: World) -> None:
    sha = forge.push({file(forge): GREEN})
    folder = file(forge).rpartition("/")[0]
    assert [row["name"] for row in forge.get(f"/contents/{folder}?ref={sha}")] == ["ci.yml"]
    assert forge.get(f"/contents/{file(forge)}?ref={sha}")["encoding"] == "base64"
    assert forge.call(f"{REPO}/contents/.nothing?ref={sha}").status == 404
    assert forge.get("/branches/main")["commit"]["id"] == sha


def test_gitea_lists_its_workflows(gitea: World) -> None:
    gitea.push({file(gitea): GREEN})
    (row,) = gitea.get("/actions/workflows")["workflows"]
    assert (row["id"], row["name"], row["state"]) == ("ci.yml", "CI", "active")


def test_a_restarted_server_keeps_runs_and_takes_jobs_up_again(forge: World, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    done = forge.wait_run(forge.push({file(forge): GREEN}))
    sha = forge.push({file(forge): job(f"[{{run: {hold(gate)}}}]")})
    forge.until(lambda: forge.get("/actions/tasks")["total_count"] == 2)
    forge.restart()
    gate.touch()
    run = forge.wait_run(sha)
    assert word(run) == "success"
    assert done in forge.runs()


def test_a_job_that_takes_too_long_fails(forge: World) -> None:
    run = forge.wait_run(forge.push({file(forge): job("[{run: sleep 30}]", "    timeout-minutes: 0.005\n")}))
    assert word(run) == "failure"
    assert any("context deadline exceeded" in line for line in forge.log(forge.jobs(run["id"])[0]["id"]))


def test_one_push_sets_off_both_kinds_of_ci_and_the_commit_hears_of_both(forgejo: World, tmp_path: Path) -> None:
    config = woodpecker_config(tmp_path, status_api=forgejo.server.url, status_token=Secret("dev-token"))
    with LabWoodpecker(config, tmp_path / "woodpecker") as other:
        install(tmp_path / "shop.git", tmp_path / "actions", other.state)
        sha = forgejo.push({FILE: GREEN, ".woodpecker.yaml": WOODPECKER_GREEN})
        assert forgejo.said.count("CI: pipeline #1") == 2
        both = {"CI / build (push)": "success", "ci/woodpecker/push/woodpecker": "success"}
        assert forgejo.until(lambda: (found := forgejo.statuses(sha)) == both and found)
        rows = forgejo.get(f"/commits/{sha}/status")["statuses"]
        row = next(row for row in rows if row["context"].startswith("ci/woodpecker"))
        assert row["target_url"] == "https://ci.homelab.test/repos/1/pipeline/1/1"
        assert row["description"] == "Pipeline was successful"


def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("dev-token")
    config = {"url": "https://git.homelab.test", "kind": "gitea", "users": [{"login": "dev", "token_file": str(token)}]}
    file = tmp_path / "actions.json"
    file.write_text(json.dumps(config))
    ready = tmp_path / "ready.json"
    words = ["--state", tmp_path / "state", "--ready", ready, "--config", file]
    with subprocess.Popen([sys.executable, "-m", "homelab.lab.actions", *map(str, words)]) as process:
        try:
            deadline = time.monotonic() + 10
            while not ready.exists():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert json.loads(ready.read_text())["pid"] == process.pid
        finally:
            process.terminate()
        assert process.wait(2) == 0
    file.write_text(json.dumps({**config, "level": "C"}))
    with pytest.raises(UsageError):
        load(file)
