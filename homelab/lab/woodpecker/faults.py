"""What the real server and what stands before it do wrong, on demand, for the tests of clients.

Off unless the server was started with ``--lab-controls``. Each field is one observed behaviour;
``POST /_lab/faults`` sets some, ``DELETE /_lab/faults`` clears all.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from homelab.lab.woodpecker.records import LogLine


@dataclass(frozen=True, slots=True)
class Passing:
    """An answer that stands in for another and passes by itself."""

    status: int
    body: str = ""
    content_type: str = "text/plain"
    #: Something before the server answers: its version header is missing.
    from_outside: bool = False
    #: It may name a Retry-After.
    asks_to_wait: bool = False


_PROXY = "<html><head><title>{}</title></head></html>"
_PORTAL = "<!doctype html><title>Sign in</title><form action=/login></form>"

#: The passing answers by the name :attr:`Faults.transient` knows them by.
TRANSIENT = {
    "401": Passing(401),
    "404": Passing(404),
    "429": Passing(429, asks_to_wait=True),
    "500": Passing(500),
    "502": Passing(502, _PROXY.format("502 Bad Gateway"), "text/html", from_outside=True),
    "503": Passing(503, _PROXY.format("503 Service Unavailable"), "text/html", from_outside=True, asks_to_wait=True),
    "empty": Passing(200, content_type="application/json"),
    "portal": Passing(200, _PORTAL, "text/html", from_outside=True),
}


@dataclass(slots=True)
class Faults:
    """What goes wrong from now on."""

    #: Answer the next requests with these, first to last; see :data:`TRANSIENT`.
    transient: list[str] = field(default_factory=list)
    #: Only requests whose path contains this take one of them.
    transient_path: str = "/api/"
    #: Seconds a ``429`` or ``503`` names in Retry-After; 0 names none.
    retry_after: int = 0
    #: ``events``: pings but no events; ``bytes``: an open stream without a byte, as behind a buffering proxy.
    mute: str = ""
    #: Seconds each event is late.
    delay: float = 0.0
    #: Deliver each event after its successor.
    reorder: bool = False
    #: How many of a step's last lines its log stream loses at eof.
    drop_at_eof: int = 0
    #: Seconds after a line was written before ``GET …/logs`` knows it.
    log_late: float = 0.0
    #: ``GET …/logs`` gives lines in any order.
    log_shuffled: bool = False
    #: ``GET …/logs`` gives some lines twice.
    log_duplicated: bool = False
    #: Cancelled runs run on to their own end: killed becomes success or failure.
    survive_cancel: bool = False
    #: New pipelines stay ``created`` for ever.
    strand_created: bool = False
    #: Seconds between a row's birth as ``created`` and the reading of its configuration.
    creation_delay: float = 0.0
    #: Fetching the configuration fails.
    config_fails: bool = False
    #: ``created_at`` and its kin of 2.x.
    legacy_names: bool = False
    #: A log stream ends as before 3.12: ``event: error``, ``data: eof``.
    old_eof: bool = False
    #: Close the log stream without eof.
    no_eof: bool = False
    #: What X-WOODPECKER-VERSION says instead; ``-`` leaves the header out.
    version: str = ""

    _held: Callable[[], None] | None = None
    _born: dict[int, float] = field(default_factory=dict)

    def set(self, values: dict[str, Any]) -> None:
        """Change the named fields. ValueError for one that is none."""
        known = {one.name for one in fields(self) if not one.name.startswith("_")}
        if unknown := set(values) - known:
            raise ValueError(f"unknown faults {sorted(unknown)}; there are {sorted(known)}")
        for name, value in values.items():
            setattr(self, name, value)

    def record(self) -> dict[str, Any]:
        """Return what is set now."""
        return {one.name: getattr(self, one.name) for one in fields(self) if not one.name.startswith("_")}

    def deliver(self, publish: Callable[[], None]) -> None:
        """Publish an event now, late, after the next one, or never."""
        if self.mute:
            return
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, publish)
            return
        held, self._held = self._held, None
        if self.reorder and held is None:
            self._held = publish
            return
        publish()
        if held is not None:
            held()

    def next_transient(self, path: str) -> Passing | None:
        """Return the answer that this request gets instead of its own, if any."""
        if not self.transient or self.transient_path not in path:
            return None
        return TRANSIENT[self.transient.pop(0)]

    def wrote(self, lines: list[LogLine], step_id: int) -> None:
        """Remember when a step last wrote, for :attr:`log_late`."""
        if lines:
            self._born[step_id] = time.monotonic()

    def rest_log(self, step_id: int, lines: list[LogLine]) -> list[LogLine]:
        """Return what ``GET …/logs`` gives of these lines."""
        if self.log_late and time.monotonic() - self._born.get(step_id, 0.0) < self.log_late:
            lines = lines[: len(lines) // 2]
        if self.log_duplicated:
            lines = [again for line in lines for again in ([line, line] if line.line % 3 == 0 else [line])]
        return random.Random(step_id).sample(lines, len(lines)) if self.log_shuffled else lines
