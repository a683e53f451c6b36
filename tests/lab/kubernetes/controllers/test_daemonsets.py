"""The DaemonSet controller, run through virtual time."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.kinds import DAEMON_SET, NODE, POD, REVISION
from homelab.lab.kubernetes.node.nodes import set_ready
from homelab.lab.kubernetes.objects import copy
from tests.lab.kubernetes.fakes import APP, VirtualLab, template, workload

EVERYWHERE = [{"operator": "Exists"}]


@pytest.fixture
def lab() -> VirtualLab:
    return VirtualLab({"v1": {}, "v2": {}}, nodes=3)


def start(lab: VirtualLab, tag: str = "v1", pod: dict | None = None, **spec: object) -> None:
    body = workload("DaemonSet", f"{APP}:{tag}", **spec)
    body["spec"]["template"] = template(f"{APP}:{tag}", **(pod or {}))
    lab.create(DAEMON_SET, body)
    lab.run(10)


def status(lab: VirtualLab) -> dict:
    return lab.get(DAEMON_SET)["status"]


def placed(lab: VirtualLab) -> dict[str, str]:
    """Node to image tag."""
    return {pod["spec"]["nodeName"]: pod["spec"]["containers"][0]["image"].rpartition(":")[2] for pod in lab.pods()}


def test_every_node_gets_one_pod(lab):
    start(lab)
    assert placed(lab) == {"lab-1": "v1", "lab-2": "v1", "lab-3": "v1"}
    assert status(lab) == {
        "observedGeneration": 1,
        "desiredNumberScheduled": 3,
        "currentNumberScheduled": 3,
        "numberMisscheduled": 0,
        "numberReady": 3,
        "updatedNumberScheduled": 3,
        "numberAvailable": 3,
    }


def test_pods_carry_the_hash_of_the_newest_revision(lab):
    start(lab)
    lab.set_image("v2", DAEMON_SET)
    lab.run(20)
    newest = max(lab.store.list(REVISION, "demo"), key=lambda one: one["revision"])
    wanted = newest["metadata"]["labels"]["controller-revision-hash"]
    assert newest["metadata"]["name"] == f"web-{wanted}"
    assert {pod["metadata"]["labels"]["controller-revision-hash"] for pod in lab.pods()} == {wanted}


def test_an_update_takes_one_node_at_a_time(lab):
    start(lab)
    lab.set_image("v2", DAEMON_SET)
    fewest = 3
    for _ in range(300):
        lab.run(0.02)
        fewest = min(fewest, status(lab)["numberAvailable"])
    assert fewest == 2
    assert placed(lab) == {"lab-1": "v2", "lab-2": "v2", "lab-3": "v2"}


def test_an_update_that_cannot_start_stops_at_the_first_node(lab):
    start(lab)
    lab.set_image("missing", DAEMON_SET)
    lab.run(60)
    assert sorted(placed(lab).values()) == ["missing", "v1", "v1"]
    assert (status(lab)["updatedNumberScheduled"], status(lab)["numberUnavailable"]) == (1, 1)


def test_a_surge_keeps_every_node_served(lab):
    start(lab, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    lab.set_image("v2", DAEMON_SET)
    fewest = 3
    for _ in range(300):
        lab.run(0.02)
        ready = {pod["spec"].get("nodeName") for pod in lab.pods() if pod["status"].get("phase") == "Running"}
        fewest = min(fewest, len(ready))
    assert fewest == 3
    assert set(placed(lab).values()) == {"v2"}


def test_on_delete_changes_only_what_is_deleted(lab):
    start(lab, updateStrategy={"type": "OnDelete"})
    lab.set_image("v2", DAEMON_SET)
    lab.run(10)
    assert set(placed(lab).values()) == {"v1"}
    gone = next(pod for pod in lab.pods() if pod["spec"]["nodeName"] == "lab-2")
    lab.api.delete(POD, "demo", gone["metadata"]["name"])
    lab.run(10)
    assert placed(lab) == {"lab-1": "v1", "lab-2": "v2", "lab-3": "v1"}


def test_a_node_selector_chooses_nodes(lab):
    start(lab, pod={"nodeSelector": {"kubernetes.io/hostname": "lab-2"}})
    assert placed(lab) == {"lab-2": "v1"}
    assert status(lab)["desiredNumberScheduled"] == 1


def test_no_node_that_fits_means_nothing_is_desired(lab):
    start(lab, pod={"nodeSelector": {"nowhere": "true"}})
    assert (status(lab)["desiredNumberScheduled"], lab.pods()) == (0, [])


def test_a_cordoned_node_is_still_served(lab):
    node = copy(lab.store.get(NODE, "", "lab-3"))
    node["spec"]["unschedulable"] = True
    lab.store.update(NODE, node)
    start(lab)
    assert len(placed(lab)) == 3


def test_a_node_that_is_not_ready_keeps_its_pod_and_is_no_longer_desired(lab):
    start(lab)
    set_ready(lab.api, "lab-1", ready=False)
    lab.run(10)
    assert len(lab.pods()) == 3
    assert (status(lab)["desiredNumberScheduled"], status(lab)["numberMisscheduled"]) == (2, 1)


def test_pods_that_tolerate_everything_hold_the_rollout_on_a_dead_node(lab):
    start(lab, pod={"tolerations": EVERYWHERE})
    set_ready(lab.api, "lab-1", ready=False)
    lab.set_image("v2", DAEMON_SET)
    lab.run(60)
    assert (status(lab)["desiredNumberScheduled"], status(lab)["numberAvailable"]) == (3, 2)
    assert status(lab)["updatedNumberScheduled"] == 1
