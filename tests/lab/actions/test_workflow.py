from __future__ import annotations

from typing import Any

import pytest

from homelab.lab.actions.workflow import Cause, WorkflowRefused, asks_to_skip, matches, parse, wants

JOB = "jobs: {build: {runs-on: docker, steps: [{run: make}]}}"
MAIN = Cause("push", "refs/heads/main", "main", ("src/a.py", "docs/b.md"))
TAG = Cause("push", "refs/tags/v1.2", "refs/tags/v1.2")


def test_a_file_has_a_name_events_and_jobs() -> None:
    read = parse(f"name: Build it\non: push\n{JOB}", ".forgejo/workflows/ci.yml")
    assert (read.file, read.name, dict(read.on)) == ("ci.yml", "Build it", {"push": {}})
    (job,) = read.jobs
    assert (job.key, job.name, job.runs_on, job.steps[0].run) == ("build", "build", ("docker",), "make")
    assert parse(f"on: push\n{JOB}", "a/ci.yml").name == "ci.yml"


def test_a_matrix_makes_a_job_for_every_cell_with_the_cell_in_its_name() -> None:
    text = "on: push\njobs: {t: {strategy: {matrix: {go: ['1', '2'], include: [{go: x}]}}, steps: [{run: x}]}}"
    assert [job.name for job in parse(text, "ci.yml").jobs] == ["t (1)", "t (2)", "t (x)"]


def test_a_step_is_named_after_what_it_does() -> None:
    text = 'on: push\njobs: {t: {steps: [{run: "make\\ntest"}, {uses: actions/checkout@v4}, {run: x, name: Own}]}}'
    assert [step.name for step in parse(text, "ci.yml").jobs[0].steps] == ["Run make", "Run actions/checkout@v4", "Own"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[", "line 1"),
        ("on: push", "no jobs"),
        (f"{JOB}", "names no event"),
        ("on: push\njobs: {a: 1}", "job a has no steps"),
        ("on: push\njobs: {a: {steps: [{name: x}]}}", "neither runs commands nor uses an action"),
        ("on: push\njobs: {a: {needs: b, steps: [{run: x}]}}", "needs b, which is not there"),
    ],
)
def test_what_is_no_workflow_says_why(text: str, why: str) -> None:
    with pytest.raises(WorkflowRefused, match=why):
        parse(text, "ci.yml")


@pytest.mark.parametrize(
    ("on", "cause", "expected"),
    [
        ({"push": {}}, MAIN, True),
        ({"push": {}}, TAG, True),
        ({"pull_request": {}}, MAIN, False),
        ({"push": {"branches": ["main"]}}, MAIN, True),
        ({"push": {"branches": ["rel/*"]}}, MAIN, False),
        ({"push": {"branches": ["**", "!main"]}}, MAIN, False),
        ({"push": {"branches-ignore": ["main"]}}, MAIN, False),
        ({"push": {"branches": ["main"]}}, TAG, False),
        ({"push": {"tags": ["v*"]}}, TAG, True),
        ({"push": {"tags": ["v*"]}}, MAIN, False),
        ({"push": {"tags": ["v*"], "branches": ["main"]}}, MAIN, True),
        ({"push": {"tags-ignore": ["v*"]}}, TAG, False),
        ({"push": {"paths": ["src/**"]}}, MAIN, True),
        ({"push": {"paths": ["web/**"]}}, MAIN, False),
        ({"push": {"paths-ignore": ["docs/**"]}}, MAIN, True),
        ({"push": {"paths-ignore": ["docs/**", "src/**"]}}, MAIN, False),
        ({"pull_request": {"branches": ["main"]}}, Cause("pull_request", "refs/pull/1/head", "main"), True),
    ],
    ids=str,
)
def test_filters_decide_what_an_event_sets_off(on: dict[str, Any], cause: Cause, *, expected: bool) -> None:
    assert expected is wants(on, cause)


def test_a_later_pattern_overrules_an_earlier_one() -> None:
    assert matches(["*", "!a", "a"], "a")
    assert not matches(["*", "!a"], "a")


@pytest.mark.parametrize("message", ["x [skip ci]", "[ci skip]", "[no ci] y", "[skip actions]", "[actions skip]"])
def test_a_message_can_ask_for_no_run(message: str) -> None:
    assert asks_to_skip(message)
    assert not asks_to_skip(message.strip("[]x y").replace("[", "").replace("]", ""))
