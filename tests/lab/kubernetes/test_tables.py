"""The columns kubectl shows."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.kinds import DEPLOYMENT, EVENT, NODE, POD, REPLICA_SET
from homelab.lab.kubernetes.tables import render_table, wants_table
from tests.lab.kubernetes.fakes import APP, VirtualLab, deployment

AS_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def shown(lab: VirtualLab, kind, *, wide: bool = False) -> list[dict]:
    table = render_table(kind, lab.store.list(kind), lab.clock.now(), version=1)
    heads = [(column["name"], column["priority"]) for column in table["columnDefinitions"]]
    rows = []
    for row in table["rows"]:
        assert len(row["cells"]) == len(heads)
        rows.append(
            {name: cell for (name, hidden), cell in zip(heads, row["cells"], strict=True) if wide or not hidden}
        )
    return rows


@pytest.fixture
def lab() -> VirtualLab:
    lab = VirtualLab({"v1": {}, "crash": {"homelab.lab/crash-after": "1"}})
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1", replicas=2))
    lab.run(10)
    return lab


def test_a_table_is_given_to_who_asks_for_it_first():
    assert wants_table(AS_TABLE)
    assert not wants_table("application/json")
    assert not wants_table("application/json, application/json;as=Table")


def test_deployments_show_their_counters(lab):
    assert shown(lab, DEPLOYMENT) == [{"Name": "web", "Ready": "2/2", "Up-to-date": 2, "Available": 2, "Age": "10s"}]


def test_wide_deployments_show_their_images(lab):
    (row,) = shown(lab, DEPLOYMENT, wide=True)
    assert (row["Containers"], row["Images"], row["Selector"]) == ("app", f"{APP}:v1", "app=web")


def test_replica_sets_and_nodes_have_their_columns(lab):
    (row,) = shown(lab, REPLICA_SET)
    assert (row["Desired"], row["Current"], row["Ready"]) == (2, 2, 2)
    (row,) = shown(lab, NODE)
    assert (row["Name"], row["Status"], row["Roles"]) == ("lab-1", "Ready", "control-plane")


def test_a_crashing_pod_shows_its_reason_and_restarts(lab):
    lab.set_image("crash")
    lab.run(6.5)
    crashing = [row for row in shown(lab, POD) if row["Status"] == "CrashLoopBackOff"]
    assert crashing
    assert "ago)" in crashing[0]["Restarts"]


def test_a_pod_that_cannot_pull_and_one_on_its_way_out_say_so(lab):
    lab.set_image("nope")
    lab.run(2)
    assert {"Running", "ImagePullBackOff"} == {row["Status"] for row in shown(lab, POD)}
    lab.api.delete(POD, "demo", lab.pods()[0]["metadata"]["name"])
    assert "Terminating" in {row["Status"] for row in shown(lab, POD)}


def test_events_show_reason_object_and_message(lab):
    row = next(row for row in shown(lab, EVENT) if row["Reason"] == "ScalingReplicaSet")
    assert row["Object"] == "deployment/web"
    assert row["Message"].startswith("Scaled up replica set web-")
