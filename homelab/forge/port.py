"""What homelab asks of a forge, whatever its kind. Layer: forge, above the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from homelab.forge.model import CommitStatus, Request


class Forge(Protocol):
    """One repository on one forge, with the token bound to it. Raises only :mod:`homelab.errors`."""

    def statuses(self, oid: str, *, budget: float | None = None) -> Sequence[CommitStatus]:
        """Return the newest status of each context of the commit, all pages read.

        ``budget`` bounds each question with its retries (seconds). Raises Unreachable where there are
        more pages than can be read: what is not seen is not judged.
        """

    def open_request(self, request: Request) -> str:
        """Open the pull request, or find the one that is open; return its page."""
