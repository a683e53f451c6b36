"""Objects as the wire shows them."""

from __future__ import annotations

from homelab.lab.kubernetes.kinds import DEPLOYMENT, EVENT, NEW_EVENT
from homelab.lab.kubernetes.shapes import listed, scale_of, shown
from tests.lab.kubernetes.fakes import APP, VirtualLab, deployment


def test_one_event_is_shown_by_both_apis():
    lab = VirtualLab({"v1": {}})
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    lab.run(5)
    event = lab.events("ScalingReplicaSet")[0]
    new = shown(NEW_EVENT, event)
    assert (new["apiVersion"], new["note"], new["regarding"]) == (
        "events.k8s.io/v1",
        event["message"],
        event["involvedObject"],
    )
    assert shown(EVENT, event) is event


def test_a_list_names_its_kind_and_version_and_its_items_do_not():
    item = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    body = listed(DEPLOYMENT, [item], 7)
    assert (body["kind"], body["apiVersion"], body["metadata"]) == (
        "DeploymentList",
        "apps/v1",
        {"resourceVersion": "7"},
    )
    assert body["items"] == [{"metadata": {"name": "web"}}]


def test_a_scale_names_replicas_and_selector():
    lab = VirtualLab({"v1": {}})
    scale = scale_of(lab.create(DEPLOYMENT, deployment(f"{APP}:v1", replicas=3)))
    assert (scale["kind"], scale["spec"]["replicas"], scale["status"]["selector"]) == ("Scale", 3, "app=web")
