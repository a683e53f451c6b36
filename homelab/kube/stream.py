"""Answers that arrive line by line, and the watch among them. Layer: the Kubernetes adapter."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import urllib3
from urllib3.exceptions import HTTPError

from homelab.clock import Clock
from homelab.kube import answers
from homelab.kube.port import Json

#: Bytes taken at once from an answer.
PIECE = 65_536


class OpenWatch:
    """Implements :class:`homelab.kube.port.Watching` over one chunked response."""

    def __init__(
        self, response: urllib3.BaseHTTPResponse, *, path: str, server: str, clock: Clock, limit: float
    ) -> None:
        """``limit`` seconds after now the watch ends, whatever trickles in."""
        self._response, self._path, self._server = response, path, server
        self._clock, self._ends = clock, clock.monotonic() + limit
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Json]:
        """Yield events line by line."""
        try:
            yield from self._events()
        except (HTTPError, OSError, ValueError) as error:
            if not self._closed.is_set():
                raise answers.no_answer(self._server, self._path, f"the watch broke off: {error}") from error
        finally:
            self._response.close()

    def _events(self) -> Iterator[Json]:
        for lines in pieces_of_lines(self._response):
            for line in lines:
                if line.strip():
                    yield self._event(json.loads(line))
            if self._closed.is_set() or self._clock.monotonic() > self._ends:
                return

    def _event(self, event: Json) -> Json:
        if event.get("type") == "ERROR":
            raise answers.stream_error(event.get("object") or {}, path=self._path, server=self._server)
        return event

    def close(self) -> None:
        """Shut the socket down, so that a thread blocked in it comes back."""
        self._closed.set()
        try:
            self._response.shutdown()
        except (ValueError, OSError, AttributeError):
            self._response.close()


def pieces_of_lines(response: urllib3.BaseHTTPResponse) -> Iterator[list[bytes]]:
    """Yield the lines that each piece of an answer completes, [] where it completes none; the last may lack its end."""
    rest = b""
    while piece := response.read1(PIECE):
        *lines, rest = (rest + piece).split(b"\n")
        yield lines
    if rest:
        yield [rest]
