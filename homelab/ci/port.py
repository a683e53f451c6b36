"""What a kind of CI server must offer, so that one verdict serves them all.

Fakes in tests are typed against this. Layer: ci, above the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from homelab.ci.model import Facts, LogLine, Pipeline, State, Step, Workflow


@dataclass(frozen=True, slots=True)
class Hint:
    """The server told of a change. Only a hint: events come late, twice or out of order.

    ``number`` 0 says that the stream is open now: what happened before it was told to nobody.
    """

    number: int
    commit: str = ""


class Changes(Protocol):
    """An open stream of hints. Ends by itself when the server or :meth:`close` ends it."""

    def __iter__(self) -> Iterator[Hint]:
        """Yield hints about this repository as they come. Raises Unreachable when the stream breaks."""

    def close(self) -> None:
        """End the stream, from any thread."""


class LiveLog(Protocol):
    """An open log. Lossy: lines may be missing, doubled or out of order; :meth:`CiRepository.log` is the truth."""

    def __iter__(self) -> Iterator[LogLine]:
        """Yield lines as they come, until the log or the stream ends. Raises Unreachable when it breaks."""

    def close(self) -> None:
        """End the stream, from any thread."""


class CiRepository(Protocol):
    """One repository on one CI server. Raises only :mod:`homelab.errors`."""

    #: The server's configured name, its kind, and ``owner/name`` there.
    name: str
    kind: str
    slug: str
    #: How long, in seconds, the set of runs for one event must stay the same before it is complete:
    #: 0 where one event makes exactly one run.
    settle: float
    #: Seconds one question may take with all its retries; None is the client's default.
    budget: float | None
    #: Words in a commit message that keep this kind from running, as a regular expression.
    skip_words: str
    #: Where a log holds more than the step's own lines: what the line that ends a failed step looks like.
    failure_mark: str
    #: And the first line after all steps: clean-up, which explains nothing.
    cleanup_mark: str

    @property
    def ahead(self) -> float | None:
        """Seconds the server's clock is ahead of ours; None while it is not known."""

    def owns(self, url: str) -> bool:
        """Say whether ``url``, which a commit status names, is by its form a page of this repository here."""

    def number_at(self, url: str) -> int:
        """Return the number of the run whose page ``url`` is, by its form; 0 where it is no page of this repository."""

    def facts(self) -> Facts:
        """Return what the server knows about the repository. Raises NothingThere when it knows none."""

    def runs_of(self, oid: str, *, since: int = 0) -> Sequence[Pipeline]:
        """Return every run whose own commit is ``oid``, newest first, all events, workflows left out.

        Runs created before ``since`` (Unix seconds) may be left out: they end the search.
        """

    def run(self, number: int) -> Pipeline | None:
        """Return one run with workflows and steps; None when the server does not have it (any more)."""

    def recent(
        self, limit: int, *, event: str = "", branch: str = "", state: State | None = None
    ) -> Sequence[Pipeline]:
        """Return the newest runs that fit, whatever their commit, workflows left out."""

    def log(self, pipeline: Pipeline, workflow: Workflow, step: Step, *, first: int = 0) -> Iterator[LogLine]:
        """Yield the step's log as it is now from line ``first``, in order, each line once.

        Raises NothingThere where this server gives no logs.
        """

    def failed_log(self, pipeline: Pipeline, workflow: Workflow, step: Step) -> Iterator[LogLine]:
        """Yield the log in which a failed step's failure is to be found: its own, as narrow as the server gives it."""

    def live(self, pipeline: Pipeline, workflow: Workflow, step: Step) -> LiveLog | None:
        """Open the log of a running step as it grows; None where reading it again is the only way."""

    def changes(self) -> Changes | None:
        """Open the stream of changes; None where this kind has none."""

    def activate_url(self) -> str:
        """Return the page on which a person switches CI on for a repository."""

    def latest(self, branch: str) -> Pipeline | None:
        """Return the newest push run of ``branch``, whatever its commit; None when there is none."""

    def restart(self, run: Pipeline) -> Pipeline | None:
        """Run it again; return the new run, None where its number is not told. Never repeated by itself."""

    def cancel(self, run: Pipeline) -> bool:
        """Stop it; False when it had ended before."""

    def approve(self, run: Pipeline) -> None:
        """Let a blocked run start."""

    def decline(self, run: Pipeline) -> None:
        """Refuse a blocked run for good."""

    def trigger(self, branch: str, variables: Mapping[str, str], *, workflow: str = "") -> Pipeline | None:
        """Start a manual run of the branch's head; None when nothing in the configuration matched.

        Raises PersonNeeded, with the page to open, for any of these five that the server has no call for.
        """
