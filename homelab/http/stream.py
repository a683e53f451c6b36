"""An event stream: opened once, read without buffering, ended by idleness or from another thread. Layer: http."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from homelab.errors import HomelabError, WrongService
from homelab.http import judge
from homelab.http.ask import Ask
from homelab.http.lean import httpx
from homelab.http.pool import Pool
from homelab.http.port import Answer, ServerEvent
from homelab.http.retry import Passing
from homelab.http.sse import EventParser, EventTooLarge
from homelab.http.wire import CONNECT, MAX_REDIRECTS, Wire, in_circles, target, too_large

#: The body of an answer that is no stream is only read for a message.
MAX_REFUSAL = 1024 * 1024


@contextmanager
def opened(wire: Wire, ask: Ask, pool: Pool, idle: float, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
    """Open the stream and give its response. Raises what the same answer to a GET would end in."""
    # Identity: a proxy that compresses holds events back until its buffer is full.
    wanted = {**headers, "Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-store"}
    timeout = httpx.Timeout(idle, connect=CONNECT)
    url = wire.url(ask.path)
    for _ in range(MAX_REDIRECTS + 1):
        with ExitStack() as stack:
            with finally_plain(), pool.cut_after(CONNECT + idle) as late, wire.translated(ask, pool, late):
                response = stack.enter_context(pool.request("GET", url, timeout=timeout, headers=wanted))
                if not _is_stream(response):
                    answer, place = wire.whole(ask, pool, response, MAX_REFUSAL), target(response)
            if _is_stream(response):
                yield response
                return
        if place is None:
            raise _no_stream(ask, answer)
        url = wire.same_origin(ask, place)
    raise in_circles(ask)


def events(wire: Wire, ask: Ask, pool: Pool, response: httpx.Response) -> Iterator[ServerEvent]:
    """Yield each event the moment its last byte is here; end quietly when ``pool`` was closed."""
    parser = EventParser(wire.limit)
    chunks = response.iter_bytes()
    while True:
        try:
            with finally_plain(), wire.translated(ask, pool), pool.reading():
                chunk = next(chunks, None)
        except HomelabError:
            if pool.closed:
                return
            raise
        if chunk is None:
            return
        try:
            complete = parser.feed(chunk)
        except EventTooLarge:
            raise too_large(ask, wire.limit) from None
        yield from complete


@contextmanager
def finally_plain() -> Iterator[None]:
    """Raise the error inside a Passing: a stream is not retried here, its reader decides."""
    try:
        yield
    except Passing as passing:
        raise passing.error from passing.__cause__


def _is_stream(response: httpx.Response) -> bool:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return response.status_code == httpx.codes.OK and kind == "text/event-stream"


def _no_stream(ask: Ask, answer: Answer) -> HomelabError:
    try:
        judge.judge(ask, answer, wants_json=True, answered_before=False, now=0.0)
    except Passing as passing:
        return passing.error
    except HomelabError as error:
        return error
    what = f"{ask.name} answered {ask.shown} without an event stream"
    return WrongService(what, why="it answered plain JSON", fix="homelab doctor")
