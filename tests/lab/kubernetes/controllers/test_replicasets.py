"""The ReplicaSet controller, run through virtual time."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.kinds import DEPLOYMENT, POD, QUOTA, REPLICA_SET
from homelab.lab.kubernetes.objects import condition
from tests.lab.kubernetes.fakes import APP, VirtualLab, deployment, workload


@pytest.fixture
def lab() -> VirtualLab:
    return VirtualLab({"v1": {}, "v2": {}})


def limit_pods(lab: VirtualLab, most: int) -> None:
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"pods": str(most)}}}
    lab.create(QUOTA, quota)


def test_a_deleted_pod_is_replaced(lab):
    lab.create(REPLICA_SET, workload("ReplicaSet", f"{APP}:v1", replicas=2))
    lab.run(5)
    gone = lab.pods()[0]["metadata"]
    lab.api.delete(POD, "demo", gone["name"])
    lab.run(5)
    assert len(lab.pods()) == 2
    assert gone["uid"] not in [pod["metadata"]["uid"] for pod in lab.pods()]


def test_pods_that_are_not_ready_go_first(lab):
    lab.create(REPLICA_SET, workload("ReplicaSet", f"{APP}:v1", replicas=1))
    lab.run(5)
    kept = lab.pods()[0]["metadata"]["name"]
    lab.cluster.loop.frozen = {"kubelet"}
    lab.change(REPLICA_SET, replicas=3)
    lab.run(1)
    lab.change(REPLICA_SET, replicas=1)
    lab.run(1)
    lab.cluster.loop.frozen = set()
    lab.run(5)
    assert [pod["metadata"]["name"] for pod in lab.pods()] == [kept]


def test_a_quota_is_reported_on_the_replica_set_the_deployment_and_in_an_event(lab):
    limit_pods(lab, 1)
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1", replicas=2))
    lab.run(5)
    failure = condition(lab.replica_sets()["v1"], "ReplicaFailure")
    wanted = "is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1"
    assert failure["reason"] == "FailedCreate"
    assert failure["message"].endswith(wanted)
    assert condition(lab.get(DEPLOYMENT), "ReplicaFailure")["message"] == failure["message"]
    assert all(text.startswith('Error creating: pods "web-') for text in lab.messages("FailedCreate"))
    assert len(lab.pods()) == 1


def test_a_lifted_quota_lets_the_rest_start(lab):
    limit_pods(lab, 1)
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1", replicas=2))
    lab.run(5)
    lab.api.delete(QUOTA, "demo", "small")
    lab.run(60)
    assert lab.get(DEPLOYMENT)["status"]["availableReplicas"] == 2
    assert condition(lab.get(DEPLOYMENT), "ReplicaFailure") is None


def test_a_terminating_pod_counts_as_terminating_only(lab):
    lab.create(REPLICA_SET, workload("ReplicaSet", f"{APP}:v1", replicas=2))
    lab.run(5)
    lab.change(REPLICA_SET, replicas=1)
    lab.run(0.1)
    status = lab.get(REPLICA_SET)["status"]
    assert (status["replicas"], status["terminatingReplicas"]) == (1, 1)
    assert len(lab.pods()) == 2
