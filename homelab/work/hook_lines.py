"""What git tells a pre-push hook on its standard input. Pure; githooks(5).

Layer: work domain.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PushedRef:
    """One ref about to be pushed. ``local_oid`` is all zeros for a deletion."""

    local_ref: str
    local_oid: str
    remote_ref: str
    remote_oid: str

    @property
    def deletes(self) -> bool:
        """Say whether the remote ref is to be deleted."""
        return set(self.local_oid) == {"0"}


def parse(text: str) -> tuple[PushedRef, ...]:
    """Return the refs; a local ref may hold spaces (``HEAD@{1 second ago}``), so it is cut from the right."""
    cut = (line.rsplit(" ", 3) for line in text.split("\n") if line)
    return tuple(PushedRef(*parts) for parts in cut if len(parts) == 4)  # noqa: PLR2004 -- the protocol's columns
