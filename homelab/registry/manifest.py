"""A manifest as the registry answers it: its digest, and the digests that are the same content. Pure.

An index (OCI image-spec image-index.md, docker's manifest list) names a manifest for each platform; which of
the two a container runtime reports depends on the runtime, so both stand for the image.
Layer: the registry package, a leaf.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from homelab.http.port import Answer

INDEXES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
#: Both kinds of both, or an old registry converts the manifest and its digest.
ACCEPT = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)
#: How a builder marks an entry of an index that is about an image instead of being one (moby/buildkit).
ATTESTATION = "vnd.docker.reference.type"


@dataclass(frozen=True, slots=True)
class Child:
    """One entry of an index: the digest, and the platform as ``linux/arm64/v8``."""

    digest: str
    platform: str
    #: It is an index itself.
    index: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest, and what it names."""

    digest: str
    #: Of an index: its images, attestations left out.
    children: tuple[Child, ...] = ()
    #: Of a single image: the digest of its configuration, which some runtimes report as the image.
    config: str = ""

    @property
    def digests(self) -> frozenset[str]:
        """Every digest under which a runtime may report this image."""
        return frozenset(one for one in (self.digest, self.config, *(c.digest for c in self.children)) if one)


def read(answer: Answer) -> Manifest:
    """Return the manifest in ``answer``; a body that is none still has its digest."""
    digest = answer.headers.get("docker-content-digest", "") or digest_of(answer.body)
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return Manifest(digest)
    listed = body.get("manifests")
    if isinstance(listed, list):
        found = (_child(entry) for entry in listed if isinstance(entry, dict))
        return Manifest(digest, tuple(child for child in found if child is not None))
    return Manifest(digest, config=_text(body.get("config"), "digest"))


def digest_of(body: bytes) -> str:
    """Return the digest of a manifest's own bytes."""
    return "sha256:" + hashlib.sha256(body).hexdigest()


def _child(entry: dict[str, Any]) -> Child | None:
    digest, platform = _text(entry, "digest"), entry.get("platform")
    about = (_text(platform, part) for part in ("os", "architecture", "variant"))
    shown = "/".join(part for part in about if part)
    attests = bool(_text(entry.get("annotations"), ATTESTATION)) or shown == "unknown/unknown"
    return None if attests or not digest else Child(digest, shown, entry.get("mediaType") in INDEXES)


def _text(body: object, name: str) -> str:
    found = body.get(name) if isinstance(body, dict) else None
    return found if isinstance(found, str) else ""
