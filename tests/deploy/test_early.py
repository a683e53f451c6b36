"""Trouble by class, and the grace of each: the red before the deadline, and never before its time."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.deploy.early import GRACES, HINTS
from homelab.deploy.judgement import State, Verdict
from homelab.deploy.terms import Patience
from tests.deploy.objects import (
    WANTED,
    Json,
    deployment,
    event,
    old_pod,
    pod,
    progressing,
    replica_set,
    running,
    waiting,
)
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
    ("image-invalid", "bad name", pulling("InvalidImageName", "couldn't parse"), 1),
    ("image-invalid", "never pulled", pulling("ErrImageNeverPull", "not present with pull policy of Never"), 1),
    ("image-invalid", "signature", pulling("SignatureValidationFailed", "no valid signature"), 1),
    ("image-missing", "not found", pulling("ErrImagePull", f"{WANTED}: not found"), 30),
    ("image-missing", "manifest unknown", pulling("ImagePullBackOff", "manifest unknown"), 30),
    ("image-missing", "platform", pulling("ErrImagePull", "no match for platform in manifest"), 30),
    ("image-auth", "denied", pulling("ErrImagePull", "pull access denied, repository does not exist"), 45),
    ("image-auth", "unauthorized", pulling("ErrImagePull", "401 Unauthorized"), 45),
    ("image-other", "dns", pulling("ErrImagePull", "lookup reg.example: no such host"), 180),
    ("image-other", "disk", pulling("ErrImagePull", "no space left on device"), 180),
    ("image-missing", "name unknown", pulling("ErrImagePull", "name unknown: no such repository"), 30),
    ("image-auth", "forbidden", pulling("ErrImagePull", "403 Forbidden"), 45),
    ("image-auth", "required", pulling("ErrImagePull", "authentication required"), 45),
    ("image-other", "timeout", pulling("ErrImagePull", "net/http: TLS handshake timeout"), 180),
    ("image-other", "too many", pulling("ErrImagePull", "429 Too Many Requests"), 180),
    ("image-other", "broken registry", pulling("ErrImagePull", "unexpected status 503"), 180),
    ("image-other", "inspection", pulling("ImageInspectError", "could not inspect"), 180),
    ("image-other", "registry away", pulling("RegistryUnavailable", "dial tcp: i/o"), 180),
    ("config", "secret", pulling("CreateContainerConfigError", 'secret "db" not found'), 60),
    ("sandbox", "runtime", pulling("CreateContainerError", "context deadline exceeded"), 90),
    ("sandbox", "start", pulling("RunContainerError", "runc: cgroup"), 90),
    ("sandbox", "network", with_new(blank(), event("web-new-1", "FailedCreatePodSandBox", "cni", at=0)), 90),
    ("scheduling", "full", with_new(unscheduled("0/3 nodes are available: insufficient memory")), 120),
    ("volume", "unbound", with_new(unscheduled("pod has unbound immediate PersistentVolumeClaims")), 120),
    ("volume", "mount", with_new(blank(), event("web-new-1", "FailedMount", "timed out", at=0)), 120),
    ("volume", "attach", with_new(blank(), event("web-new-1", "FailedAttachVolume", "timed out", at=0)), 120),
    ("create", "security", not_made('violates PodSecurity "restricted:latest"'), 30),
    ("create", "account", not_made('serviceaccount "web" not found'), 30),
    ("create", "webhook", not_made('admission webhook "x" denied the request'), 30),
    ("quota", "quota", not_made('pods "web" is forbidden: exceeded quota: compute'), 60),
]


def after(scene: Scene, seconds: float) -> Verdict:
    return judge((0, scene), (seconds, scene))


@pytest.mark.parametrize(("kind", "_why", "scene", "grace"), CASES, ids=[f"{kind}: {why}" for kind, why, _, _ in CASES])
def test_each_class_fails_after_its_grace_and_not_before(kind: str, _why: str, scene: Scene, grace: float) -> None:
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


@pytest.mark.parametrize(("kind", "_why", "scene", "grace"), CASES, ids=[f"{kind}: {why}" for kind, why, _, _ in CASES])
def test_patience_waits_for_every_class_and_haste_for_none(kind: str, _why: str, scene: Scene, grace: float) -> None:
    late = judge((0, scene), (grace * 3 + 1, scene), patience=Patience.PATIENT)
    assert (late.state, late.troubles[0].kind) == (State.PROGRESSING, kind)
    assert judge((0, scene), patience=Patience.NONE).reason == kind


def test_a_sign_of_a_wrong_reference_must_be_there_at_the_next_look_too() -> None:
    assert judge((0, pulling("InvalidImageName", "couldn't parse"))).state is State.PROGRESSING


@pytest.mark.parametrize("reason", ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"])
def test_an_event_whose_cause_has_gone_is_no_sign(reason: str) -> None:
    failed = event("web-new-1", reason, "timed out", at=0)
    pulls = event("web-new-1", "Pulling", "Pulling image", at=20, type_="Normal")
    assert judge((0, with_new(blank(), failed)), (300, with_new(blank(), failed, pulls))).state is State.PROGRESSING
    prepared = blank()
    prepared["status"]["conditions"].append({"type": "PodReadyToStartContainers", "status": "True"})
    scene = with_new(prepared, failed)
    assert judge((0, scene), (300, scene)).state is State.PROGRESSING


@pytest.mark.parametrize("reason", ["Evicted", "Preempting", "NodeShutdown", "NodeAffinity", "Terminated"])
def test_a_pod_that_a_node_gave_up_is_replaced_and_no_sign(reason: str) -> None:
    gone = pod(container={"restartCount": 0}, ready_since=None, phase="Failed")
    gone["status"]["reason"] = reason
    assert after(with_new(gone), 300).state is State.PROGRESSING


def test_a_pod_on_a_lost_node_is_no_sign() -> None:
    lost = pod(container=running(), ready_since=None)
    lost["status"]["reason"] = "NodeLost"
    assert after(with_new(lost), 600).state is State.PROGRESSING


def test_seconds_of_a_crash_count_only_once_the_kubelet_backs_off() -> None:
    ended = {"ready": False, "restartCount": 1, "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}
    crashed, up = with_new(unready(ended)), with_new(unready(running(restarts=1, ready=False)))
    backing = with_new(unready(waiting("CrashLoopBackOff", "", restarts=1, last={"exitCode": 1})))
    assert judge((2, crashed), (10, up), (70, backing), (129, backing)).state is State.PROGRESSING
    assert judge((2, crashed), (10, up), (70, backing), (131, backing)).reason == "crash"
    assert judge((2, backing), (40, up), (61, up), (63, backing)).reason == "crash"


def test_a_sidecar_that_crashes_starts_again_whatever_its_pods_policy() -> None:
    ended = {"ready": False, "restartCount": 0, "state": {"terminated": {"exitCode": 2, "reason": "Error"}}}
    body = unready({"ready": False, "restartCount": 0, "state": {}}, init={"proxy": ended}, restart_policy="Never")
    body["spec"]["initContainers"][0]["restartPolicy"] = "Always"
    assert judge((2, with_new(body)), (30, with_new(body))).state is State.PROGRESSING


def quota(*, pods: list[Json], **strategy: str | int) -> Scene:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: cpu"}
    body = deployment(want=2, counts=(1, 2, 2, 3), conditions=[progressing("ReplicaSetUpdated")])
    body["spec"]["strategy"] = {"rollingUpdate": strategy}
    return Scene(body, [replica_set(want=2, available=1, conditions=[failure])], [pod(), *pods])


def test_a_quota_that_old_pods_hold_until_the_new_run_is_permanent_and_said() -> None:
    stuck = quota(pods=[old_pod()], maxUnavailable=0, maxSurge=1)
    assert after(stuck, 59).state is State.PROGRESSING
    found = after(stuck, 61)
    assert (found.state, found.reason) == (State.FAILED, "quota")
    assert found.hint == "old pods hold the quota until new ones are Ready: raise it, or let maxUnavailable be 1"


def test_a_quota_with_room_to_give_is_borne_for_longer_beside_a_ready_sibling() -> None:
    loose = quota(pods=[old_pod()], maxUnavailable=1, maxSurge=1)
    assert after(loose, 179).state is State.PROGRESSING
    assert after(loose, 181).hint == "kubectl describe resourcequota -n t"


def test_a_quota_that_an_ending_pod_frees_is_waited_for() -> None:
    assert after(quota(pods=[old_pod(deleting=True)], maxUnavailable="50%"), 500).state is State.PROGRESSING


def test_a_controller_that_cannot_make_a_replicaset_has_30_seconds_and_the_patient_longer() -> None:
    failing = [progressing("ReplicaSetCreateError", "hash collision", "False")]
    scene = Scene(deployment(counts=(0, 1, 1, 1), conditions=failing), [], [])
    assert after(scene, 29).state is State.PROGRESSING
    assert after(scene, 31).reason == "create-error"
    assert judge((0, scene), (300, scene), patience=Patience.PATIENT).state is State.PROGRESSING


def test_a_replicaset_that_is_there_is_not_the_one_that_could_not_be_made() -> None:
    failing = [progressing("ReplicaSetCreateError", "hash collision", "False")]
    body = deployment(counts=(0, 1, 1, 1), conditions=failing)
    assert after(Scene(body, [replica_set(available=0)], []), 100).state is State.PROGRESSING
    assert after(Scene(body, None, None, None), 100).state is State.PROGRESSING
