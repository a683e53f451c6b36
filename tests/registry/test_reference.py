"""References against the distribution grammar's corners."""

from __future__ import annotations

import pytest

from homelab.registry.reference import Reference, parse, same_repository

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reg.example:5000/t/app", Reference("reg.example:5000", "t/app")),
        ("reg.example:5000/t/app:0123456789ab", Reference("reg.example:5000", "t/app", "0123456789ab")),
        ("[::1]:5000/a:v", Reference("[::1]:5000", "a", "v")),
        ("app", Reference("docker.io", "library/app")),
        ("app:1.2", Reference("docker.io", "library/app", "1.2")),
        ("team/app:1.2", Reference("docker.io", "team/app", "1.2")),
        ("index.docker.io/app", Reference("docker.io", "library/app")),
        ("Registry-1.Docker.IO/team/app", Reference("docker.io", "team/app")),
        ("localhost/app", Reference("localhost", "app")),
        ("REG.Example/t/App:V", Reference("reg.example", "t/App", "V")),
        (f"a:v1@{DIGEST}", Reference("docker.io", "library/a", "v1", DIGEST)),
        (f"reg.example/a@{DIGEST}", Reference("reg.example", "a", "", DIGEST)),
    ],
    ids=str,
)
def test_a_reference_is_taken_apart_as_the_runtime_does(text: str, expected: Reference) -> None:
    assert expected == parse(text)


def test_another_spelling_of_a_registry_is_the_same_repository() -> None:
    assert same_repository("index.docker.io/team/app:1", "team/app@" + DIGEST)
    assert not same_repository("reg.example/team/App", "reg.example/team/app")
