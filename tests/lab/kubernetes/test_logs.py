"""Log requests."""

from __future__ import annotations

import asyncio

import pytest

from homelab.lab.kubernetes.kinds import DEPLOYMENT
from homelab.lab.kubernetes.logs import find_run, read_log_request, stream
from homelab.lab.kubernetes.refusals import Refusal
from tests.lab.kubernetes.fakes import APP, VirtualLab, container, deployment


@pytest.fixture
def lab() -> VirtualLab:
    return VirtualLab(
        {
            "v1": {"homelab.lab/log": "one\ntwo"},
            "crash": {"homelab.lab/crash-after": "1", "homelab.lab/last-log": "boom"},
        }
    )


def start(lab: VirtualLab, tag: str) -> None:
    lab.create(DEPLOYMENT, deployment(f"{APP}:{tag}"))
    lab.run(3)


def log(lab: VirtualLab, **query: str) -> str:
    request = read_log_request(query, lab.clock.now())

    async def read() -> bytes:
        container, run = find_run(lab.cluster.kubelet, lab.pods()[0], request)
        return b"".join([piece async for piece in stream(container, run, request)])

    return asyncio.run(read()).decode()


def test_a_log_is_what_the_container_printed(lab):
    start(lab, "v1")
    assert log(lab) == "one\ntwo\n"
    assert log(lab, tailLines="1") == "two\n"
    assert log(lab, tailLines="0") == ""
    assert log(lab, limitBytes="2") == "on"
    assert log(lab, sinceSeconds="1") == ""


def test_stamped_lines_say_when(lab):
    start(lab, "v1")
    stamped = log(lab, timestamps="true").splitlines()[0]
    assert stamped.startswith("2023-11-14T22:13:2")
    assert stamped.endswith("Z one")


def test_the_run_before_is_kept(lab):
    start(lab, "crash")
    lab.run(10)
    assert log(lab, previous="true") == "boom\n"


@pytest.mark.parametrize(
    ("tag", "query", "why"),
    [
        ("missing", {}, "is waiting to start: trying and failing to pull image"),
        ("v1", {"previous": "true"}, "previous terminated container"),
        ("v1", {"container": "nope"}, "container nope is not valid for pod"),
    ],
)
def test_a_log_that_is_not_there_is_a_bad_request(lab, tag, query, why):
    start(lab, tag)
    with pytest.raises(Refusal, match=why) as refusal:
        log(lab, **query)
    assert refusal.value.code == 400


def test_of_two_containers_one_must_be_named(lab):
    body = deployment(f"{APP}:v1")
    body["spec"]["template"]["spec"]["containers"] = [container(f"{APP}:v1"), {"name": "side", "image": f"{APP}:v1"}]
    lab.create(DEPLOYMENT, body)
    lab.run(3)
    with pytest.raises(Refusal, match=r"choose one of: \[app side\]"):
        log(lab)
    assert log(lab, container="side") == "one\ntwo\n"


def test_a_number_that_is_none_is_a_bad_request():
    with pytest.raises(Refusal, match="invalid syntax"):
        read_log_request({"tailLines": "x"}, 0.0)
