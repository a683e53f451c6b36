"""Manifests as builders push them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from homelab.http.port import Answer
from homelab.registry.manifest import Child, digest_of, read

AMD, ARM, PAPERS = "sha256:amd", "sha256:arm", "sha256:papers"


def answer(body: Any, digest: str = "sha256:top") -> Answer:
    return Answer(200, {"docker-content-digest": digest} if digest else {}, json.dumps(body).encode())


def entry(digest: str, os: str = "linux", architecture: str = "amd64", **more: Any) -> dict[str, Any]:
    return {"digest": digest, "platform": {"os": os, "architecture": architecture, **more.pop("platform", {})}, **more}


@pytest.mark.parametrize(
    "kind", ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"]
)
def test_an_index_stands_for_itself_and_each_platform(kind: str) -> None:
    children = [entry(AMD), entry(ARM, architecture="arm64", platform={"variant": "v8"})]

    found = read(answer({"mediaType": kind, "manifests": children}))

    assert found.children == (Child(AMD, "linux/amd64"), Child(ARM, "linux/arm64/v8"))
    assert found.digests == {"sha256:top", AMD, ARM}


@pytest.mark.parametrize(
    "papers",
    [
        entry(PAPERS, os="unknown", architecture="unknown"),
        entry(PAPERS, annotations={"vnd.docker.reference.type": "attestation-manifest"}),
        {"digest": "", "platform": {}},
        {"platform": {"os": "linux"}},
        "no entry",
    ],
)
def test_what_is_about_an_image_is_no_image(papers: Any) -> None:
    assert read(answer({"manifests": [entry(AMD), papers]})).children == (Child(AMD, "linux/amd64"),)


def test_a_single_image_stands_for_itself_and_its_configuration() -> None:
    assert read(answer({"config": {"digest": "sha256:config"}})).digests == {"sha256:top", "sha256:config"}


@pytest.mark.parametrize("body", [[], "text", {"manifests": {}}, {"config": []}, {"config": {"digest": 7}}])
def test_what_is_no_manifest_still_has_its_digest(body: Any) -> None:
    assert read(answer(body)).digests == {"sha256:top"}
    assert read(answer(body, digest="")).digest == digest_of(json.dumps(body).encode())


def test_bytes_that_are_no_json_still_have_their_digest() -> None:
    assert read(Answer(200, {}, b"\xff")).digests == {digest_of(b"\xff")}
