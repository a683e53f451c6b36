"""A large body, handed on piece by piece: a log of hundreds of megabytes in the memory of one piece. Layer: http."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from homelab.errors import HomelabError
from homelab.http import judge
from homelab.http.ask import Ask
from homelab.http.lean import httpx
from homelab.http.pool import Pool
from homelab.http.port import Body, Params
from homelab.http.stream import MAX_REFUSAL, without_retry
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
            with without_retry(), pool.cut_after(CONNECT + idle) as late, wire.translated(ask, pool, late):
                response = stack.enter_context(pool.request("GET", url, timeout=timeout, headers=dict(headers)))
                kind = response.headers.get("content-type", "")
                if not response.is_success or "html" in kind:
                    answer, place = wire.whole(ask, pool, response, MAX_REFUSAL), target(response)
                    if place is None:
                        judge.judge(ask, answer, wants_json=True, answered_before=False, now=0.0)
                else:
                    place = None
            if place is None:
                found = {name.lower(): value for name, value in response.headers.items()}
                yield Body(response.status_code, found, _chunks(wire, ask, pool, response))
                return
        url = wire.same_origin(ask, place)
    raise in_circles(ask)


def _chunks(wire: Wire, ask: Ask, pool: Pool, response: httpx.Response) -> Iterator[bytes]:
    pieces = response.iter_bytes()
    while True:
        try:
            with without_retry(), wire.translated(ask, pool), pool.reading():
                piece = next(pieces, None)
        except HomelabError:
            if pool.closed:
                return
            raise
        if piece is None:
            return
        yield piece
