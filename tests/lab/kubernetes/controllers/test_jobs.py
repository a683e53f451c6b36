"""The Job controller, run through virtual time."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.kinds import JOB
from homelab.lab.kubernetes.objects import condition
from tests.lab.kubernetes.fakes import APP, VirtualLab, template

IMAGES = {
    "done": {"homelab.lab/crash-after": "1", "homelab.lab/exit-code": "0"},
    "fails": {"homelab.lab/crash-after": "1"},
    "long": {},
}


@pytest.fixture
def lab() -> VirtualLab:
    return VirtualLab(IMAGES)


def start(lab: VirtualLab, tag: str, **spec: object) -> None:
    body = {"spec": {"template": template(f"{APP}:{tag}", restartPolicy="Never"), **spec}}
    lab.create(JOB, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "web", "namespace": "demo"}, **body})


def status(lab: VirtualLab) -> dict:
    return lab.get(JOB)["status"]


def true(lab: VirtualLab) -> list[tuple[str, str]]:
    return [(one["type"], one["reason"]) for one in status(lab).get("conditions", []) if one["status"] == "True"]


def test_a_job_whose_pods_succeed_completes(lab):
    start(lab, "done", completions=3, parallelism=2)
    lab.run(20)
    assert (status(lab)["succeeded"], status(lab).get("failed", 0)) == (3, 0)
    assert true(lab) == [("SuccessCriteriaMet", "CompletionsReached"), ("Complete", "CompletionsReached")]
    assert lab.messages("Completed") == ["Job completed"]


def test_a_job_whose_pods_fail_too_often_fails(lab):
    start(lab, "fails", backoffLimit=2)
    lab.run(60)
    assert status(lab)["failed"] == 3
    assert true(lab) == [("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")]
    assert condition(lab.get(JOB), "Failed")["message"] == "Job has reached the specified backoff limit"


def test_a_job_that_takes_too_long_fails_and_its_pod_is_stopped(lab):
    start(lab, "long", activeDeadlineSeconds=5)
    lab.run(20)
    assert true(lab)[-1] == ("Failed", "DeadlineExceeded")
    assert lab.pods() == []


def test_a_suspended_job_runs_when_it_is_resumed(lab):
    start(lab, "done", suspend=True)
    lab.run(10)
    assert (true(lab), lab.pods()) == ([("Suspended", "JobSuspended")], [])
    lab.change(JOB, suspend=False)
    lab.run(10)
    assert true(lab)[-1] == ("Complete", "CompletionsReached")


def test_a_finished_job_goes_after_its_time(lab):
    start(lab, "done", ttlSecondsAfterFinished=30)
    lab.run(10)
    assert true(lab)[-1][0] == "Complete"
    lab.run(60)
    assert lab.store.find(JOB, "demo", "web") is None
    assert lab.pods() == []


def test_pods_carry_the_names_clients_look_for(lab):
    start(lab, "long")
    lab.run(1)
    labels = lab.pods()[0]["metadata"]["labels"]
    assert (labels["job-name"], labels["batch.kubernetes.io/job-name"]) == ("web", "web")
    assert labels["controller-uid"] == lab.get(JOB)["metadata"]["uid"]
