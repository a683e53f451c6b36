"""Image references."""

from __future__ import annotations

import pytest

from homelab.lab.registry.reference import Reference, parse

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("app", Reference("docker.io", "library/app", "latest", "")),
        ("team/app:v1", Reference("docker.io", "team/app", "v1", "")),
        (
            "registry.homelab.test/demo/app:0123456789ab",
            Reference("registry.homelab.test", "demo/app", "0123456789ab", ""),
        ),
        ("localhost/app", Reference("localhost", "app", "latest", "")),
        ("reg.example:5000/t/app", Reference("reg.example:5000", "t/app", "latest", "")),
        ("[::1]:5000/a:v", Reference("[::1]:5000", "a", "v", "")),
        (f"a.test/b@{DIGEST}", Reference("a.test", "b", "", DIGEST)),
        (f"a.test/b:v1@{DIGEST}", Reference("a.test", "b", "v1", DIGEST)),
    ],
)
def test_a_reference_is_read_in_its_parts(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", ":v1", "a.test/App:v1", "a.test/b:", "a.test/b:-x", "a.test/b@sha256:12", "a b", "a..b/c//d"]
)
def test_what_is_no_reference_is_none(text):
    assert parse(text) is None


def test_a_digest_decides_which_image_is_meant():
    reference = parse(f"a.test/b:v1@{DIGEST}")
    assert reference.selector == DIGEST
    assert str(reference) == f"a.test/b:v1@{DIGEST}"
    assert parse("a.test/b:v1").selector == "v1"
