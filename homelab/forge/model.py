"""What a forge says, in our words: frozen records. Layer: the leaf of forge; imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How one context stands. What a forge invents later is ``UNKNOWN``, never green."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    WARNING = "warning"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"

    @property
    def green(self) -> bool:
        """Say whether it keeps nobody from calling the commit green."""
        return self in {Mark.SUCCESS, Mark.SKIPPED}


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """The newest status of one context of a commit. ``context`` names who wrote it: ``ci/woodpecker/push/build``."""

    context: str
    mark: Mark
    #: The page behind it, "" where it names none. Written by whoever wrote the status: never believed, only shown.
    url: str = ""
    description: str = ""
    #: Grows with each status written; 0 where the forge does not tell.
    id: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """A pull request to be: of ``branch`` into ``target``."""

    branch: str
    target: str
    title: str
    body: str = ""
