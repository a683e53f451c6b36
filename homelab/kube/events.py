"""What the Kubernetes adapter says while it asks. Layer: the Kubernetes adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from homelab.events import Event


@dataclass(frozen=True, slots=True)
class RequestRetried(Event):
    """A request failed in a way that may pass; it is sent again after ``pause`` seconds."""

    kind: ClassVar[str] = "kube.request.retried"
    detail: ClassVar[bool] = True
    server: str
    reason: str
    attempt: int
    pause: float

    @property
    def subject(self) -> str:
        """The cluster."""
        return self.server

    def sentence(self) -> str:
        """Say why, and when it is tried again."""
        return f"{self.reason}; again in {self.pause:.0f}s"


@dataclass(frozen=True, slots=True)
class RequestTroubled(RequestRetried):
    """The third retry of one request: worth a line in a log."""

    kind: ClassVar[str] = "kube.request.troubled"
    detail: ClassVar[bool] = False
