"""A large body, handed on piece by piece: a log of hundreds of megabytes in the memory of one piece. Layer: http."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from homelab.errors import HomelabError
from homelab.http import judge
from homelab.http.ask import Ask
from homelab.http.lean import httpx
from homelab.http.pool import Pool
from homelab.http.port import Answer, Body, Params
from homelab.http.retry import once
from homelab.http.stream import MAX_REFUSAL
from homelab.http.wire import CONNECT, MAX_REDIRECTS, Wire, in_circles, target


@contextmanager
def opened(
    wire: Wire, ask: Ask, pool: Pool, *, idle: float, headers: Mapping[str, str], params: Params | None
) -> Iterator[Body]:
    """Send once and give the body unread. Raises what the same answer to a GET would end in, unretried."""
    timeout = httpx.Timeout(idle, connect=CONNECT)
    url = wire.url(ask.path, params)
    for _ in range(MAX_REDIRECTS + 1):
        with ExitStack() as stack:

            def knock(url: httpx.URL = url, stack: ExitStack = stack) -> tuple[httpx.Response, Answer | None]:
                with pool.cut_after(CONNECT + idle) as late, wire.translated(ask, pool, late):
                    response = stack.enter_context(pool.request("GET", url, timeout=timeout, headers=dict(headers)))
                    page = "html" in response.headers.get("content-type", "")
                    usable = response.is_success and not page
                    return response, None if usable else wire.whole(ask, pool, response, MAX_REFUSAL)

            response, answer = once(knock)
            if answer is None:
                found = {name.lower(): value for name, value in response.headers.items()}
                yield Body(response.status_code, found, _pieces(wire, ask, pool, response))
                return
            place = target(response)
        if place is None:
            _refuse(ask, answer)
        else:
            url = wire.same_origin(ask, place)
    raise in_circles(ask)


def _refuse(ask: Ask, answer: Answer) -> None:
    once(lambda: judge.judge(ask, answer, wants_json=True, answered_before=False, now=0.0))


def _pieces(wire: Wire, ask: Ask, pool: Pool, response: httpx.Response) -> Iterator[bytes]:
    pieces = response.iter_bytes()

    def read() -> bytes | None:
        with wire.translated(ask, pool), pool.reading():
            return next(pieces, None)

    while True:
        try:
            piece = once(read)
        except HomelabError:
            if pool.closed:
                return
            raise
        if piece is None:
            return
        yield piece
