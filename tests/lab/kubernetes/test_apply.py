"""Server-side apply: ownership and conflicts."""

from __future__ import annotations

import json

import pytest

from homelab.lab.kubernetes.apply import applied
from homelab.lab.kubernetes.ownership import Writer, managers, owned, updated
from homelab.lab.kubernetes.refusals import Refusal

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
BASE = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}


def intent(**spec: object) -> dict:
    return {**BASE, "spec": spec}


def apply(item: dict, wanted: dict, manager: str = "ours", *, force: bool = False) -> dict:
    return applied(item, wanted, manager=manager, force=force, now=0.0, part="")


def containers(**images: str) -> dict:
    found = [{"name": name, "image": image} for name, image in images.items()]
    return {"template": {"spec": {"containers": found}}}


def test_an_applier_owns_what_it_set():
    item = apply(BASE, intent(replicas=2, **containers(app="a:1")))
    (entry,) = managers(item)
    assert (entry["manager"], entry["operation"]) == ("ours", "Apply")
    assert owned(entry) == {
        ("f:spec", "f:replicas"),
        ("f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"app"}', "f:image"),
        ("f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"app"}', "f:name"),
    }


def test_another_value_for_an_owned_field_conflicts():
    item = apply(BASE, intent(replicas=2))
    with pytest.raises(Refusal) as refusal:
        apply(item, intent(replicas=3), "theirs")
    assert refusal.value.code == 409
    assert refusal.value.message == 'Apply failed with 1 conflict: conflict with "ours": .spec.replicas'
    assert refusal.value.details["causes"][0] == {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "ours"',
        "field": ".spec.replicas",
    }


def test_the_same_value_is_shared():
    item = apply(apply(BASE, intent(replicas=2)), intent(replicas=2), "theirs")
    assert [entry["manager"] for entry in managers(item)] == ["ours", "theirs"]


def test_force_takes_over():
    item = apply(apply(BASE, intent(replicas=2)), intent(replicas=3), "theirs", force=True)
    assert item["spec"]["replicas"] == 3
    assert [entry["manager"] for entry in managers(item)] == ["theirs"]


def test_a_field_left_out_by_its_only_owner_is_removed():
    item = apply(BASE, intent(replicas=2, paused=True))
    assert apply(item, intent(replicas=2))["spec"] == {"replicas": 2}


def test_a_field_left_out_stays_when_somebody_else_owns_it():
    item = apply(apply(BASE, intent(replicas=2)), intent(replicas=2), "theirs")
    assert apply(item, intent())["spec"]["replicas"] == 2


def test_a_list_element_left_out_is_removed():
    item = apply(BASE, intent(**containers(app="a:1", side="s:1")))
    left = apply(item, intent(**containers(app="a:2")))["spec"]["template"]["spec"]["containers"]
    assert left == [{"name": "app", "image": "a:2"}]


def test_what_nobody_applied_is_left_alone():
    item = {**BASE, "spec": {"replicas": 1, "strategy": {"type": "Recreate"}}}
    assert apply(item, intent(replicas=2))["spec"] == {"replicas": 2, "strategy": {"type": "Recreate"}}


def test_kubectl_takes_over_what_it_applied_on_the_clients_side():
    last = json.dumps(intent(replicas=2))
    before = {**BASE, "metadata": {"name": "web", "annotations": {LAST_APPLIED: last}}, "spec": {"replicas": 2}}
    item = updated({"metadata": {}}, before, Writer("kubectl-client-side-apply", "Update"), 0.0)
    assert apply(item, intent(replicas=3), "kubectl")["spec"]["replicas"] == 3
    with pytest.raises(Refusal, match="kubectl-client-side-apply"):
        apply(item, intent(replicas=3), "somebody")
