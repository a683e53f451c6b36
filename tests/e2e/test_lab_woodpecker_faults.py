"""The lab's CI server gone wrong on demand: what a client must survive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab.lab.woodpecker.server import LabWoodpecker
from tests.lab.woodpecker.lab import GREEN, SLOW, World, states, world


@pytest.fixture
def ci(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("kind", "status", "content_type", "empty", "named"),
    [
        ("401", 401, "text/plain", True, True),
        ("404", 404, "text/plain", True, True),
        ("429", 429, "text/plain", True, True),
        ("500", 500, "text/plain", True, True),
        ("502", 502, "text/html", False, False),
        ("503", 503, "text/html", False, False),
        ("empty", 200, "application/json", True, True),
        ("portal", 200, "text/html", False, False),
    ],
)
def test_a_passing_answer_stands_in_for_the_next_request_alone(
    ci: World, kind: str, status: int, content_type: str, *, empty: bool, named: bool
) -> None:
    ci.faults(transient=[kind], retry_after=1)
    wrong = ci.call("/api/user")
    assert (wrong.status, wrong.headers["content-type"].split(";")[0]) == (status, content_type)
    assert (wrong.body == b"") is empty
    assert ("x-woodpecker-version" in wrong.headers) is named
    assert ("retry-after" in wrong.headers) is (status in {429, 503})
    assert ci.get("/api/user")["login"] == "dev"


def test_passing_answers_hit_only_the_paths_meant(ci: World) -> None:
    ci.faults(transient=["404", "404"], transient_path="/pipelines")
    assert ci.call("/api/user").status == 200
    assert [ci.call("/api/repos/1/pipelines").status for _ in range(3)] == [404, 404, 200]


def test_a_cancelled_run_may_still_come_out_green(ci: World, tmp_path: Path) -> None:
    ci.faults(survive_cancel=True)
    gate = tmp_path / "gate"
    wait = f"'until [ -e {gate} ]; do sleep 0.02; done'"
    ci.push({".woodpecker.yaml": f"steps:\n  - {{name: a, image: x, commands: [{wait}]}}\n"})
    ci.until(lambda: ci.step(1, "a")["state"] == "running")
    ci.call("/api/repos/1/pipelines/1/cancel", method="POST")
    assert ci.pipeline(1)["status"] == "killed"
    gate.touch()
    assert ci.wait(1, "success")["cancel_info"] == {"canceled_by_user": "dev"}


def test_a_pipeline_may_be_stranded_in_created(ci: World) -> None:
    ci.faults(strand_created=True)
    ci.push({".woodpecker.yaml": GREEN})
    assert ci.pipeline(1)["status"] == "created"
    ci.restart()
    assert ci.pipeline(1)["status"] == "created"


def test_a_created_row_can_be_seen_before_it_is_filtered_away(ci: World) -> None:
    ci.push({"a": "b"})
    oid = ci.git("rev-parse", "HEAD")
    ci.faults(creation_delay=0.5)
    from threading import Thread

    push = Thread(target=ci.hook, kwargs={"after": oid})
    push.start()
    assert ci.until(lambda: ci.get("/api/repos/1/pipelines"))[0]["status"] == "created"
    push.join()
    assert ci.call("/api/repos/1/pipelines/1").status == 404


def test_2_x_names_its_fields_its_own_way_and_filters_nothing(ci: World) -> None:
    ci.push({".woodpecker.yaml": GREEN})
    ci.wait(1)
    ci.faults(legacy_names=True)
    made = ci.pipeline(1)
    assert {"created_at", "updated_at", "started_at", "finished_at", "reviewed_at"} <= set(made)
    assert "created" not in made
    flow = made["workflows"][0]
    assert "start_time" in flow
    assert "end_time" in flow["children"][0]
    assert "created_at" in ci.get("/api/user/feed")[0]
    assert "created_at" in ci.get("/api/user/repos")[0]["last_pipeline"]
    assert len(ci.get("/api/repos/1/pipelines?status=failure&event=nonsense")) == 1


def test_the_version_header_says_what_it_is_told(ci: World) -> None:
    ci.faults(version="next-a4cb541b8")
    assert ci.call("/api/user").headers["x-woodpecker-version"] == "next-a4cb541b8"
    assert ci.get("/version")["version"] == "next-a4cb541b8"
    ci.faults(version="-")
    assert "x-woodpecker-version" not in ci.call("/api/user").headers


def test_log_lines_come_unsorted_and_twice(ci: World) -> None:
    ci.push({".woodpecker.yaml": "steps:\n  - {name: a, image: x, commands: [seq 30]}\n"})
    ci.wait(1)
    right = ci.log(1, "a")
    ci.faults(log_shuffled=True, log_duplicated=True)
    wrong = ci.log(1, "a")
    assert set(wrong) == set(right)
    assert len(wrong) > len(right)
    assert [line for line in wrong if line in right] != right


def test_the_end_of_a_log_comes_late(ci: World) -> None:
    ci.faults(log_late=1.0)
    ci.push({".woodpecker.yaml": "steps:\n  - {name: a, image: x, commands: [seq 3]}\n"})
    ci.wait(1)
    assert len(ci.log(1, "a")) < 4
    ci.until(lambda: ci.log(1, "a") == ["+ seq 3", "1", "2", "3"])


def test_faults_can_be_read_and_cleared(ci: World) -> None:
    ci.faults(delay=3.0)
    assert ci.get("/_lab/faults")["delay"] == 3.0
    assert ci.call("/_lab/faults", method="DELETE").json["delay"] == 0.0
    assert ci.call("/_lab/faults", method="POST", body={"gremlins": 1}).status == 400


def test_the_controls_are_shut_unless_asked_for(ci: World, tmp_path: Path) -> None:
    with LabWoodpecker(ci.config, tmp_path / "other", lab_controls=False) as server:
        ci.server, shut = server, ci.server
        try:
            for method in ("GET", "POST", "DELETE"):
                assert b"<html>" in ci.call("/_lab/faults", method=method).body
        finally:
            ci.server = shut


def test_a_killed_workflow_hides_the_failure_of_another(ci: World) -> None:
    ci.push(
        {
            ".woodpecker/a.yaml": "steps:\n  - {name: bad, image: x, commands: [exit 1]}\n",
            ".woodpecker/b.yaml": SLOW,
        }
    )
    ci.until(lambda: states(ci.pipeline(1))["bad"] == "failure")
    ci.until(lambda: states(ci.pipeline(1))["build"] == "running")
    ci.call("/api/repos/1/pipelines/1/cancel", method="POST")
    made = ci.wait_quiet(1)
    assert made["status"] == "killed"
    assert {flow["name"]: flow["state"] for flow in made["workflows"]} == {"a": "failure", "b": "killed"}
