"""The kinds ``deploy`` knows: where their objects live, and who judges them.

Layer: the deploy domain, above the kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from homelab.deploy import shape
from homelab.deploy.kinds import deployment
from homelab.deploy.kinds.finding import Finding
from homelab.deploy.model import Expectation, Memory, Pod, Revision, Snapshot, Workload
from homelab.kube.port import Json


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of workload."""

    #: As it is typed and printed: ``deployment``.
    name: str
    #: API prefix and plural: ``/apis/apps/v1``, ``deployments``.
    api: str
    plural: str
    #: What owns its pods, as (API prefix, plural, shape), or None where the workload does itself.
    revisions: tuple[str, str, Callable[[Json, float], Revision]] | None
    #: Other spellings people type.
    aliases: tuple[str, ...]
    read: Callable[[Json, float], Workload]
    judge: Callable[[Snapshot, Expectation, Memory, float], Finding]
    #: The revision made from the live template, and the pods (of it, of others).
    current: Callable[[Snapshot], Revision | None]
    split: Callable[[Snapshot], tuple[list[Pod], list[Pod]]]
    #: A fact that counts only after it stood for a while, or "".
    standing: Callable[[Workload], str]
    #: Whether the controller's own numbers say that it has finished: time to look at the pods.
    counted: Callable[[Workload], bool]

    def path(self, namespace: str, name: str = "") -> str:
        """Return the API path of the namespace's objects, or of one of them."""
        return f"{self.api}/namespaces/{namespace}/{self.plural}" + (f"/{name}" if name else "")


DEPLOYMENT = Kind(
    name="deployment",
    api="/apis/apps/v1",
    plural="deployments",
    revisions=("/apis/apps/v1", "replicasets", shape.replica_set),
    aliases=("deploy", "deployments", "deployment.apps", "deployments.apps"),
    read=lambda item, skew: shape.workload("deployment", item, skew),
    judge=deployment.judge,
    current=deployment.current,
    split=deployment.split,
    standing=deployment.stale_or_young,
    counted=deployment.counted,
)

KINDS = {kind.name: kind for kind in (DEPLOYMENT,)}


def kind_named(text: str) -> Kind | None:
    """Return the kind a person means by ``text``, or None."""
    wanted = text.lower()
    return next((kind for kind in KINDS.values() if wanted == kind.name or wanted in kind.aliases), None)
