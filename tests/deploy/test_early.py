"""Trouble by class, and the grace of each: the red before the deadline, and never before its time."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.deploy.early import GRACES, HINTS
from homelab.deploy.judgement import State, Verdict
from homelab.deploy.terms import Patience
from tests.deploy.objects import WANTED, Json, deployment, event, pod, progressing, replica_set, running, waiting
from tests.deploy.test_verdict import Scene, judge, with_new


def unready(container: Json, **fields: Any) -> Json:
    return pod(container=container, ready_since=None, phase="Pending", **{"created": 1, **fields})


def pulling(reason: str, message: str) -> Scene:
    return with_new(unready(waiting(reason, message)))


def unscheduled(message: str) -> Json:
    placed = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    body = unready({"ready": False, "restartCount": 0, "state": {}}, scheduled=placed)
    body["status"]["containerStatuses"] = []
    return body


def blank() -> Json:
    return unready({"ready": False, "restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}})


def not_made(message: str) -> Scene:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    moving = deployment(counts=(0, 1, 1, 1), conditions=[progressing("ReplicaSetUpdated")])
    return Scene(moving, [replica_set(available=0, conditions=[failure])], [])


CASES: list[tuple[str, str, Scene, float]] = [
    ("image-invalid", "bad name", pulling("InvalidImageName", "couldn't parse"), 0),
    ("image-missing", "not found", pulling("ErrImagePull", f"{WANTED}: not found"), 30),
    ("image-missing", "manifest unknown", pulling("ImagePullBackOff", "manifest unknown"), 30),
    ("image-missing", "platform", pulling("ErrImagePull", "no match for platform in manifest"), 30),
    ("image-auth", "denied", pulling("ErrImagePull", "pull access denied, repository does not exist"), 45),
    ("image-auth", "unauthorized", pulling("ErrImagePull", "401 Unauthorized"), 45),
    ("image-other", "dns", pulling("ErrImagePull", "lookup reg.example: no such host"), 180),
    ("image-other", "disk", pulling("ErrImagePull", "no space left on device"), 180),
    ("config", "secret", pulling("CreateContainerConfigError", 'secret "db" not found'), 60),
    ("sandbox", "runtime", pulling("CreateContainerError", "context deadline exceeded"), 90),
    ("sandbox", "network", with_new(blank(), event("web-new-1", "FailedCreatePodSandBox", "cni", at=0)), 90),
    ("scheduling", "full", with_new(unscheduled("0/3 nodes are available: insufficient memory")), 120),
    ("volume", "unbound", with_new(unscheduled("pod has unbound immediate PersistentVolumeClaims")), 120),
    ("volume", "mount", with_new(blank(), event("web-new-1", "FailedMount", "timed out", at=0)), 120),
    ("create", "webhook", not_made('admission webhook "x" denied the request'), 30),
    ("quota", "quota", not_made('pods "web" is forbidden: exceeded quota: compute'), 60),
]


def after(scene: Scene, seconds: float) -> Verdict:
    return judge((0, scene), (seconds, scene))


@pytest.mark.parametrize(("kind", "_why", "scene", "grace"), CASES, ids=[f"{kind}: {why}" for kind, why, _, _ in CASES])
def test_each_class_fails_after_its_grace_and_not_before(kind: str, _why: str, scene: Scene, grace: float) -> None:
    if grace:
        assert after(scene, grace - 1).state is State.PROGRESSING
    found = after(scene, grace + 1)
    assert (found.state, found.reason) == (State.FAILED, kind)
    assert found.hint


def test_every_class_has_a_grace_and_something_to_type() -> None:
    assert set(GRACES) == set(HINTS)


def test_a_secret_that_is_only_not_synced_yet_is_no_sign() -> None:
    scene = pulling("CreateContainerConfigError", "failed to sync secret cache: timed out")
    assert after(scene, 100).state is State.PROGRESSING


@pytest.mark.parametrize(
    "last",
    [
        {"exitCode": 127, "reason": "Error"},
        {"exitCode": 126, "reason": "Error"},
        {"exitCode": 128, "reason": "StartError", "message": "exec /app: no such file or directory"},
        {"exitCode": 1, "reason": "Error", "message": "exec format error"},
    ],
    ids=["127", "126", "start error", "wrong platform"],
)
def test_a_container_that_cannot_start_needs_only_two_restarts(last: Json) -> None:
    first = with_new(unready(waiting("CrashLoopBackOff", "", restarts=1, last=last)))
    second = with_new(unready(waiting("CrashLoopBackOff", "", restarts=2, last=last)))
    assert judge((2, first), (5, first)).state is State.PROGRESSING
    found = judge((2, first), (5, second))
    assert (found.state, found.reason) == (State.FAILED, "start")


def test_a_process_that_ends_well_and_at_once_is_named_so() -> None:
    scene = with_new(unready(waiting("CrashLoopBackOff", "", restarts=3, last={"exitCode": 0, "reason": "Completed"})))
    assert "exit 0: the process ends at once" in judge((2, scene)).sentence


def test_an_init_container_that_may_not_restart_fails_at_once() -> None:
    failed = {"ready": False, "restartCount": 0, "state": {"terminated": {"exitCode": 2, "reason": "Error"}}}
    waits = {"ready": False, "restartCount": 0, "state": {"waiting": {"reason": "PodInitializing"}}}
    scene = with_new(unready(waits, init={"migrate": failed}, restart_policy="Never"))
    found = judge((2, scene))
    assert (found.state, found.sentence) == (State.FAILED, "crash: init migrate exit 2")


def test_an_init_container_that_is_done_is_no_sign() -> None:
    ended = {"ready": True, "restartCount": 1, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
    scene = with_new(unready(running(ready=False), init={"migrate": ended}))
    assert judge((2, scene), (200, scene)).state is State.PROGRESSING


def test_a_cluster_that_grows_for_the_pod_is_waited_for() -> None:
    growing = event("web-new-1", "TriggeredScaleUp", "pod triggered scale-up", type_="Normal")
    assert after(with_new(unscheduled("0/3 nodes are available"), growing), 500).state is State.PROGRESSING


def test_a_pod_that_runs_and_never_becomes_ready_is_never_an_early_failure() -> None:
    scene = with_new(unready(running(ready=False)))
    assert after(scene, 599).state is State.PROGRESSING


def test_an_evicted_pod_is_replaced_and_no_sign() -> None:
    evicted = pod(container={"restartCount": 0}, ready_since=None, phase="Failed")
    assert after(with_new(evicted), 300).state is State.PROGRESSING


def test_a_volume_the_old_pod_holds_asks_for_recreate() -> None:
    claim = [{"persistentVolumeClaim": {"claimName": "data"}}]
    stuck = unready({"ready": False, "restartCount": 0, "state": {}}, volumes=claim)
    scene = with_new(stuck, event("web-new-1", "FailedAttachVolume", "Multi-Attach error", at=0))
    assert scene.pods is not None
    scene.pods[1]["spec"]["volumes"] = claim
    assert "strategy Recreate" in after(scene, 121).hint


def test_the_next_look_is_due_when_a_grace_ends() -> None:
    scene = pulling("ErrImagePull", "manifest unknown")
    assert judge((0, scene), (10, scene)).again == 20.0


def test_a_scheduling_gate_needs_a_person() -> None:
    gate = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "gated"}
    found = judge((0, with_new(unready({"ready": False, "restartCount": 0, "state": {}}, scheduled=gate))))
    assert (found.state, found.reason) == (State.NEEDS_ACTION, "gated")


def test_a_pod_that_is_not_ready_is_explained_at_the_deadline_even_when_nobody_is_patient() -> None:
    probing = event("web-new-1", "Unhealthy", "Readiness probe failed: HTTP 503", at=5)
    scene = with_new(unready(running(ready=False)), probing)
    found = judge((0, scene), (661, scene))
    assert (found.state, found.troubles[0].kind) == (State.TIMEOUT, "readiness")
    assert found.troubles[0].message == "Readiness probe failed: HTTP 503"
    assert judge((0, scene), (100, scene), patience=Patience.NONE).state is State.PROGRESSING
