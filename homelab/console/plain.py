"""One line a change, no colour, no cursor: for logs, pipes and agents.

Events go to stderr, the answer to stdout, the closing line (outcome and exit code) to stderr.
With ``as_json`` the answer is one JSON object on stdout instead.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import TextIO

from homelab.console.clean import clean
from homelab.console.jsonable import jsonable
from homelab.console.stream import Lines
from homelab.errors import HomelabError
from homelab.events import Event, ReaderLeft
from homelab.result import Result


def closing(outcome_word: str, exit_code: int, headline: str = "") -> str:
    """Return the last line: outcome, exit code, and what is true now."""
    return clean(f"{outcome_word} (exit {exit_code}){': ' + headline if headline else ''}")


def error_lines(error: HomelabError) -> Iterator[str]:
    """Yield an error as lines: what, why, evidence, and the command to type next."""
    yield f"error: {error.what}"
    yield f"why: {error.why}"
    yield from (f"  {detail}" for detail in error.details)
    yield f"next: {error.fix}"


class Plain:
    """The renderer for everything that is not a terminal."""

    def __init__(self, stdout: TextIO, stderr: TextIO, *, as_json: bool = False) -> None:
        """Answer on ``stdout``, progress on ``stderr``."""
        self._out = Lines(stdout, answer=True)
        self._err = Lines(stderr)
        self._as_json = as_json
        self._lock = threading.Lock()

    def event(self, event: Event) -> None:
        """Write the event's sentence, unless it is a detail. A piece of the answer goes to stdout as it is.

        Raises ReaderLeft when nobody reads the answer any more.
        """
        if event.data:
            stream = self._err if self._as_json else self._out
            with self._lock:
                stream.write(clean(event.sentence()))
            if stream.gone:
                raise ReaderLeft
        elif not event.detail:
            with self._lock:
                self._err.write(clean(f"{event.subject}: {event.sentence()}"))

    def result(self, result: Result) -> None:
        """Write the answer, then the closing line."""
        with self._lock:
            if self._as_json:
                self._out.write(json.dumps(jsonable(result.envelope()), indent=2))
                return
            for line in result.lines():
                self._out.write(clean(line))
            self._err.write(closing(result.outcome.word, result.outcome, result.headline))

    def error(self, error: HomelabError) -> None:
        """Write the error on stderr; with ``as_json`` its record on stdout too."""
        with self._lock:
            if self._as_json:
                self._out.write(json.dumps({"error": jsonable(error.record()), **_code(error)}, indent=2))
            for line in error_lines(error):
                self._err.write(clean(line))
            self._err.write(closing(error.outcome.word, error.outcome))

    def close(self) -> None:
        """Nothing was taken."""


def _code(error: HomelabError) -> dict[str, object]:
    return {"outcome": error.outcome.word, "exit_code": int(error.outcome)}
