"""An event stream over HTTP/1.1, without buffering. Layer: http."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager

from homelab.http.ask import Ask
from homelab.http.flow import Wanted, opened, pieces
from homelab.http.lean import httpx
from homelab.http.pool import Pool
from homelab.http.port import ServerEvent
from homelab.http.sse import EventParser, EventTooLarge
from homelab.http.wire import Wire, too_large

# Identity: a proxy that compresses holds events back until its buffer is full.
HEADERS = {"Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-store"}


def open_stream(
    wire: Wire, ask: Ask, pool: Pool, *, idle: float, headers: Mapping[str, str]
) -> AbstractContextManager[httpx.Response]:
    """Open the stream; nothing but a 200 with an event stream is one."""
    wanted = Wanted("an event stream", {**headers, **HEADERS}, _is_stream)
    return opened(wire, ask, pool, wire.url(ask.path), idle=idle, wanted=wanted)


def events(wire: Wire, ask: Ask, pool: Pool, response: httpx.Response) -> Iterator[ServerEvent]:
    """Yield each event the moment its last byte is here."""
    parser = EventParser(wire.limit)
    for piece in pieces(wire, ask, pool, response):
        try:
            complete = parser.feed(piece)
        except EventTooLarge:
            raise too_large(ask, wire.limit) from None
        yield from complete


def _is_stream(response: httpx.Response) -> bool:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return response.status_code == httpx.codes.OK and kind == "text/event-stream"
