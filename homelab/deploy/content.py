"""Whether the pods provably run the wanted content, and not only a reference that names it. Pure.

Layer: the deploy domain, above identity and the kinds; below the verdict.
"""

from __future__ import annotations

from homelab.deploy.identity import Identity, with_content
from homelab.deploy.judgement import Expectation
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import ContainerStatus, Snapshot
from homelab.registry.reference import parse


def digest_in(image_id: str) -> str:
    """Return the digest in what a runtime reports as a container's image: ``repo@sha256:…``, ``docker://sha256:…``."""
    _, found, digits = image_id.rpartition("sha256:")
    return found + digits if found else ""


def by_content(snapshot: Snapshot, identity: Identity, expectation: Expectation) -> bool:
    """Say whether every container that carries the app provably runs wanted content, in every pod of the revision.

    Pinned by a wanted digest, or reported under one: equal is proof. A runtime may report an index, a platform's
    manifest or a bare configuration, so different is no information.
    """
    digests = {one for c in identity.containers for one in with_content(expectation, c.image).digests}
    statuses = _carrying(snapshot, identity)
    return bool(statuses) and all(
        parse(status.image).digest in digests or digest_in(status.image_id) in digests for status in statuses
    )


def content_of(snapshot: Snapshot, identity: Identity) -> str:
    """Say what the pods report to run."""
    found = {digest_in(status.image_id)[:19] for status in _carrying(snapshot, identity)} - {""}
    return f"its pods report {', '.join(sorted(found))}" if found else "no pod tells what it runs"


def _carrying(snapshot: Snapshot, identity: Identity) -> list[ContainerStatus]:
    """Return the statuses of the app's containers that keep running, in every live pod of the new revision."""
    if snapshot.workload is None:
        return []
    names = {container.name for container in identity.containers}
    new, _ = KINDS[snapshot.workload.kind].split(snapshot)
    return [s for pod in new if pod.live for s in pod.containers if s.name in names and (not s.init or s.sidecar)]
