"""Quantities, and pods that ask for more than there is."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.kinds import DEPLOYMENT
from homelab.lab.kubernetes.node.quantities import amount
from homelab.lab.kubernetes.objects import condition
from tests.lab.kubernetes.fakes import APP, VirtualLab, container, deployment


@pytest.mark.parametrize(
    ("text", "expected"), [("100m", 0.1), ("2", 2.0), (3, 3.0), ("1Ki", 1024.0), ("1.5Gi", 1.5 * 2**30), ("2k", 2000.0)]
)
def test_quantities_are_numbers(text, expected):
    assert amount(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["1X", "", "Gi"])
def test_what_is_no_quantity_is_an_error(text):
    with pytest.raises(ValueError, match=r"quantity|float"):
        amount(text)


def test_a_pod_that_asks_for_too_much_waits_until_there_is_room():
    lab = VirtualLab({"v1": {}})
    body = deployment(f"{APP}:v1", replicas=2)
    asked = {"resources": {"requests": {"cpu": "10"}}}
    body["spec"]["template"]["spec"]["containers"] = [container(f"{APP}:v1", **asked)]
    lab.create(DEPLOYMENT, body)
    lab.run(5)
    pending = [pod for pod in lab.pods() if pod["status"]["phase"] == "Pending"]
    assert len(pending) == 1
    assert "0/1 nodes are available: 1 Insufficient cpu." in condition(pending[0], "PodScheduled")["message"]
    lab.change(DEPLOYMENT, replicas=1)
    lab.run(5)
    assert [pod["status"]["phase"] for pod in lab.pods()] == ["Running"]
