"""Everything on stdout, a JSON object a line: for programs.

``{"v":1,"kind":"ci.pipeline.changed","time":…,"subject":…,"sentence":…,…fields}``; the last line's
kind is always ``result`` or ``error`` and holds ``exit_code``. Fields are only ever added.
"""

from __future__ import annotations

import json
import threading
from typing import Any, TextIO

from homelab.clock import Clock
from homelab.console.jsonable import jsonable
from homelab.console.stream import Lines
from homelab.errors import HomelabError
from homelab.events import Event, ReaderLeft
from homelab.result import Result

VERSION = 1


class Ndjson:
    """The renderer for programs."""

    def __init__(self, stdout: TextIO, clock: Clock) -> None:
        """Write to ``stdout``; stamp with ``clock``."""
        self._out = Lines(stdout, answer=True)
        self._clock = clock
        self._lock = threading.Lock()

    def _write(self, kind: str, fields: dict[str, Any]) -> None:
        record = {"v": VERSION, "kind": kind, "time": round(self._clock.now(), 3), **fields}
        with self._lock:
            self._out.write(json.dumps(jsonable(record), separators=(",", ":")))

    def event(self, event: Event) -> None:
        """Write every event, details too. Raises ReaderLeft when a piece of the answer has no reader any more."""
        # The event's own fields first, so that ours cannot be shadowed by a field of the same name.
        self._write(event.kind, {**event.record(), "subject": event.subject, "sentence": event.sentence()})
        if event.data and self._out.gone:
            raise ReaderLeft

    def result(self, result: Result) -> None:
        """Write the last line of a verb that answered."""
        self._write("result", result.envelope())

    def error(self, error: HomelabError) -> None:
        """Write the last line of a verb that could not answer."""
        self._write("error", error.record())

    def close(self) -> None:
        """Nothing was taken."""
