from __future__ import annotations

from homelab.ci.actions_powers import Powers, described, powers
from tests.ci.fakes import FakeForge


def test_the_levels_follow_from_the_servers_own_description() -> None:
    repo = "/repos/{owner}/{repo}"
    tasks = {f"{repo}/actions/tasks": {"get": {}}}
    runs = tasks | {f"{repo}/actions/runs": {"get": {}}}
    jobs = {f"{repo}/actions/runs/{{run}}/jobs": {"get": {}}, f"{repo}/actions/jobs/{{job_id}}/logs": {"get": {}}}

    assert [described({"paths": paths}).level for paths in ({}, tasks, runs, runs | jobs)] == ["A", "B", "C", "D"]


def test_a_path_without_its_method_is_no_power() -> None:
    assert not described({"paths": {"/repos/{o}/{r}/actions/runs/{id}/rerun": {"get": {}}}}).rerun


def test_a_server_without_a_description_is_tried() -> None:
    assert powers(FakeForge({"/api/v1/repos/o/r/actions/tasks": {"workflow_runs": []}}), "/api/v1/repos/o/r") == Powers(
        tasks=True
    )
    assert powers(FakeForge({"/api/v1/repos/o/r/actions/runs": {}}), "/api/v1/repos/o/r").level == "D"
    assert powers(FakeForge({}), "/api/v1/repos/o/r").level == "A"
