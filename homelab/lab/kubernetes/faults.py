"""What tests break on purpose: answers, watches, versions. Layer: state the server asks before it answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from homelab.lab.kubernetes.refusals import Refusal, bad_request, too_many_requests
from homelab.lab.kubernetes.requests import Asked
from homelab.lab.kubernetes.watch import Watch

T = TypeVar("T")

_REASONS = {
    401: "Unauthorized",
    403: "Forbidden",
    409: "Conflict",
    410: "Expired",
    500: "InternalError",
    503: "ServiceUnavailable",
}
_TOO_MANY = 429


@dataclass(slots=True)
class Fault:
    """What to answer instead, to which requests, and how often; empty tuples match all.

    ``code`` 0 closes the connection without an answer; ``delay`` seconds pass first; ``times`` None is for ever.
    """

    code: int = 503
    verbs: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    message: str = ""
    body: str | None = None
    retry_after: int = 1
    delay: float = 0.0
    times: int | None = None

    def hits(self, asked: Asked) -> bool:
        """Say whether this fault is for that request."""
        pairs = ((self.verbs, asked.verb), (self.resources, asked.resource), (self.names, asked.name))
        return self.times != 0 and all(not wanted or value in wanted for wanted, value in pairs)

    def refusal(self) -> Refusal:
        """Return the answer."""
        if self.code == _TOO_MANY:
            return too_many_requests(self.retry_after)
        reason = _REASONS.get(self.code, "InternalError")
        return Refusal(self.code, reason, self.message or f"the lab was told to answer {self.code}")


def read_fields(kind: type[T], fields: Mapping[str, Any]) -> T:
    """Return the record (a :class:`Fault`, a webhook) a JSON object describes; refuses with 400."""
    known: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    try:
        return kind(**known)
    except TypeError as error:
        raise bad_request(f"not a {kind.__name__.lower()}: {error}") from error


@dataclass(slots=True)
class Faults:
    """Everything that is broken at the moment."""

    active: list[Fault] = field(default_factory=list)
    watches: set[Watch] = field(default_factory=set)
    silent: bool = False
    gone_at_connect: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def count(self, asked: Asked) -> None:
        """Count a request, as ``get deployments``."""
        self.counts[f"{asked.verb} {asked.resource}"] += 1

    def take(self, asked: Asked) -> Fault | None:
        """Return the first fault for a request and count it as used."""
        for fault in self.active:
            if fault.hits(asked):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def cut_watches(self) -> None:
        """End every open watch without a word."""
        for watch in self.watches:
            watch.cut()

    def silence_watches(self, *, silent: bool) -> None:
        """Keep open and new watches from saying anything, or end that."""
        self.silent = silent
        for watch in self.watches:
            watch.silenced = silent

    def expire_watches(self) -> None:
        """End every open watch with a 410 in the stream."""
        for watch in self.watches:
            watch.expire()

    def clear(self) -> None:
        """Mend everything."""
        self.active.clear()
        self.silence_watches(silent=False)
        self.gone_at_connect = False
