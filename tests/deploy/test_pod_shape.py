"""Pods and events as records: what the kubelet left out means nothing."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.deploy import pod_shape
from tests.deploy.objects import T0, event, pod, stamp


def test_a_native_sidecar_is_an_init_container_that_stays() -> None:
    body = pod(init={"proxy": {"ready": True, "state": {"running": {}}}, "migrate": {"ready": True}})
    body["spec"]["initContainers"][0]["restartPolicy"] = "Always"
    _, proxy, migrate = pod_shape.pod(body).containers
    assert (proxy.sidecar, proxy.running, migrate.sidecar) == (True, True, False)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"series": {"lastObservedTime": stamp(9), "count": 7}}, (7, T0 + 9)),
        ({"lastTimestamp": None, "eventTime": stamp(4)}, (1, T0 + 4)),
        ({"lastTimestamp": None, "firstTimestamp": None}, (1, T0)),
    ],
    ids=["series", "event time", "creation"],
)
def test_an_events_last_stamp_is_the_first_that_is_not_null(fields: Any, expected: tuple[int, float]) -> None:
    found = pod_shape.happening({**event("x", "R", "m"), **fields})
    assert (found.count, found.last) == expected
