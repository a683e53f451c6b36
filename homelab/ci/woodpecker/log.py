"""A step's log on Woodpecker: stored, read piece by piece; live, from its event stream.

Sources: woodpecker server/api/{pipeline,stream}.go, server/logging. Layer: ci, beside the client.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from homelab.ci.json_array import elements
from homelab.ci.model import LogLine
from homelab.ci.shelf import Shelf
from homelab.ci.woodpecker import translate
from homelab.errors import HttpStatus, Unreachable
from homelab.http.port import JsonHttp

#: Seconds without a byte of a stored log; the server reads it from its database while it sends.
BODY_IDLE = 30.0
#: Pings come every 30 s.
STREAM_IDLE = 75.0
#: How often a body that was cut is asked for again.
ATTEMPTS = 3
EOF = "eof"


def stored(http: JsonHttp, path: str, *, first: int = 0, budget: float | None = None) -> Iterator[LogLine]:
    """Yield the stored log in order, each line once; a body that is cut is asked for again where it ended.

    Up to 3.17 the server orders by insertion and agents resend, so lines are put in order here.
    """
    with Shelf(first) as shelf:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with http.pour(path, idle=BODY_IDLE, budget=budget) as body:
                    for entry in elements(body.pieces):
                        yield from shelf.put(translate.log_line(entry))
                break
            except ValueError as error:
                if attempt == ATTEMPTS:
                    raise Unreachable(
                        "the log ends in the middle", why="its body was cut", fix="run the same command again"
                    ) from error
            except HttpStatus:
                # Its opening was tried as often as it may pass.
                raise
            except Unreachable:
                if attempt == ATTEMPTS:
                    raise
        yield from shelf.rest()


class WoodpeckerLive:
    """The log stream of one running step. Ends with the workflow, not with the step; lossy."""

    def __init__(self, http: JsonHttp, path: str) -> None:
        """``http`` is ours alone: closing it ends the stream."""
        self._http, self._path = http, path

    def __iter__(self) -> Iterator[LogLine]:
        """Yield lines until ``eof``, which 3.12 names so and older servers call an error; or until a refusal."""
        with self._http.stream(self._path, idle=STREAM_IDLE) as events:
            for event in events:
                if event.event in {EOF, "error"}:
                    return
                line = _line(event.data)
                if line is not None:
                    yield line

    def close(self) -> None:
        """End the stream."""
        self._http.close()


def _line(data: str) -> LogLine | None:
    try:
        raw = json.loads(data)
    except ValueError:
        return None
    return translate.log_line(raw) if isinstance(raw, dict) else None
