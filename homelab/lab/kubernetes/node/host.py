"""What a container needs of its pod and node. Layer: the port between them."""

from __future__ import annotations

from typing import Protocol

from homelab.lab.kubernetes.node.images import Image, Images
from homelab.lab.kubernetes.node.speeds import Speeds
from homelab.lab.kubernetes.objects import Object
from homelab.lab.registry.reference import Reference


class Host(Protocol):
    """One pod on one node, as its containers see it."""

    speeds: Speeds
    images: Images

    def now(self) -> float:
        """Return Unix time in seconds."""

    def present(self, reference: Reference) -> Image | None:
        """Return the image if the node has it already."""

    def keep(self, reference: Reference, image: Image) -> None:
        """Remember a pulled image."""

    def environment_problem(self, container: Object) -> str:
        """Return why the container's environment cannot be made, empty when it can."""

    def wake(self) -> None:
        """Look at this pod again."""

    def event(self, severity: str, reason: str, message: str, container: str) -> None:
        """Record an event about a container of this pod."""
