"""What the rest of homelab knows about rendering: three methods and a close."""

from __future__ import annotations

from typing import Protocol

from homelab.errors import HomelabError
from homelab.events import Event
from homelab.result import Result


class Renderer(Protocol):
    """Shows events, then one result or one error."""

    def event(self, event: Event) -> None:
        """Show progress. May be called from any thread."""

    def result(self, result: Result) -> None:
        """Show the answer and the closing line."""

    def error(self, error: HomelabError) -> None:
        """Show what happened, why, the command to type next, and the closing line."""

    def close(self) -> None:
        """Leave the terminal as it was found."""
