"""Protobuf request bodies, written byte by byte."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.protobuf import decode
from homelab.lab.kubernetes.refusals import Refusal


def varint(number: int) -> bytes:
    if number < 0:
        number += 1 << 64
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def body(api_version: str, kind: str, content: bytes) -> bytes:
    type_meta = field(1, api_version) + field(2, kind)
    return b"k8s\x00" + field(1, type_meta) + field(2, content) + field(3, "") + field(4, "")


META = field(1, field(1, "one") + field(2, "") + field(3, "demo") + field(8, b""))


def test_a_config_map_is_read():
    content = META + field(2, field(1, "a") + field(2, "b")) + field(2, field(1, "c") + field(2, ""))
    assert decode(body("v1", "ConfigMap", content)) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "one", "namespace": "demo"},
        "data": {"a": "b", "c": ""},
    }


def test_secrets_stay_in_base64():
    content = META + field(2, field(1, "a") + field(2, b"\xff"))
    assert decode(body("v1", "Secret", content))["data"] == {"a": "/w=="}


def test_numbers_lists_and_messages_are_read():
    container = field(1, "app") + field(2, "image:v1") + field(4, "-x") + field(4, "-y")
    template = field(2, field(2, container))
    content = META + field(2, field(1, 300) + field(3, template))
    spec = decode(body("apps/v1", "Deployment", content))["spec"]
    assert spec["replicas"] == 300
    assert spec["template"]["spec"]["containers"] == [{"name": "app", "image": "image:v1", "args": ["-x", "-y"]}]


def test_zero_and_less_are_numbers_too():
    assert decode(body("autoscaling/v1", "Scale", field(2, field(1, 0))))["spec"] == {"replicas": 0}
    assert decode(body("autoscaling/v1", "Scale", field(2, field(1, -1))))["spec"] == {"replicas": -1}


def test_quantities_are_text():
    hard = field(1, field(1, "pods") + field(2, field(1, "5")))
    assert decode(body("v1", "ResourceQuota", META + field(2, hard)))["spec"] == {"hard": {"pods": "5"}}


def test_fields_nobody_listed_are_left_out():
    assert decode(body("v1", "Namespace", META + field(99, "x")))["metadata"]["name"] == "one"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"{}", "does not appear to be"),
        (body("v1", "Gadget", b""), "does not read Gadget in protobuf"),
        (body("v1", "ConfigMap", b"\x0d"), "damaged"),
        (b"k8s\x00\x0a", "damaged"),
        (b"k8s\x00", "damaged"),
    ],
)
def test_what_cannot_be_read_is_a_bad_request(raw, why):
    with pytest.raises(Refusal, match=why) as refusal:
        decode(raw)
    assert refusal.value.code == 400
