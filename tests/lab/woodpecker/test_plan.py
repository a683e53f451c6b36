from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from homelab.lab.woodpecker.definition import ConfigRefused
from homelab.lab.woodpecker.plan import Plan, WorkflowPlan, make_plan, workflow_name
from homelab.lab.woodpecker.records import ConfigFile, Pipeline
from homelab.lab.woodpecker.states import Trigger
from homelab.secret import Secret
from tests.lab.woodpecker.lab import make_config

PUSH = Pipeline(1, Trigger.PUSH, commit="c" * 40, branch="main", ref="refs/heads/main", number=7, message="Fix")


def plan(*texts: str, pipeline: Pipeline = PUSH, **change: object) -> Plan:
    names = [".woodpecker.yaml"] if len(texts) == 1 else [f".woodpecker/{letter}.yaml" for letter in "abcdef"]
    files = [ConfigFile(name, text) for name, text in zip(names, texts, strict=False)]
    config = make_config(Path("/srv"), **change)
    return make_plan(config, config.repositories[0], pipeline, files)


def shape(flow: WorkflowPlan) -> list[list[str]]:
    return [[step.name for step in stage] for stage in flow.stages]


ONE = "steps:\n  - {name: build, image: bash, commands: [make]}\n"
TWO = ONE + "  - {name: test, image: bash, commands: [make test]}\n"


def test_steps_follow_one_another_after_the_clone() -> None:
    assert shape(plan(TWO).workflows[0]) == [["clone"], ["build"], ["test"]]


def test_depends_on_puts_independent_steps_side_by_side() -> None:
    text = """
steps:
  - {name: a, image: x, commands: [x], depends_on: []}
  - {name: b, image: x, commands: [x]}
  - {name: c, image: x, commands: [x], depends_on: [a, b]}
"""
    assert shape(plan(text).workflows[0]) == [["clone"], ["a", "b"], ["c"]]


def test_a_dependency_on_a_filtered_step_is_met() -> None:
    text = """
steps:
  - {name: a, image: x, commands: [x], when: {event: tag}}
  - {name: b, image: x, commands: [x], depends_on: [a]}
"""
    assert shape(plan(text).workflows[0]) == [["clone"], ["b"]]


def test_a_circle_of_dependencies_is_refused() -> None:
    text = "steps: {a: {image: x, commands: [x], depends_on: [b]}, b: {image: x, commands: [x], depends_on: [a]}}"
    with pytest.raises(ConfigRefused, match="cycle detected: a -> b"):
        plan(text)


def test_services_stand_between_clone_and_steps() -> None:
    text = ONE + "services:\n  - {name: db, image: bash, commands: [sleep 9]}\n"
    assert shape(plan(text).workflows[0]) == [["clone"], ["db"], ["build"]]


def test_pids_count_workflows_first_then_steps() -> None:
    made = plan(ONE, ONE)
    assert [flow.pid for flow in made.workflows] == [1, 2]
    assert [[step.pid for step in flow.steps] for flow in made.workflows] == [[3, 4], [5, 6]]


def test_workflows_are_named_after_their_files() -> None:
    assert workflow_name(".woodpecker.yaml") == "woodpecker"
    assert workflow_name(".woodpecker/build.yml") == "build"


def test_a_workflow_whose_when_does_not_match_is_left_out() -> None:
    assert [flow.name for flow in plan("when: {event: tag}\n" + ONE, ONE).workflows] == ["b"]


def test_a_workflow_whose_every_step_is_filtered_is_left_out() -> None:
    assert plan("steps: {a: {image: x, commands: [x], when: {event: tag}}}").workflows == ()


def test_a_workflow_that_depends_on_a_missing_one_is_left_out_with_those_behind_it() -> None:
    made = plan("when: {event: tag}\n" + ONE, "depends_on: [a]\n" + ONE, "depends_on: [b]\n" + ONE, ONE)
    assert [flow.name for flow in made.workflows] == ["d"]


def test_a_matrix_makes_one_workflow_a_cell_with_its_axis_in_the_environment() -> None:
    made = plan("matrix: {GO: ['1.20', '1.21']}\nsteps:\n  - {name: build, image: 'go:${GO}', commands: [make]}\n")
    builds = [flow.steps[1] for flow in made.workflows]
    assert [step.image for step in builds] == ["go:1.20", "go:1.21"]
    assert [step.environment["GO"] for step in builds] == ["1.20", "1.21"]
    assert [flow.axis for flow in made.workflows] == [{"GO": "1.20"}, {"GO": "1.21"}]


def test_a_step_knows_where_it_runs() -> None:
    environment = plan(ONE).workflows[0].steps[1].environment
    expected = {
        "CI": "woodpecker",
        "CI_COMMIT_SHA": "c" * 40,
        "CI_COMMIT_BRANCH": "main",
        "CI_COMMIT_REF": "refs/heads/main",
        "CI_COMMIT_MESSAGE": "Fix",
        "CI_REPO": "lab/shop",
        "CI_REPO_OWNER": "lab",
        "CI_REPO_NAME": "shop",
        "CI_PIPELINE_NUMBER": "7",
        "CI_PIPELINE_EVENT": "push",
        "CI_PIPELINE_URL": "https://ci.homelab.test/repos/1/pipeline/7",
        "CI_STEP_NAME": "build",
        "CI_WORKFLOW_NAME": "woodpecker",
    }
    assert expected == {name: environment.get(name) for name in expected}


def test_a_tag_is_named_and_has_no_branch() -> None:
    tag = replace(PUSH, event=Trigger.TAG, branch="", ref="refs/tags/v1")
    environment = plan(ONE, pipeline=tag).workflows[0].steps[1].environment
    assert environment["CI_COMMIT_TAG"] == "v1"
    assert "CI_COMMIT_BRANCH" not in environment


def test_a_secret_comes_from_the_server_and_is_masked() -> None:
    text = "steps: {a: {image: x, commands: [x], environment: {TOKEN: {from_secret: deploy}}}}"
    step = plan(text, secrets={"deploy": Secret("hush")}).workflows[0].steps[1]
    assert (step.environment["TOKEN"], step.masked) == ("hush", ("hush",))
    assert "hush" not in repr(step)


def test_a_secret_the_server_does_not_hold_is_a_compiler_error() -> None:
    with pytest.raises(ConfigRefused, match='secret "deploy" not found') as refused:
        plan("steps: {a: {image: x, commands: [x], environment: {TOKEN: {from_secret: deploy}}}}")
    assert refused.value.complaints[0].type == "compiler"


def test_a_step_cannot_shadow_the_environment_but_its_own_keys_win() -> None:
    text = "steps: {a: {image: x, commands: [x], environment: {SHARED: mine}}}"
    environment = plan(text, environment={"SHARED": "server", "OTHER": "server"}).workflows[0].steps[1].environment
    assert (environment["SHARED"], environment["OTHER"]) == ("mine", "server")


def test_status_failure_of_a_workflow_makes_it_run_after_both() -> None:
    flow = plan("when: {event: push, status: [success, failure]}\n" + ONE).workflows[0]
    assert flow.runs_on == ("failure", "success")


@pytest.mark.parametrize(
    ("runs_on", "states", "expected"),
    [
        ((), [], True),
        ((), ["success"], True),
        ((), ["failure"], False),
        ((), ["skipped"], False),
        ((), ["success", "killed"], False),
        (("failure",), ["failure"], True),
        (("failure",), ["success"], False),
        (("success", "failure"), ["killed"], True),
    ],
)
def test_dependencies_decide_whether_a_workflow_runs(
    runs_on: tuple[str, ...], states: list[str], *, expected: bool
) -> None:
    flow = WorkflowPlan(1, "a", {}, (), (), runs_on, {})
    assert expected is flow.should_run(states)


def test_warnings_of_every_workflow_are_kept_once() -> None:
    made = plan("odd: 1\nwhen: {event: push}\nmatrix: {A: [1, 2]}\n" + ONE)
    assert [one.message for one in made.warnings] == ["Additional property odd is not allowed"]
