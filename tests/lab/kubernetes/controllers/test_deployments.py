"""The Deployment controller, run through virtual time."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.kinds import DEPLOYMENT, POD, REPLICA_SET
from homelab.lab.kubernetes.objects import condition
from tests.lab.kubernetes.fakes import APP, VirtualLab, deployment

REVISION = "deployment.kubernetes.io/revision"


@pytest.fixture
def lab() -> VirtualLab:
    return VirtualLab({"v1": {}, "v2": {}, "v3": {}, "crash": {"homelab.lab/crash-after": "1"}})


def rolled_out(lab: VirtualLab, tag: str = "v1", **spec: object) -> None:
    lab.create(DEPLOYMENT, deployment(f"{APP}:{tag}", **spec))
    lab.run(10)


def test_a_new_deployment_runs_its_pods_and_says_so(lab):
    rolled_out(lab, replicas=3)
    status = lab.get(DEPLOYMENT)["status"]
    counters = {key: value for key, value in status.items() if key != "conditions"}
    assert counters == {
        "observedGeneration": 1,
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
    }
    name = lab.replica_sets()["v1"]["metadata"]["name"]
    assert lab.progressing()["reason"] == "NewReplicaSetAvailable"
    assert lab.progressing()["message"] == f'ReplicaSet "{name}" has successfully progressed.'
    assert condition(lab.get(DEPLOYMENT), "Available")["status"] == "True"


def test_the_new_replica_set_carries_hash_owner_and_revision(lab):
    rolled_out(lab)
    item, owner = lab.replica_sets()["v1"], lab.get(DEPLOYMENT)
    hashed = item["metadata"]["labels"]["pod-template-hash"]
    assert item["metadata"]["name"] == f"web-{hashed}"
    assert item["spec"]["selector"]["matchLabels"]["pod-template-hash"] == hashed
    assert item["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"]
    assert item["metadata"]["annotations"][REVISION] == owner["metadata"]["annotations"][REVISION] == "1"
    assert all(pod["metadata"]["labels"]["pod-template-hash"] == hashed for pod in lab.pods())


def test_a_revision_annotation_does_not_move_the_generation(lab):
    rolled_out(lab)
    assert lab.get(DEPLOYMENT)["metadata"]["generation"] == 1


def test_a_rolling_update_never_leaves_fewer_than_allowed(lab):
    rolled_out(lab, replicas=4, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}})
    lab.set_image("v2")
    seen = []
    for _ in range(200):
        lab.run(0.02)
        status = lab.get(DEPLOYMENT)["status"]
        seen.append((status.get("availableReplicas", 0), status["replicas"]))
    assert min(available for available, _ in seen) >= 3
    assert max(total for _, total in seen) <= 5
    assert lab.get(DEPLOYMENT)["status"]["updatedReplicas"] == 4
    assert lab.replica_sets()["v1"]["spec"]["replicas"] == 0


def test_recreate_stops_every_old_pod_before_it_starts_a_new_one(lab):
    rolled_out(lab, replicas=2, strategy={"type": "Recreate"})
    lab.set_image("v2")
    tags = []
    for _ in range(100):
        lab.run(0.02)
        tags.append({pod["spec"]["containers"][0]["image"].rpartition(":")[2] for pod in lab.pods()})
    assert {"v1", "v2"} not in tags
    assert tags[-1] == {"v2"}


def test_a_paused_deployment_does_not_roll_and_says_so(lab):
    rolled_out(lab)
    lab.change(DEPLOYMENT, paused=True)
    lab.set_image("v2")
    lab.run(10)
    assert "v2" not in lab.replica_sets()
    assert (lab.progressing()["status"], lab.progressing()["reason"]) == ("Unknown", "DeploymentPaused")
    assert lab.get(DEPLOYMENT)["status"]["observedGeneration"] == 3


def test_resuming_rolls_what_was_held_back(lab):
    rolled_out(lab)
    lab.change(DEPLOYMENT, paused=True)
    lab.set_image("v2")
    lab.run(1)
    lab.change(DEPLOYMENT, paused=False)
    lab.run(10)
    assert lab.replica_sets()["v2"]["status"]["availableReplicas"] == 1


def test_a_rollout_without_progress_misses_its_deadline_and_names_the_replica_set(lab):
    rolled_out(lab, progressDeadlineSeconds=20)
    lab.set_image("missing")
    lab.run(15)
    assert lab.progressing()["reason"] == "ReplicaSetUpdated"
    lab.run(10)
    name = lab.replica_sets()["missing"]["metadata"]["name"]
    assert (lab.progressing()["status"], lab.progressing()["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert lab.progressing()["message"] == f'ReplicaSet "{name}" has timed out progressing.'


def test_a_deadline_that_is_switched_off_leaves_no_progressing_condition(lab):
    rolled_out(lab, progressDeadlineSeconds=2147483647)
    assert condition(lab.get(DEPLOYMENT), "Progressing") is None


def test_rolling_back_uses_the_old_replica_set_again_under_a_new_revision(lab):
    rolled_out(lab)
    before = lab.replica_sets()["v1"]["metadata"]["uid"]
    lab.set_image("v2")
    lab.run(10)
    lab.set_image("v1")
    lab.run(10)
    again = lab.replica_sets()["v1"]
    assert again["metadata"]["uid"] == before
    assert again["metadata"]["annotations"][REVISION] == "3"
    assert again["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert lab.get(DEPLOYMENT)["metadata"]["annotations"][REVISION] == "3"
    assert len(lab.replica_sets()) == 2


def test_rolling_back_after_a_missed_deadline_keeps_the_stale_condition_until_progress(lab):
    """With observedGeneration already current: the state that fools rollout tools."""
    rolled_out(lab, progressDeadlineSeconds=20)
    lab.set_image("missing")
    lab.run(40)
    stale = lab.replica_sets()["missing"]["metadata"]["name"]
    lab.set_image("v1")
    while lab.cluster.loop.step(1):
        item = lab.get(DEPLOYMENT)
        if item["status"]["observedGeneration"] == item["metadata"]["generation"]:
            break
    assert lab.progressing()["message"] == f'ReplicaSet "{stale}" has timed out progressing.'
    lab.run(10)
    assert lab.progressing()["reason"] == "NewReplicaSetAvailable"


def test_scaling_in_the_middle_of_a_rollout_shares_the_pods_out(lab):
    rolled_out(lab, replicas=4)
    lab.set_image("missing")
    lab.run(5)
    lab.change(DEPLOYMENT, replicas=8)
    lab.run(5)
    sizes = {tag: one["spec"]["replicas"] for tag, one in lab.replica_sets().items()}
    assert sum(sizes.values()) == 10
    assert sizes["v1"] > sizes["missing"] > 1


def test_a_scaled_deployment_counts_its_pods_without_a_rollout(lab):
    rolled_out(lab, replicas=1)
    lab.change(DEPLOYMENT, replicas=3)
    lab.run(5)
    assert lab.get(DEPLOYMENT)["status"]["availableReplicas"] == 3
    assert len(lab.replica_sets()) == 1


def test_available_waits_for_min_ready_seconds(lab):
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1", minReadySeconds=30))
    lab.run(10)
    status = lab.get(DEPLOYMENT)["status"]
    assert (status["readyReplicas"], status.get("availableReplicas", 0)) == (1, 0)
    lab.run(30)
    assert lab.get(DEPLOYMENT)["status"]["availableReplicas"] == 1


def test_scaling_is_told_in_events_of_the_deployment(lab):
    rolled_out(lab)
    name = lab.replica_sets()["v1"]["metadata"]["name"]
    told = lab.events("ScalingReplicaSet")
    assert [one["message"] for one in told] == [f"Scaled up replica set {name} from 0 to 1"]
    assert told[0]["involvedObject"]["uid"] == lab.get(DEPLOYMENT)["metadata"]["uid"]


def test_old_replica_sets_beyond_the_history_limit_are_deleted(lab):
    rolled_out(lab, revisionHistoryLimit=1)
    for tag in ("v2", "v3"):
        lab.set_image(tag)
        lab.run(10)
    assert sorted(lab.replica_sets()) == ["v2", "v3"]


def test_deleting_a_deployment_takes_its_replica_sets_and_pods_along(lab):
    rolled_out(lab, replicas=2)
    lab.api.delete(DEPLOYMENT, "demo", "web")
    lab.run(5)
    assert lab.store.list(REPLICA_SET, "demo") == lab.store.list(POD, "demo") == []


def test_a_frozen_controller_leaves_the_observed_generation_behind(lab):
    rolled_out(lab)
    lab.cluster.loop.frozen = {"deployment"}
    lab.set_image("v2")
    lab.run(10)
    item = lab.get(DEPLOYMENT)
    assert (item["metadata"]["generation"], item["status"]["observedGeneration"]) == (2, 1)
    lab.cluster.loop.frozen = set()
    lab.run(10)
    assert lab.get(DEPLOYMENT)["status"]["updatedReplicas"] == 1


def test_a_crash_after_ready_takes_availability_away_again(lab):
    rolled_out(lab, "crash")
    lab.run(20)
    assert lab.get(DEPLOYMENT)["status"].get("availableReplicas", 0) == 0
    assert lab.progressing()["reason"] == "NewReplicaSetAvailable"
