from __future__ import annotations

from pathlib import Path

import pytest

from homelab.lab.woodpecker.forge_status import commit_status
from homelab.lab.woodpecker.records import Pipeline, Workflow
from homelab.lab.woodpecker.states import State, Trigger
from tests.lab.woodpecker.lab import make_config


@pytest.mark.parametrize(
    ("state", "expected", "description"),
    [
        (State.PENDING, "pending", "Pipeline is pending"),
        (State.BLOCKED, "pending", "Pipeline is pending approval"),
        (State.RUNNING, "pending", "Pipeline is running"),
        (State.SUCCESS, "success", "Pipeline was successful"),
        (State.FAILURE, "failure", "Pipeline failed"),
        (State.KILLED, "failure", "Pipeline was canceled"),
        (State.DECLINED, "warning", "Pipeline was rejected"),
        (State.ERROR, "error", "Pipeline failed"),
        (State.SKIPPED, "failure", "unknown status"),
    ],
)
def test_a_workflows_state_has_its_commit_status(state: State, expected: str, description: str) -> None:
    repository = make_config(Path("/srv")).repositories[0]
    pipeline = Pipeline(1, Trigger.PULL_REQUEST, "c" * 40, "main", "refs/pull/1/head", number=7)
    told = commit_status("https://ci.homelab.test", repository, pipeline, Workflow(4, 2, "build", state))
    assert told == {
        "state": expected,
        "description": description,
        "context": "ci/woodpecker/pr/build",
        "target_url": "https://ci.homelab.test/repos/1/pipeline/7/2",
    }
