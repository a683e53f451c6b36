"""What a kind of CI server must offer, so that one verdict serves them all.

Fakes in tests are typed against this. Layer: ci, above the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from homelab.ci.model import Facts, LogLine, Pipeline, Step, Workflow


@dataclass(frozen=True, slots=True)
class Hint:
    """The server told of a change. Only a hint: events come late, twice or out of order."""

    number: int
    commit: str = ""


class Changes(Protocol):
    """An open stream of hints. Ends by itself when the server or :meth:`close` ends it."""

    def __iter__(self) -> Iterator[Hint]:
        """Yield hints about this repository as they come. Raises Unreachable when the stream breaks."""

    def close(self) -> None:
        """End the stream, from any thread."""


class CiRepository(Protocol):
    """One repository on one CI server. Raises only :mod:`homelab.errors`."""

    #: The server's configured name and its kind.
    name: str
    kind: str
    #: How long, in seconds, the set of runs for one event must stay the same before it is complete:
    #: 0 where one event makes exactly one run.
    settle: float
    #: Seconds one question may take with all its retries; None is the client's default.
    budget: float | None
    #: Words in a commit message that keep this kind from running, as a regular expression.
    skip_words: str

    def facts(self) -> Facts:
        """Return what the server knows about the repository. Raises NothingThere when it knows none."""

    def runs_of(self, oid: str, *, since: int = 0) -> Sequence[Pipeline]:
        """Return every run whose own commit is ``oid``, newest first, all events, workflows left out.

        Runs created before ``since`` (Unix seconds) may be left out: they end the search.
        """

    def run(self, number: int) -> Pipeline | None:
        """Return one run with workflows and steps; None when the server does not have it (any more)."""

    def log(self, pipeline: Pipeline, workflow: Workflow, step: Step) -> Iterator[LogLine]:
        """Yield the step's log as it is now, ordered by line, each line once."""

    def changes(self) -> Changes | None:
        """Open the stream of changes; None where this kind has none."""

    def activate_url(self) -> str:
        """Return the page on which a person switches CI on for a repository."""

    def latest(self, branch: str) -> Pipeline | None:
        """Return the newest push run of ``branch``, whatever its commit; None when there is none."""
