from __future__ import annotations

from homelab.ci.actions.powers import described, powers
from tests.ci.fakes import FakeForge


def test_the_levels_follow_from_the_servers_own_description() -> None:
    repo = "/repos/{owner}/{repo}"
    tasks = {f"{repo}/actions/tasks": {"get": {}}}
    runs = tasks | {f"{repo}/actions/runs": {"get": {}}}
    jobs = {f"{repo}/actions/runs/{{run}}/jobs": {"get": {}}, f"{repo}/actions/jobs/{{job_id}}/logs": {"get": {}}}

    assert [described({"paths": paths}).level for paths in ({}, tasks, runs, runs | jobs)] == ["A", "B", "C", "D"]


def test_a_path_without_its_method_is_no_power() -> None:
    assert not described({"paths": {"/repos/{o}/{r}/actions/runs/{id}/rerun": {"get": {}}}}).rerun


def test_what_the_log_call_takes_is_read_from_its_parameters() -> None:
    path = "/repos/{owner}/{repo}/actions/jobs/{job_id}/logs"
    rows = [{"name": "step", "in": "query"}, {"name": "attempt", "in": "header"}]

    found = described({"paths": {path: {"get": {"parameters": rows}}}})

    assert (found.job_logs, found.log_steps, found.log_attempts) == (True, True, False)


def test_a_server_without_a_description_is_tried() -> None:
    repo = "/api/v1/repos/o/r"
    tasks = powers(FakeForge({f"{repo}/actions/tasks": {"workflow_runs": []}}), repo)

    assert (tasks.level, tasks.tried, tasks.job_logs) == ("B", True, False)
    assert powers(FakeForge({f"{repo}/actions/runs": {}}), repo).level == "D"
    assert powers(FakeForge({}), repo).level == "A"
