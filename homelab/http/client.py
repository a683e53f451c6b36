"""The HTTP client: one site, at most one token, every answer usable or an error that says why.

Loaded by ``homelab.app`` when a client is first needed. Layer: http.
"""

from __future__ import annotations

import json as json_codec
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from homelab.clock import Clock, SystemClock, Wake
from homelab.errors import TierViolation
from homelab.events import Emit
from homelab.http import judge, pour, stream
from homelab.http.ask import Ask
from homelab.http.lean import httpx
from homelab.http.pool import Pool
from homelab.http.port import Answer, Body, Params, ServerEvent, Site
from homelab.http.retry import Retries
from homelab.http.skew import skew
from homelab.http.trouble import Trouble
from homelab.http.wire import MAX_REDIRECTS, Wire, in_circles, shown
from homelab.secret import Secret

#: Bytes of one body, decompressed.
MAX_BODY = 64 * 1024 * 1024
READS = {"GET", "HEAD"}


class Client:
    """Implements :class:`~homelab.http.port.JsonHttp` over httpx. Safe to use from several threads.

    ``budget`` bounds one request with all its retries (seconds), ``limit`` the bytes of one body;
    ``read_only`` refuses everything but GET and HEAD; ``env`` is where proxies are looked up.
    Raises UsageError when the site cannot be used and TokenRejected when ``token`` cannot be one.
    """

    def __init__(
        self,
        site: Site,
        *,
        token: Secret | None = None,
        clock: Clock | None = None,
        emit: Emit = lambda _: None,
        budget: float = 60.0,
        read_only: bool = False,
        env: Mapping[str, str] | None = None,
        limit: int = MAX_BODY,
    ) -> None:
        """Connect to nothing yet."""
        self.site = site
        self._clock, self._emit = clock or SystemClock(), emit
        self._budget, self._read_only = budget, read_only
        self._wire = Wire(site, token=token, env=env or {}, limit=limit)
        self._pool = self._wire.pool()
        self._streams: set[Pool] = set()
        self._lock = threading.Lock()
        self._closing = Wake()
        self._answered: set[str] = set()
        self._trouble = Trouble(site.name, self._clock, emit)
        self.ahead: float | None = None

    def __repr__(self) -> str:
        """Name the site, never the token."""
        return f"Client({self.site.url!r})"

    def get(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Any:
        """Fetch JSON, retrying what may pass, within ``budget`` seconds."""
        return self._read(path, params, budget, wants_json=True).json()

    def fetch(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Answer:
        """Fetch any GET answer with status < 400, retrying likewise, without decoding it."""
        return self._read(path, params, budget, wants_json=False)

    def answer(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Answer:
        """Fetch JSON as ``get`` does, with its headers."""
        return self._read(path, params, budget, wants_json=True)

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Params | None = None,
        safe_to_repeat: bool = False,
    ) -> Answer:
        """Write. Sent once unless ``safe_to_repeat``; a connection that never opened is tried again."""
        ask = self._wire.ask(method.upper(), path)
        if self._read_only and ask.writes:
            raise TierViolation(f"a reading verb tried to {ask.shown}", why="its tier is read", fix="report this bug")
        more: dict[str, Any] = {}
        if json is not None:
            more = {"content": json_codec.dumps(json).encode(), "headers": {"Content-Type": "application/json"}}
        url = self._wire.url(path, params)
        retries = self._retries(ask, None, repeatable=safe_to_repeat or not ask.writes)

        def attempt() -> Answer:
            answer, place = self._wire.exchange(ask, self._pool, url, retries.left, **more)
            if place is not None:
                raise judge.redirected_write(ask, shown(place))
            return self._judged(ask, answer, wants_json=False)

        return retries.run(attempt)

    @contextmanager
    def stream(
        self, path: str, *, idle: float, headers: Mapping[str, str] | None = None
    ) -> Iterator[Iterator[ServerEvent]]:
        """Open an event stream on a connection of its own; ``idle`` seconds without a byte end it (Unreachable)."""
        ask = self._wire.ask("GET", path)
        with (
            self._own_pool() as pool,
            stream.open_stream(self._wire, ask, pool, idle=idle, headers=headers or {}) as response,
        ):
            try:
                yield stream.events(self._wire, ask, pool, response)
            finally:
                # Before the response is closed: a reader in another thread must be woken first.
                pool.close()

    @contextmanager
    def pour(
        self,
        path: str,
        *,
        idle: float,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        budget: float | None = None,
    ) -> Iterator[Body]:
        """Fetch a body of any size piece by piece, on a connection of its own.

        Only its opening is retried, within ``budget`` seconds.
        """
        ask = self._wire.ask("GET", path)
        retries, sent = self._retries(ask, budget, repeatable=True), headers or {}
        with (
            self._own_pool() as pool,
            pour.open_body(self._wire, ask, pool, idle=idle, headers=sent, params=params, retries=retries) as body,
        ):
            try:
                yield body
            finally:
                pool.close()

    @contextmanager
    def _own_pool(self) -> Iterator[Pool]:
        """A pool for one long answer, which closing the client ends."""
        pool = self._wire.pool()
        with self._lock:
            self._streams.add(pool)
            if self._pool.closed:
                pool.closed = True
        try:
            yield pool
        finally:
            pool.close()
            with self._lock:
                self._streams.discard(pool)

    def close(self) -> None:
        """Close every connection; streams being read in other threads end, requests there fail."""
        with self._lock:
            self._pool.closed = True
            pools = [*self._streams, self._pool]
        self._closing.ring()
        for pool in pools:
            pool.close()

    def _read(self, path: str, params: Params | None, budget: float | None, *, wants_json: bool) -> Answer:
        ask = self._wire.ask("GET", path)
        retries = self._retries(ask, budget, repeatable=True)

        url = self._wire.url(path, params)
        return retries.run(lambda: self._judged(ask, self._followed(ask, url, retries), wants_json=wants_json))

    def _followed(self, ask: Ask, url: httpx.URL, retries: Retries) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            answer, place = self._wire.exchange(ask, self._pool, url, retries.left)
            if place is None:
                return answer
            url = self._wire.same_origin(ask, place)
        raise in_circles(ask)

    def _judged(self, ask: Ask, answer: Answer, *, wants_json: bool) -> Answer:
        kind = kind_of(ask.path)
        before = kind in self._answered
        judge.judge(ask, answer, wants_json=wants_json, answered_before=before, now=self._clock.now())
        self._answered.add(kind)
        self._trouble.over()
        self.ahead = skew(answer.headers, self._clock.now())
        return answer

    def _retries(self, ask: Ask, budget: float | None, *, repeatable: bool) -> Retries:
        budget = self._budget if budget is None else budget
        return Retries(
            ask,
            budget=budget,
            clock=self._clock,
            emit=self._emit,
            pause=self._pause,
            repeatable=repeatable,
            trouble=self._trouble,
        )

    def _pause(self, seconds: float) -> None:
        if self._clock.wait(self._closing, seconds):
            self._closing.ring()  # other threads may be waiting as well


def kind_of(path: str) -> str:
    """Return what ``path`` has in common with its like: ``/api/repos/7/logs/3`` is ``/api/repos/#/logs/#``."""
    return re.sub(r"(?<=/)\d+(?=/|$)", "#", path.partition("?")[0])
