"""What a look costs, and what it may claim: requests are counted, denials are remembered."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from homelab.deploy.model import Snapshot, Workload
from homelab.deploy.snapshot import FEW, Observer
from homelab.errors import PermissionMissing
from homelab.settings.model import DeployTarget
from tests.deploy.fakes import FakeCluster, Objects
from tests.deploy.objects import Json, deployment, old_pod, pod, replica_set
from tests.deploy.test_kinds import daemon, daemons
from tests.deploy.test_wait import AFTER, MOVING
from tests.fakes import FakeClock

WEB = DeployTarget("t", "web")


def observer(
    clock: FakeClock, objects: Objects, *targets: DeployTarget, deny: str = ""
) -> tuple[FakeCluster, Observer]:
    denied = frozenset(deny.split(", ")) if deny else frozenset[str]()
    cluster = FakeCluster(clock, [(0, objects)], deny=denied)
    return cluster, Observer(cluster, "t", targets or [WEB], clock=clock)


def look(found: Observer, *targets: DeployTarget, wants: bool = True) -> Mapping[DeployTarget, Snapshot]:
    def wanted(_target: DeployTarget, _workload: Workload) -> bool:
        return wants

    return found.look(targets or [WEB], wants_details=wanted)


def many(count: int) -> Objects:
    """Deployments of one pod each."""
    objects: Objects = {"deployments": [], "replicasets": [], "pods": []}
    for number in range(count):
        body = deployment(uid=f"dep-{number}")
        body["metadata"]["name"] = f"web-{number}"
        objects["deployments"].append(body)
        objects["replicasets"].append(replica_set(name=f"set-{number}", owned=f"dep-{number}"))
        objects["pods"].append(pod(f"pod-{number}", owned=f"set-{number}"))
    return objects


def test_a_workload_whose_pods_do_not_matter_yet_costs_one_request(clock: FakeClock) -> None:
    cluster, found = observer(clock, AFTER)
    look(found, wants=False)
    assert cluster.asked == ["get /apis/apps/v1/namespaces/t/deployments/web"]


def test_a_finished_looking_workload_is_proven_by_a_fresh_look_each_time(clock: FakeClock) -> None:
    _, found = observer(clock, AFTER)
    assert look(found)[WEB].fresh
    assert look(found)[WEB].fresh


def test_a_moving_workload_keeps_its_details_for_a_while(clock: FakeClock) -> None:
    cluster, found = observer(clock, MOVING)
    assert look(found)[WEB].fresh
    before = len(cluster.asked)
    second = look(found)[WEB]
    assert (second.fresh, len(cluster.asked) - before) == (False, 1)
    assert second.pods is not None
    assert len(second.pods) == 2
    clock.sleep(2)
    assert look(found)[WEB].fresh


def test_many_pods_are_read_again_only_every_five_seconds_while_nothing_is_counted(clock: FakeClock) -> None:
    pods = [pod(f"web-new-{number}", ready_since=None) for number in range(40)]
    _, found = observer(clock, {**MOVING, "pods": pods})
    assert look(found)[WEB].fresh
    clock.sleep(4)
    assert not look(found)[WEB].fresh
    clock.sleep(1)
    assert look(found)[WEB].fresh


def test_pods_of_strangers_under_the_same_labels_are_not_ours(clock: FakeClock) -> None:
    stranger = pod("other-1", owned="somebody")
    _, found = observer(clock, {**AFTER, "pods": [pod(), old_pod(), stranger]})
    pods = look(found)[WEB].pods
    assert pods is not None
    assert [one.name for one in pods] == ["web-new-1", "web-old-1"]


def test_an_absent_workload_is_a_snapshot_without_one(clock: FakeClock) -> None:
    _, found = observer(clock, {})
    assert look(found)[WEB].workload is None


def test_what_is_denied_is_said_and_not_asked_again(clock: FakeClock) -> None:
    cluster, found = observer(clock, AFTER, deny="list pods")
    assert look(found)[WEB].pods is None
    look(found)
    assert cluster.asked.count("list /api/v1/namespaces/t/pods") == 1
    assert look(found)[WEB].skipped == ("no pods proof: list pods forbidden",)


def test_a_denied_workload_is_an_error(clock: FakeClock) -> None:
    _, found = observer(clock, AFTER, deny="get deployments")
    with pytest.raises(PermissionMissing):
        look(found)


def test_many_targets_share_three_lists(clock: FakeClock) -> None:
    targets = [DeployTarget("t", f"web-{number}") for number in range(20)]
    cluster, found = observer(clock, many(20), *targets)
    snapshots = look(found, *targets)
    assert len(cluster.asked) == 3
    assert all(snapshot.fresh and len(snapshot.pods or ()) == 1 for snapshot in snapshots.values())
    assert {pod.name for pod in snapshots[targets[7]].pods or ()} == {"pod-7"}


def test_many_targets_are_read_one_by_one_where_listing_is_denied(clock: FakeClock) -> None:
    targets = [DeployTarget("t", f"web-{number}") for number in range(FEW + 1)]
    cluster, found = observer(clock, many(FEW + 1), *targets, deny="list deployments")
    assert all(snapshot.workload is not None for snapshot in look(found, *targets).values())
    look(found, *targets)
    assert cluster.asked.count("list /apis/apps/v1/namespaces/t/deployments") == 1


def test_nodes_are_read_only_where_they_may_be_left_out(clock: FakeClock) -> None:
    target = DeployTarget("t", "web", "daemonset")
    node: Json = {"metadata": {"name": "node-0"}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    objects = {"daemonsets": [daemons(want=1, updated=1, available=1)], "pods": [daemon(0)], "controllerrevisions": []}
    cluster = FakeCluster(clock, [(0, objects)])
    cluster.nodes = [node]
    plain = Observer(cluster, "t", [target], clock=clock)
    assert look(plain, target)[target].nodes is None
    leaving = Observer(cluster, "t", [target], clock=clock, with_nodes=True)
    found = look(leaving, target)[target].nodes
    assert found is not None
    assert [(one.name, one.ready) for one in found] == [("node-0", False)]
