"""Faults: which requests they hit, and how often."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.faults import Fault, Faults, read_fields
from homelab.lab.kubernetes.refusals import Refusal
from homelab.lab.kubernetes.requests import read_path

GET = read_path("GET", "/apis/apps/v1/namespaces/demo/deployments/web", watch=False)
LIST = read_path("GET", "/api/v1/namespaces/demo/pods", watch=False)


def test_a_fault_without_conditions_hits_everything():
    assert Fault().hits(GET)
    assert Fault().hits(LIST)


def test_a_fault_hits_what_it_names():
    fault = Fault(verbs=("get",), resources=("deployments",), names=("web",))
    assert fault.hits(GET)
    assert not fault.hits(LIST)


def test_a_fault_is_used_up():
    faults = Faults([Fault(code=500, times=2)])
    assert [faults.take(GET) is not None for _ in range(3)] == [True, True, False]


def test_too_many_requests_says_when_to_come_back():
    refusal = Fault(code=429, retry_after=7).refusal()
    assert (refusal.code, refusal.headers["Retry-After"], refusal.details["retryAfterSeconds"]) == (429, "7", 7)


def test_a_fault_is_read_from_json():
    assert read_fields(Fault, {"code": 503, "verbs": ["list"], "times": 1}) == Fault(code=503, verbs=("list",), times=1)


def test_an_unknown_field_is_refused():
    with pytest.raises(Refusal, match="not a fault"):
        read_fields(Fault, {"colour": "red"})


def test_requests_are_counted_by_verb_and_resource():
    faults = Faults()
    for asked in (GET, GET, LIST):
        faults.count(asked)
    assert faults.counts == {"get deployments": 2, "list pods": 1}
