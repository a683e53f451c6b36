"""What becomes of pods on the node, run through virtual time."""

from __future__ import annotations

from itertools import pairwise

import pytest

from homelab.lab.kubernetes.kinds import DEPLOYMENT, NODE, POD
from homelab.lab.kubernetes.node.nodes import set_ready
from homelab.lab.kubernetes.objects import condition, copy
from tests.lab.kubernetes.fakes import APP, VirtualLab, container, deployment, template, waiting

IMAGES = {
    "v1": {"homelab.lab/log": "hello\nworld"},
    "crash": {"homelab.lab/crash-after": "2", "homelab.lab/exit-code": "3", "homelab.lab/last-log": "boom"},
    "once": {"homelab.lab/crash-after": "1", "homelab.lab/crashes": "1"},
    "oom": {"homelab.lab/oom-killed": "true", "homelab.lab/crash-after": "1"},
    "broken": {"homelab.lab/start-error": 'exec: "/app": permission denied'},
    "slow": {"homelab.lab/ready-after": "5"},
    "sick": {"homelab.lab/unready-after": "5"},
    "deaf": {"homelab.lab/ready-after": "never"},
    "stubborn": {"homelab.lab/stop-after": "60"},
    "done": {"homelab.lab/crash-after": "1", "homelab.lab/exit-code": "0"},
}
PROBE = {"httpGet": {"port": 8080}, "periodSeconds": 1}


@pytest.fixture
def lab() -> VirtualLab:
    return VirtualLab(IMAGES)


def start(lab: VirtualLab, tag: str, image: str = "", **more: object) -> None:
    body = deployment(image or f"{APP}:{tag}")
    body["spec"]["template"]["spec"]["containers"] = [container(image or f"{APP}:{tag}", **more)]
    lab.create(DEPLOYMENT, body)


def only_status(lab: VirtualLab) -> dict:
    return lab.pods()[0]["status"]["containerStatuses"][0]


def test_a_pod_is_scheduled_pulled_created_and_started_in_events(lab):
    start(lab, "v1")
    lab.run(5)
    about = [one for one in lab.events() if one["involvedObject"]["kind"] == "Pod"]
    about.sort(key=lambda one: int(one["metadata"]["resourceVersion"]))
    assert [one["reason"] for one in about] == ["Scheduled", "Pulling", "Pulled", "Created", "Started"]
    assert about[4]["involvedObject"]["fieldPath"] == "spec.containers{app}"
    assert about[4]["involvedObject"]["uid"] == lab.pods()[0]["metadata"]["uid"]


def test_a_running_container_names_the_digest_it_was_pulled_by(lab):
    start(lab, "v1")
    lab.run(5)
    assert only_status(lab)["image"] == f"{APP}:v1"
    assert only_status(lab)["imageID"].startswith(f"{APP}@sha256:")
    assert only_status(lab)["ready"] is True


def test_a_missing_image_is_named_first_by_the_pull_then_by_the_back_off(lab):
    start(lab, "nope")
    lab.run(0.2)
    text = (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{APP}:nope": '
        f'failed to resolve reference "{APP}:nope": {APP}:nope: not found'
    )
    assert waiting(lab.pods()[0]) == {"reason": "ErrImagePull", "message": text}
    lab.run(0.6)
    assert waiting(lab.pods()[0])["reason"] == "ImagePullBackOff"
    assert waiting(lab.pods()[0])["message"] == f'Back-off pulling image "{APP}:nope": ErrImagePull: {text}'
    assert lab.pods()[0]["status"]["phase"] == "Pending"


def test_a_missing_image_is_told_in_warnings(lab):
    start(lab, "nope")
    lab.run(10)
    told = lab.messages("Failed")
    assert told[0].startswith(f'Failed to pull image "{APP}:nope": rpc error')
    assert {"Error: ErrImagePull", "Error: ImagePullBackOff"} <= set(told)
    assert lab.messages("BackOff") == [f'Back-off pulling image "{APP}:nope"']
    assert lab.events("BackOff")[0]["count"] > 1


def test_an_image_that_is_pushed_late_is_found_at_the_next_try(lab):
    start(lab, "late")
    lab.run(3)
    lab.shelf.images[f"{APP}:late"] = {}
    lab.run(20)
    assert only_status(lab)["ready"] is True


def test_a_name_that_is_no_reference_is_never_pulled(lab):
    start(lab, "", image="registry.homelab.test/Demo/App:v1")
    lab.run(5)
    assert waiting(lab.pods()[0])["reason"] == "InvalidImageName"
    assert "repository name must be lowercase" in waiting(lab.pods()[0])["message"]
    assert lab.messages("InspectFailed") == [waiting(lab.pods()[0])["message"]]


def test_pull_policy_never_needs_the_image_on_the_node(lab):
    start(lab, "v1", imagePullPolicy="Never")
    lab.run(5)
    assert waiting(lab.pods()[0])["reason"] == "ErrImageNeverPull"


def test_a_crashing_container_restarts_at_once_and_then_backs_off(lab):
    start(lab, "crash")
    lab.run(3)
    assert only_status(lab)["restartCount"] == 1
    assert only_status(lab)["lastState"]["terminated"]["exitCode"] == 3
    lab.run(2)
    uid = lab.pods()[0]["metadata"]["uid"]
    name = lab.pods()[0]["metadata"]["name"]
    shown = f"pod={name}_demo({uid})"
    assert waiting(lab.pods()[0]) == {
        "reason": "CrashLoopBackOff",
        "message": f"back-off 1s restarting failed container=app {shown}",
    }
    assert lab.messages("BackOff") == [f"Back-off restarting failed container app in pod {name}_demo({uid})"]


def test_a_crashing_container_is_never_shown_as_being_made_again(lab):
    start(lab, "crash")
    seen, counts = [], []
    for _ in range(300):
        lab.run(0.05)
        if lab.pods() and lab.pods()[0]["status"].get("containerStatuses"):
            state = only_status(lab)["state"]
            word = state.get("waiting", {}).get("reason") or next(iter(state))
            seen += [word] if seen[-1:] != [word] else []
            counts.append((only_status(lab)["restartCount"], "running" in state))
    assert seen[:7] == [
        "ContainerCreating",
        "running",
        "terminated",
        "running",
        "CrashLoopBackOff",
        "running",
        "CrashLoopBackOff",
    ]
    risen = [now for before, now in pairwise(counts) if now[0] > before[0]]
    assert all(running for _, running in risen)


def test_crash_back_off_doubles_up_to_its_limit(lab):
    start(lab, "crash")
    waits = set()
    for _ in range(2000):
        lab.run(0.1)
        state = only_status(lab)["state"] if lab.pods() and lab.pods()[0]["status"].get("containerStatuses") else {}
        if state.get("waiting", {}).get("reason") == "CrashLoopBackOff":
            waits.add(state["waiting"]["message"].split()[1])
    assert waits == {"1s", "2s", "4s", "8s", "16s", "20s"}


def test_a_container_that_crashes_once_comes_back(lab):
    start(lab, "once")
    lab.run(20)
    assert (only_status(lab)["ready"], only_status(lab)["restartCount"]) == (True, 1)


def test_a_container_out_of_memory_says_so(lab):
    start(lab, "oom")
    lab.run(5)
    ended = only_status(lab)["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_a_container_that_cannot_start_says_why(lab):
    start(lab, "broken")
    lab.run(5)
    ended = only_status(lab)["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("StartError", 128)
    assert 'exec: "/app": permission denied' in ended["message"]


def test_without_a_readiness_probe_started_is_ready(lab):
    start(lab, "slow")
    lab.run(1)
    assert only_status(lab)["ready"] is True


def test_a_readiness_probe_waits_for_the_image(lab):
    start(lab, "slow", readinessProbe=PROBE)
    lab.run(4)
    assert (only_status(lab)["started"], only_status(lab)["ready"]) == (True, False)
    assert condition(lab.pods()[0], "Ready")["message"] == "containers with unready status: [app]"
    assert lab.messages("Unhealthy") == ["Readiness probe failed: HTTP probe failed with statuscode: 503"]
    lab.run(4)
    assert only_status(lab)["ready"] is True


def test_a_probe_that_never_passes_keeps_the_pod_running_and_unready(lab):
    start(lab, "deaf", readinessProbe=PROBE)
    lab.run(60)
    assert (lab.pods()[0]["status"]["phase"], only_status(lab)["ready"]) == ("Running", False)


def test_a_probe_that_begins_to_fail_takes_readiness_away(lab):
    start(lab, "sick", readinessProbe=PROBE)
    lab.run(3)
    assert only_status(lab)["ready"] is True
    lab.run(5)
    assert only_status(lab)["ready"] is False


def test_a_deleted_pod_stays_until_its_process_ends(lab):
    start(lab, "stubborn")
    lab.run(3)
    name = lab.pods()[0]["metadata"]["name"]
    lab.api.delete(POD, "demo", name)
    lab.run(5)
    assert lab.get(POD, name)["metadata"]["deletionGracePeriodSeconds"] == 30
    assert lab.messages("Killing") == ["Stopping container app"]
    lab.run(30)
    assert lab.store.find(POD, "demo", name) is None


def test_init_containers_run_one_after_the_other_before_the_rest(lab):
    body = deployment(f"{APP}:v1")
    body["spec"]["template"]["spec"]["initContainers"] = [{"name": "migrate", "image": f"{APP}:done"}]
    lab.create(DEPLOYMENT, body)
    lab.run(0.8)
    status = lab.pods()[0]["status"]
    assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == "PodInitializing"
    assert condition(lab.pods()[0], "Initialized")["status"] == "False"
    lab.run(5)
    status = lab.pods()[0]["status"]
    assert status["initContainerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
    assert only_status(lab)["ready"] is True


def test_a_crashing_init_container_keeps_the_pod_pending(lab):
    body = deployment(f"{APP}:v1")
    body["spec"]["template"]["spec"]["initContainers"] = [{"name": "migrate", "image": f"{APP}:crash"}]
    lab.create(DEPLOYMENT, body)
    lab.run(10)
    status = lab.pods()[0]["status"]
    assert status["phase"] == "Pending"
    assert status["initContainerStatuses"][0]["restartCount"] >= 1


def test_a_pod_that_is_not_restarted_succeeds_or_fails(lab):
    for tag in ("done", "crash"):
        spec = {"containers": [container(f"{APP}:{tag}")], "restartPolicy": "Never"}
        lab.create(POD, {"metadata": {"name": tag}, "spec": spec})
    lab.run(10)
    phases = {pod["metadata"]["name"]: pod["status"]["phase"] for pod in lab.pods()}
    assert phases == {"done": "Succeeded", "crash": "Failed"}


def test_pods_on_a_node_that_is_not_ready_are_not_ready_and_stay_so(lab):
    start(lab, "v1")
    lab.run(5)
    set_ready(lab.api, "lab-1", ready=False)
    lab.run(20)
    assert condition(lab.pods()[0], "Ready")["status"] == "False"
    assert lab.get(DEPLOYMENT)["status"].get("availableReplicas", 0) == 0
    set_ready(lab.api, "lab-1", ready=True)
    lab.run(5)
    assert condition(lab.pods()[0], "Ready")["status"] == "True"


def test_a_pod_that_fits_no_node_says_which_rule_it_missed(lab):
    body = deployment(f"{APP}:v1")
    body["spec"]["template"] = template(f"{APP}:v1", nodeSelector={"disk": "fast"})
    lab.create(DEPLOYMENT, body)
    lab.run(5)
    found = condition(lab.pods()[0], "PodScheduled")
    assert (found["status"], found["reason"]) == ("False", "Unschedulable")
    assert found["message"].startswith("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.")
    assert lab.messages("FailedScheduling") == [found["message"]]


def test_a_pod_is_scheduled_when_a_node_begins_to_fit(lab):
    body = deployment(f"{APP}:v1")
    body["spec"]["template"] = template(f"{APP}:v1", nodeSelector={"disk": "fast"})
    lab.create(DEPLOYMENT, body)
    lab.run(5)
    node = copy(lab.store.get(NODE, "", "lab-1"))
    node["metadata"]["labels"]["disk"] = "fast"
    lab.store.update(NODE, node)
    lab.run(5)
    assert only_status(lab)["ready"] is True


def test_a_gated_pod_waits_for_its_gates(lab):
    body = deployment(f"{APP}:v1")
    body["spec"]["template"] = template(f"{APP}:v1", schedulingGates=[{"name": "a.test/gate"}])
    lab.create(DEPLOYMENT, body)
    lab.run(5)
    assert condition(lab.pods()[0], "PodScheduled")["reason"] == "SchedulingGated"
