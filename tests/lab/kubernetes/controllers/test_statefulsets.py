"""The StatefulSet controller, run through virtual time."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.kinds import CLAIM, DAEMON_SET, POD, REVISION, STATEFUL_SET
from tests.lab.kubernetes.fakes import APP, VirtualLab, container, waiting, workload

PROBE = {"httpGet": {"port": 8080}, "periodSeconds": 1}


@pytest.fixture
def lab() -> VirtualLab:
    return VirtualLab({"v1": {}, "v2": {}, "v3": {}, "deaf": {"homelab.lab/ready-after": "never"}})


def start(lab: VirtualLab, tag: str = "v1", **spec: object) -> None:
    lab.create(STATEFUL_SET, workload("StatefulSet", f"{APP}:{tag}", serviceName="web", **spec))
    lab.run(10)


def tags(lab: VirtualLab) -> dict[str, str]:
    """Pod name to image tag."""
    return {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"].rpartition(":")[2] for pod in lab.pods()}


def status(lab: VirtualLab) -> dict:
    return lab.get(STATEFUL_SET)["status"]


def test_pods_have_numbers_names_and_their_revision(lab):
    start(lab, replicas=2)
    assert sorted(tags(lab)) == ["web-0", "web-1"]
    labels = lab.get(POD, "web-1")["metadata"]["labels"]
    assert labels["controller-revision-hash"] == status(lab)["updateRevision"] == status(lab)["currentRevision"]
    assert labels["statefulset.kubernetes.io/pod-name"] == "web-1"
    assert lab.get(POD, "web-1")["spec"]["hostname"] == "web-1"


def test_ordered_pods_start_one_after_the_other(lab):
    lab.create(STATEFUL_SET, workload("StatefulSet", f"{APP}:v1", replicas=3))
    most = 0
    for _ in range(100):
        lab.run(0.02)
        most = max(most, sum(pod["status"]["phase"] != "Running" for pod in lab.pods()))
    assert most == 1
    assert status(lab)["readyReplicas"] == 3


def test_parallel_pods_start_together(lab):
    lab.create(STATEFUL_SET, workload("StatefulSet", f"{APP}:v1", replicas=3, podManagementPolicy="Parallel"))
    lab.run(0.05)
    assert len(lab.pods()) == 3


def test_ordinals_begin_where_they_are_told(lab):
    start(lab, replicas=2, ordinals={"start": 5})
    assert sorted(tags(lab)) == ["web-5", "web-6"]


def test_an_update_goes_from_the_highest_to_the_lowest(lab):
    start(lab, replicas=3)
    lab.set_image("v2", STATEFUL_SET)
    order = []
    for _ in range(400):
        lab.run(0.02)
        order += [name for name, tag in sorted(tags(lab).items()) if tag == "v2" and name not in order]
    assert order == ["web-2", "web-1", "web-0"]
    assert status(lab)["currentRevision"] == status(lab)["updateRevision"]
    assert (status(lab)["updatedReplicas"], status(lab)["currentReplicas"]) == (3, 3)


def test_a_partition_holds_the_lower_ordinals_back(lab):
    start(lab, replicas=3)
    lab.change(STATEFUL_SET, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}})
    lab.set_image("v2", STATEFUL_SET)
    lab.run(20)
    assert tags(lab) == {"web-0": "v1", "web-1": "v1", "web-2": "v2"}
    assert status(lab)["updatedReplicas"] == 1
    assert status(lab)["currentRevision"] != status(lab)["updateRevision"]


def test_a_pod_below_the_partition_comes_back_in_its_old_revision(lab):
    start(lab, replicas=2)
    lab.change(STATEFUL_SET, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 1}})
    lab.set_image("v2", STATEFUL_SET)
    lab.run(10)
    lab.api.delete(POD, "demo", "web-0")
    lab.run(10)
    assert tags(lab) == {"web-0": "v1", "web-1": "v2"}


def test_on_delete_changes_only_what_is_deleted(lab):
    start(lab, replicas=2, updateStrategy={"type": "OnDelete"})
    lab.set_image("v2", STATEFUL_SET)
    lab.run(10)
    assert set(tags(lab).values()) == {"v1"}
    lab.api.delete(POD, "demo", "web-0")
    lab.run(10)
    assert tags(lab) == {"web-0": "v2", "web-1": "v1"}
    assert status(lab)["currentRevision"] != status(lab)["updateRevision"]


def test_a_broken_pod_of_an_old_revision_blocks_the_fix(lab):
    start(lab, "missing", replicas=2)
    lab.set_image("v1", STATEFUL_SET)
    lab.run(120)
    assert tags(lab) == {"web-0": "missing"}
    assert waiting(lab.get(POD, "web-0"))["reason"] == "ImagePullBackOff"
    lab.api.delete(POD, "demo", "web-0")
    lab.run(20)
    assert tags(lab) == {"web-0": "v1", "web-1": "v1"}


def test_a_parallel_set_is_not_blocked(lab):
    start(lab, "missing", replicas=2, podManagementPolicy="Parallel")
    lab.set_image("v1", STATEFUL_SET)
    lab.run(60)
    assert tags(lab) == {"web-0": "v1", "web-1": "v1"}


def test_an_update_waits_at_a_pod_that_is_not_ready(lab):
    body = workload("StatefulSet", f"{APP}:v1", replicas=2)
    body["spec"]["template"]["spec"]["containers"] = [container(f"{APP}:v1", readinessProbe=PROBE)]
    lab.create(STATEFUL_SET, body)
    lab.run(10)
    lab.set_image("deaf", STATEFUL_SET)
    lab.run(60)
    assert tags(lab) == {"web-0": "v1", "web-1": "deaf"}
    assert status(lab)["readyReplicas"] == 1


def test_scaling_down_takes_the_highest_first(lab):
    start(lab, replicas=3)
    lab.change(STATEFUL_SET, replicas=1)
    lab.run(10)
    assert sorted(tags(lab)) == ["web-0"]


def test_going_back_brings_the_old_revision_to_the_front(lab):
    start(lab)
    for tag in ("v2", "v1"):
        lab.set_image(tag, STATEFUL_SET)
        lab.run(10)
    revisions = lab.store.list(REVISION, "demo")
    assert sorted(one["revision"] for one in revisions) == [2, 3]
    newest = max(revisions, key=lambda one: one["revision"])
    assert newest["metadata"]["name"] == status(lab)["updateRevision"]
    assert newest["data"]["spec"]["template"]["spec"]["containers"][0]["image"] == f"{APP}:v1"


def test_revisions_beyond_the_limit_are_forgotten(lab):
    start(lab, revisionHistoryLimit=1)
    for tag in ("v2", "v3"):
        lab.set_image(tag, STATEFUL_SET)
        lab.run(10)
    assert len(lab.store.list(REVISION, "demo")) == 2


def test_each_pod_gets_its_own_claim_and_keeps_it(lab):
    claims = [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]
    start(lab, replicas=2, volumeClaimTemplates=claims)
    assert [claim["metadata"]["name"] for claim in lab.store.list(CLAIM, "demo")] == ["data-web-0", "data-web-1"]
    lab.api.delete(STATEFUL_SET, "demo", "web")
    lab.run(10)
    assert len(lab.store.list(CLAIM, "demo")) == 2
    assert lab.pods() == []


def test_creation_is_told_in_events(lab):
    start(lab)
    assert lab.messages("SuccessfulCreate") == ["create Pod web-0 in StatefulSet web successful"]


def test_available_waits_for_min_ready_seconds(lab):
    start(lab, minReadySeconds=30)
    assert (status(lab)["readyReplicas"], status(lab)["availableReplicas"]) == (1, 0)
    lab.run(30)
    assert status(lab)["availableReplicas"] == 1


def test_a_daemon_set_of_the_same_name_and_template_is_not_in_the_way(lab):
    lab.create(DAEMON_SET, workload("DaemonSet", f"{APP}:v1"))
    lab.run(5)
    start(lab)
    assert status(lab)["readyReplicas"] == 1
    assert len(lab.store.list(REVISION, "demo")) == 2
