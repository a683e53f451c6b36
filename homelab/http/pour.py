"""A large body, handed on piece by piece: a log of hundreds of megabytes in the memory of one piece. Layer: http."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from homelab.http.ask import Ask
from homelab.http.flow import Wanted, opened, pieces
from homelab.http.lean import httpx
from homelab.http.pool import Pool
from homelab.http.port import Body, Params
from homelab.http.retry import Retries
from homelab.http.wire import Wire


@contextmanager
def open_body(
    wire: Wire,
    ask: Ask,
    pool: Pool,
    *,
    idle: float,
    headers: Mapping[str, str],
    params: Params | None,
    retries: Retries,
) -> Iterator[Body]:
    """Open it as often as ``retries`` allow and give the body unread; any success that is no web page is one."""
    wanted = Wanted("a body", headers, _is_body)
    url, left = wire.url(ask.path, params), lambda: retries.left
    with opened(wire, ask, pool, url, idle=idle, wanted=wanted, run=retries.run, left=left) as response:
        found = {name.lower(): value for name, value in response.headers.items()}
        yield Body(response.status_code, found, pieces(wire, ask, pool, response))


def _is_body(response: httpx.Response) -> bool:
    return response.is_success and "html" not in response.headers.get("content-type", "").lower()
