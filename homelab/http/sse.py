"""Server-sent events, parsed as the bytes arrive. Pure. Layer: http; loads no HTTP library.

WHATWG HTML, "Server-sent events", section "Parsing an event stream": lines end in CR, LF or
CRLF; a leading byte-order mark is dropped; a comment starts with a colon; an event is
dispatched by an empty line and only when it has data; the last id stays until another comes.
"""

from __future__ import annotations

import codecs
import re

from homelab.http.port import ServerEvent

LINE_END = re.compile(r"\r\n|\r|\n")
BOM = "\ufeff"


class EventTooLarge(Exception):
    """One event grew past the limit."""


class EventParser:
    """Turns chunks of bytes into events; holds back nothing that is complete."""

    def __init__(self, limit: int = 16 * 1024 * 1024) -> None:
        """``limit`` bounds the characters of one unfinished event."""
        self._limit = limit
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._partial: list[str] = []
        self._partial_size = 0
        self._started = False
        self._skip_newline = False
        self._event, self._id, self._size = "", "", 0
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that ``chunk`` completes. Raises EventTooLarge."""
        text = self._decode(chunk)
        if not self._started and text:
            self._started = True
            text = text.removeprefix(BOM)
        if self._skip_newline and text:
            # The CR that ended the last chunk already ended its line.
            self._skip_newline = False
            text = text.removeprefix("\n")
        self._skip_newline = self._skip_newline or text.endswith("\r")
        return [event for line in self._lines(text) if (event := self._take(line))]

    def _lines(self, text: str) -> list[str]:
        *ended, rest = LINE_END.split(text)
        if ended:
            ended[0] = "".join([*self._partial, ended[0]])
            self._partial, self._partial_size = [], 0
        if rest:
            self._partial.append(rest)
            self._partial_size += len(rest)
        if self._partial_size + self._size > self._limit:
            raise EventTooLarge
        return ended

    def _take(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> ServerEvent | None:
        event, data = self._event, self._data
        self._event, self._data, self._size = "", [], 0
        return ServerEvent(event=event or "message", data="\n".join(data), id=self._id) if data else None
