"""The lab's CI server run for real: what a push sets off and how it ends."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab.secret import Secret
from tests.lab.woodpecker.lab import GREEN, SLOW, World, states, steps, world


@pytest.fixture
def ci(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def test_a_push_runs_its_commands_and_ends_green(ci: World) -> None:
    oid = ci.push({".woodpecker.yaml": GREEN})
    made = ci.wait(1)
    assert made["status"] == "success"
    assert made["commit"] == oid
    assert states(made) == {"clone": "success", "build": "success"}
    assert [step["type"] for step in steps(made)] == ["clone", "commands"]
    assert ci.log(1, "build") == ["+ echo built", "built"]
    assert "CI: pipeline #1 for refs/heads/main: pending" in ci.said


def test_times_are_unix_seconds_and_absent_before_they_come(ci: World) -> None:
    before = int(time.time())
    ci.push({".woodpecker.yaml": GREEN})
    made = ci.wait(1)
    assert before <= made["created"] <= made["started"] <= made["finished"] <= int(time.time())
    ci.push({".woodpecker.yaml": "steps:\n  - {name: a, image: x, commands: [sleep 9]}\n"})
    step = next(step for step in steps(ci.wait(2, "running", "pending")) if step["name"] == "a")
    assert "finished" not in step


def test_the_workspace_is_the_commit_and_nothing_else(ci: World) -> None:
    ci.push({"kept.txt": "old"})
    text = "steps:\n  - {name: a, image: x, commands: [ls, cat kept.txt, git rev-parse HEAD, 'touch dirt']}\n"
    oid = ci.push({".woodpecker.yaml": text, "kept.txt": "new\n"})
    ci.wait(1)
    assert ci.log(1, "a") == ["+ ls", "kept.txt", "+ cat kept.txt", "new", "+ git rev-parse HEAD", oid, "+ touch dirt"]
    ci.call("/api/repos/1/pipelines/1", method="POST")
    ci.wait(2)
    assert "dirt" not in ci.log(2, "a")


def test_steps_of_a_workflow_share_the_workspace(ci: World) -> None:
    ci.push(
        {
            ".woodpecker.yaml": "steps:\n  - {name: a, image: x, commands: ['echo hi > out']}\n"
            "  - {name: b, image: x, commands: [cat out]}\n"
        }
    )
    assert ci.wait(1)["status"] == "success"
    assert ci.log(1, "b") == ["+ cat out", "hi"]


def test_a_failing_step_fails_the_run_and_skips_what_follows(ci: World) -> None:
    text = """
steps:
  - {name: a, image: x, commands: ['echo no >&2', exit 3, echo never]}
  - {name: b, image: x, commands: [echo never]}
  - {name: tell, image: x, commands: ['echo status $CI_PIPELINE_STATUS'], when: {status: failure}}
"""
    ci.push({".woodpecker.yaml": text})
    made = ci.wait(1)
    assert made["status"] == "failure"
    assert states(made) == {"clone": "success", "a": "failure", "b": "skipped", "tell": "success"}
    assert ci.step(1, "a")["exit_code"] == 3
    assert ci.log(1, "a") == ["+ echo no >&2", "no", "+ exit 3"]
    assert ci.log(1, "tell")[-1] == "status failure"
    assert ci.get(f"/api/repos/1/logs/1/{ci.step(1, 'b')['id']}") is None


def test_a_step_for_failures_is_skipped_when_all_goes_well(ci: World) -> None:
    text = GREEN + "  - {name: tell, image: x, commands: [echo], when: {status: failure}}\n"
    ci.push({".woodpecker.yaml": text})
    made = ci.wait(1)
    assert (made["status"], states(made)["tell"]) == ("success", "skipped")


def test_an_ignored_failure_stays_failing_inside_a_green_run(ci: World) -> None:
    text = "steps:\n  - {name: a, image: x, commands: [exit 1], failure: ignore}\n" + GREEN.partition("\n")[2]
    ci.push({".woodpecker.yaml": text})
    made = ci.wait(1)
    assert (made["status"], made["workflows"][0]["state"]) == ("success", "success")
    assert states(made) == {"clone": "success", "a": "failure", "build": "success"}


def test_independent_steps_run_side_by_side(ci: World) -> None:
    meet = "'touch $CI_STEP_NAME; for i in $(seq 100); do [ -e a ] && [ -e b ] && exit 0; sleep 0.05; done; exit 1'"
    text = f"""
steps:
  - {{name: a, image: x, commands: [{meet}], depends_on: []}}
  - {{name: b, image: x, commands: [{meet}], depends_on: []}}
"""
    ci.push({".woodpecker.yaml": f"skip_clone: true\n{text}"})
    made = ci.wait(1)
    assert made["status"] == "success"
    assert states(made) == {"a": "success", "b": "success"}


def test_a_workflow_waits_for_the_one_it_depends_on(ci: World) -> None:
    ci.push(
        {
            ".woodpecker/build.yaml": "steps:\n  - {name: b, image: x, commands: [sleep 0.2]}\n",
            ".woodpecker/deploy.yaml": "depends_on: [build]\nsteps:\n  - {name: d, image: x, commands: [echo]}\n",
        }
    )
    made = ci.wait(1)
    build, deploy = made["workflows"]
    assert (build["name"], deploy["name"], made["status"]) == ("build", "deploy", "success")
    assert build["finished"] <= deploy["started"]


def test_a_workflow_behind_a_failed_one_is_skipped_and_its_steps_show_killed(ci: World) -> None:
    ci.push(
        {
            ".woodpecker/build.yaml": "steps:\n  - {name: b, image: x, commands: [exit 1]}\n",
            ".woodpecker/deploy.yaml": "depends_on: [build]\nsteps:\n  - {name: d, image: x, commands: [echo]}\n",
            ".woodpecker/tell.yaml": "depends_on: [build]\nruns_on: [failure]\n"
            "steps:\n  - {name: t, image: x, commands: [echo]}\n",
        }
    )
    made = ci.wait(1)
    assert made["status"] == "failure"
    assert {flow["name"]: flow["state"] for flow in made["workflows"]} == {
        "build": "failure",
        "deploy": "skipped",
        "tell": "success",
    }
    skipped = ci.step(1, "d")
    assert (skipped["state"], skipped["exit_code"], "started" in skipped) == ("killed", 0, False)


def test_a_matrix_runs_once_a_cell(ci: World) -> None:
    text = "matrix: {WORD: [one, two]}\nsteps:\n  - {name: say, image: x, commands: ['echo ${WORD} $WORD']}\n"
    ci.push({".woodpecker.yaml": text})
    made = ci.wait(1)
    assert [flow["environ"] for flow in made["workflows"]] == [{"WORD": "one"}, {"WORD": "two"}]
    assert len(steps(made)) == 4


def test_a_service_runs_beside_the_steps_and_ends_as_success(ci: World) -> None:
    text = """
services:
  - {name: db, image: x, commands: [touch up, sleep 60]}
steps:
  - {name: use, image: x, commands: ['until [ -e up ]; do sleep 0.05; done']}
"""
    ci.push({".woodpecker.yaml": text})
    made = ci.wait(1)
    assert made["status"] == "success"
    assert states(made) == {"clone": "success", "db": "success", "use": "success"}


def test_a_step_sees_nothing_of_the_servers_own_environment(ci: World) -> None:
    os.environ["NOT_FOR_STEPS"] = "1"
    try:
        ci.push({".woodpecker.yaml": "steps:\n  - {name: a, image: x, commands: [env]}\n"})
        ci.wait(1)
    finally:
        del os.environ["NOT_FOR_STEPS"]
    seen = dict(line.partition("=")[::2] for line in ci.log(1, "a"))
    assert "NOT_FOR_STEPS" not in seen
    assert seen["CI"] == "woodpecker"
    assert seen["CI_STEP_NAME"] == "a"
    assert seen["CI_PIPELINE_URL"] == "https://ci.homelab.test/repos/1/pipeline/1"
    assert seen["CI_WORKSPACE"] == seen["PWD"]


def test_a_secret_reaches_the_step_and_not_the_log(tmp_path: Path) -> None:
    text = (
        "steps:\n  - {name: a, image: x, environment: {T: {from_secret: token}}, commands: ['echo $T', 'echo ${#T}']}\n"
    )
    with world(tmp_path, secrets={"token": Secret("hush-hush")}) as ci:
        ci.push({".woodpecker.yaml": text.replace("${#T}", "$${#T}")})
        ci.wait(1)
        assert ci.log(1, "a") == ["+ echo $T", "********", "+ echo ${#T}", "9"]


def test_what_a_step_leaves_running_is_killed_with_it(ci: World, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    text = f"steps:\n  - {{name: a, image: x, commands: ['sleep 60 & echo $! > {pid}']}}\n"
    ci.push({".woodpecker.yaml": text})
    assert ci.wait(1)["status"] == "success"
    ci.until(lambda: not _alive(int(pid.read_text())))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_a_step_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    with world(tmp_path, timeout=0.005) as ci:
        ci.push({".woodpecker.yaml": SLOW})
        made = ci.wait(1)
        assert (made["status"], states(made)["build"]) == ("killed", "killed")


def test_a_broken_file_is_an_error_with_its_complaints_and_no_workflows(ci: World) -> None:
    ci.push({".woodpecker.yaml": "when: {event: push}\nsteps:\n  - {name: a, commands: [x]}\n"})
    made = ci.pipeline(1)
    assert made["status"] == "error"
    assert "workflows" not in made
    assert made["errors"] == [
        {
            "type": "linter",
            "message": "Invalid or missing image",
            "is_warning": False,
            "data": {"file": "woodpecker", "field": "steps.a"},
        }
    ]
    assert made["finished"] > 0


def test_warnings_sit_on_a_green_pipeline(ci: World) -> None:
    ci.push({".woodpecker.yaml": "odd: 1\n" + GREEN})
    made = ci.wait(1)
    assert made["status"] == "success"
    assert [(error["type"], error["is_warning"]) for error in made["errors"]] == [("linter", True), ("bad_habit", True)]


def test_a_message_that_says_skip_ci_leaves_no_trace(ci: World) -> None:
    ci.push({".woodpecker.yaml": GREEN}, message="Docs [skip ci]")
    assert ci.get("/api/repos/1/pipelines") == []
    assert "no pipeline for refs/heads/main: the configuration or the message filters it out" in ci.said


def test_a_commit_without_configuration_leaves_no_trace(ci: World) -> None:
    ci.push({"a": "b"})
    assert ci.get("/api/repos/1/pipelines") == []


def test_an_inactive_repository_runs_nothing_and_says_so(tmp_path: Path) -> None:
    with world(tmp_path, active=False) as ci:
        ci.push({".woodpecker.yaml": GREEN})
        assert ci.get("/api/repos/1/pipelines") == []
        assert "the repository is not active" in ci.said
        assert ci.get("/api/repos/lookup/lab/shop")["active"] is False


def test_a_filtered_push_gives_its_number_back_under_a_new_id(ci: World) -> None:
    ci.push({".woodpecker.yaml": GREEN})
    first = ci.wait(1)
    ci.push({".woodpecker.yaml": "when: {branch: other}\n" + GREEN})
    assert ci.call("/api/repos/1/pipelines/2").status == 404
    ci.push({".woodpecker.yaml": GREEN})
    assert ci.wait(2)["id"] == first["id"] + 2


def test_a_tag_makes_a_pipeline_without_a_branch(ci: World) -> None:
    ci.push({".woodpecker.yaml": GREEN})
    ci.git("tag", "v1")
    ci.git("push", "origin", "v1")
    made = ci.wait(2)
    assert (made["event"], made["branch"], made["ref"]) == ("tag", "", "refs/tags/v1")


def test_deleting_a_branch_makes_no_pipeline(ci: World) -> None:
    ci.push({".woodpecker.yaml": GREEN}, branch="topic")
    ci.wait(1)
    ci.git("push", "origin", ":topic")
    assert "ignored event" in ci.said
    assert len(ci.get("/api/repos/1/pipelines")) == 1


def test_a_newer_push_supersedes_the_older_run_of_its_branch(ci: World) -> None:
    ci.push({".woodpecker.yaml": SLOW})
    ci.wait(1, "running")
    ci.push({".woodpecker.yaml": SLOW})
    older = ci.wait(1, "killed")
    assert older["cancel_info"] == {"superseded_by": 2}
    assert ci.wait(2, "running")["number"] == 2


def test_a_push_to_another_branch_supersedes_nothing(ci: World) -> None:
    ci.push({".woodpecker.yaml": SLOW})
    ci.push({".woodpecker.yaml": SLOW}, branch="other")
    ci.wait(2, "running")
    assert ci.pipeline(1)["status"] == "running"


def test_a_step_with_failure_cancel_cancels_the_whole_pipeline(ci: World) -> None:
    ci.push(
        {
            ".woodpecker/a.yaml": "steps:\n  - {name: long, image: x, commands: [sleep 30]}\n",
            ".woodpecker/b.yaml": "steps:\n  - {name: bad, image: x, commands: [sleep 0.3; exit 1], failure: cancel}\n",
        }
    )
    made = ci.wait(1, "killed")
    assert made["cancel_info"] == {"canceled_by_step": "bad"}
    assert states(ci.wait_quiet(1))["long"] == "killed"


def test_bytes_that_are_not_utf_8_and_long_lines_survive(ci: World) -> None:
    bad = "printf 'a\\377b\\n'"
    text = f'steps:\n  - {{name: a, image: x, commands: ["{bad}", \'head -c 1500000 /dev/zero | tr "\\0" x\']}}\n'
    ci.push({".woodpecker.yaml": text.replace("\\", "\\\\").replace("\\\\0", "\\0")})
    assert ci.wait(1)["status"] == "success"
    lines = ci.log(1, "a")
    assert "a\ufffdb" in lines
    assert [len(line) for line in lines[-2:]] == [1 << 20, 1500000 - (1 << 20)]
