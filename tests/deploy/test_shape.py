"""API dictionaries as records: absent and null mean nothing, odd spellings mean what they mean."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.deploy import pod_shape, shape
from tests.deploy.objects import T0, deployment, replica_set, stamp, template


def test_an_empty_object_is_readable() -> None:
    assert shape.workload("deployment", {}).want == 1
    assert pod_shape.pod({}).phase == "Pending"
    assert shape.replica_set({}).number == 0
    assert pod_shape.happening({}).count == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [("2023-11-14T22:13:20Z", T0), ("2023-11-14T22:13:20.000000Z", T0), (None, None), ("soon", None), (5, None)],
)
def test_a_stamp_is_seconds_or_nothing(value: object, expected: float | None) -> None:
    assert expected == shape.moment(value)


def test_a_servers_clock_that_is_ahead_is_set_back() -> None:
    assert shape.moment(stamp(0), skew=30.0) == T0 - 30


@pytest.mark.parametrize(("value", "expected"), [(3, 3), ("4", 4), (None, 0), ("a1", 0)])
def test_numbers_come_as_numbers_or_text(value: object, expected: int) -> None:
    assert expected == shape.number(value)


def test_replicas_absent_is_one_and_null_status_is_zero() -> None:
    found = shape.workload("deployment", deployment(want=None))
    assert found.want == 1
    assert shape.workload("deployment", deployment(want=0)).want == 0


def test_a_deadline_that_is_switched_off_is_none() -> None:
    assert shape.workload("deployment", deployment()).deadline == 600.0
    assert shape.workload("deployment", deployment(progressDeadlineSeconds=2_147_483_647)).deadline is None


def test_the_fingerprint_ignores_only_what_controllers_add() -> None:
    plain, hashed, other = template("a:1"), template("a:1"), template("a:2")
    hashed["metadata"]["labels"]["pod-template-hash"] = "abc"
    assert shape.fingerprint(plain) == shape.fingerprint(hashed)
    assert shape.fingerprint(plain) != shape.fingerprint(other)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, "a in (1,2)"),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, "a notin (1)"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "DoesNotExist"}]}, "a,!b"),
        (None, ""),
    ],
)
def test_a_selector_is_written_as_the_api_takes_it(chosen: Any, expected: str) -> None:
    assert expected == shape.selector({"selector": chosen})


def test_only_the_controller_owns() -> None:
    owners = [{"uid": "friend", "controller": False}, {"uid": "boss", "controller": True}]
    assert shape.owned_by({"metadata": {"ownerReferences": owners}}) == "boss"
    assert shape.owned_by({"metadata": {"ownerReferences": owners[:1]}}) == ""
    assert shape.owned_by(replica_set()) == "dep"


def test_a_containers_environment_may_name_its_commit() -> None:
    made = {
        "metadata": {"labels": {"app.kubernetes.io/version": "1.4"}},
        "spec": {
            "containers": [
                {
                    "name": "a",
                    "image": "r/a",
                    "env": [{"name": "GIT_COMMIT", "value": "abc"}, {"name": "X", "value": "y"}],
                },
                {"name": "b", "image": "r/b", "env": [{"name": "GIT_SHA", "valueFrom": {}}]},
            ]
        },
    }
    assert [container.marks for container in shape.containers(made)] == [("1.4", "abc"), ("1.4",)]
