"""What the HTTP client tells while it works. Layer: http; loads no HTTP library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from homelab.events import Event


@dataclass(frozen=True, slots=True)
class ServerEvent(Event):
    """What happened with one server."""

    server: str

    @property
    def subject(self) -> str:
        """The server asked."""
        return self.server


@dataclass(frozen=True, slots=True)
class RetryScheduled(ServerEvent):
    """A request failed in a way that may pass, and is tried again in ``wait`` seconds.

    ``attempt`` counts from 1 and is the one that failed. ``path`` holds no query.
    """

    kind: ClassVar[str] = "http.retry.scheduled"
    detail: ClassVar[bool] = True
    method: str
    path: str
    reason: str
    attempt: int
    wait: float

    def sentence(self) -> str:
        """Say what was asked, what came, and when it is asked again."""
        return f"{self.method} {self.path}: {self.reason}; again in {self.wait:.1f}s"


@dataclass(frozen=True, slots=True)
class RetryEnded(ServerEvent):
    """A request that failed was answered at its next attempt."""

    kind: ClassVar[str] = "http.retry.ended"
    detail: ClassVar[bool] = True

    @property
    def ended(self) -> bool:
        """Nothing is the matter with it."""
        return True

    def sentence(self) -> str:
        """Say that all is well."""
        return "answers"


@dataclass(frozen=True, slots=True)
class TroubleBegan(ServerEvent):
    """A server goes on giving no usable answer; it is asked again until a budget ends. Said once until it is over."""

    kind: ClassVar[str] = "http.trouble.began"
    reason: str

    def sentence(self) -> str:
        """Say what came instead of an answer."""
        return f"{self.reason}; trying on"


@dataclass(frozen=True, slots=True)
class TroubleEnded(ServerEvent):
    """A server that was said to be in trouble answers again. ``seconds`` is how long it did not."""

    kind: ClassVar[str] = "http.trouble.ended"
    seconds: float

    @property
    def ended(self) -> bool:
        """Nothing is the matter with it any more."""
        return True

    def sentence(self) -> str:
        """Say for how long it was away."""
        return f"answers again, after {self.seconds:.0f}s"
