"""The three patch formats."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.patches import json_patch, merge_patch, strategic_patch
from homelab.lab.kubernetes.refusals import Refusal


def test_a_merge_patch_merges_removes_and_replaces_lists():
    item = {"a": {"b": 1, "c": 2}, "d": [1, 2]}
    assert merge_patch(item, {"a": {"b": None, "e": 3}, "d": [9]}) == {"a": {"c": 2, "e": 3}, "d": [9]}


def test_a_json_patch_does_as_told():
    item = {"spec": {"replicas": 1}}
    patch = [
        {"op": "test", "path": "/spec/replicas", "value": 1},
        {"op": "replace", "path": "/spec/replicas", "value": 2},
    ]
    assert json_patch(item, patch) == {"spec": {"replicas": 2}}
    assert item == {"spec": {"replicas": 1}}


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ([{"op": "test", "path": "/spec/replicas", "value": 7}], 422),
        ([{"op": "remove", "path": "/nothing"}], 422),
        ({"spec": {}}, 400),
    ],
)
def test_a_json_patch_that_does_not_fit_is_refused(patch, code):
    with pytest.raises(Refusal) as refusal:
        json_patch({"spec": {"replicas": 1}}, patch)
    assert refusal.value.code == code


def pod(*containers: dict) -> dict:
    return {"spec": {"containers": list(containers)}}


APP = {"name": "app", "image": "a:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
SIDE = {"name": "side", "image": "s:1"}


def test_containers_merge_by_name():
    patch = pod({"name": "app", "image": "a:2"})
    assert strategic_patch(pod(APP, SIDE), patch) == pod({**APP, "image": "a:2"}, SIDE)


def test_environment_variables_merge_by_name():
    patch = pod({"name": "app", "env": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]})
    merged = strategic_patch(pod(APP), patch)["spec"]["containers"][0]["env"]
    assert [(one["name"], one["value"]) for one in merged] == [("A", "1"), ("B", "3"), ("C", "4")]


def test_an_element_can_be_deleted_by_its_key():
    patch = pod({"name": "side", "$patch": "delete"})
    assert strategic_patch(pod(APP, SIDE), patch) == pod(APP)


def test_set_element_order_puts_elements_in_order():
    patch = {
        "spec": {
            "$setElementOrder/containers": [{"name": "side"}, {"name": "app"}],
            "containers": [{"name": "app", "image": "a:2"}],
        }
    }
    names = [one["name"] for one in strategic_patch(pod(APP, SIDE), patch)["spec"]["containers"]]
    assert names == ["side", "app"]


def test_a_replace_directive_replaces():
    item = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$patch": "replace", "type": "Recreate"}}}
    assert strategic_patch(item, patch) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_retain_keys_drops_the_others():
    item = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic_patch(item, patch) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_finalizers_are_a_set():
    item = {"metadata": {"finalizers": ["a", "b"]}}
    assert strategic_patch(item, {"metadata": {"finalizers": ["b", "c"]}}) == {
        "metadata": {"finalizers": ["a", "b", "c"]}
    }
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}
    assert strategic_patch(item, patch) == {"metadata": {"finalizers": ["b"]}}


def test_null_removes_a_field():
    assert strategic_patch({"spec": {"a": 1, "b": 2}}, {"spec": {"a": None}}) == {"spec": {"b": 2}}


def test_lists_without_a_key_are_replaced_whole():
    item = {"spec": {"containers": [{"name": "app", "args": ["a", "b"]}]}}
    patch = {"spec": {"containers": [{"name": "app", "args": ["c"]}]}}
    assert strategic_patch(item, patch)["spec"]["containers"][0]["args"] == ["c"]
