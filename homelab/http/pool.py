"""The connections of one route, and how they are cut from another thread. Layer: http.

Closing a socket does not wake a thread that reads it; shutting it down does. So every socket is
noted when it connects, and cutting means: shut down, wait for the readers to leave, close.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

from homelab.errors import UsageError
from homelab.http.dial import DialTransport, Route
from homelab.http.lean import httpx

READERS_LEAVE_WITHIN = 2.0


class Pool:
    """One connection pool of one :class:`Route`. Safe to use from several threads."""

    def __init__(self, way: Route, context: ssl.SSLContext, headers: Mapping[str, str]) -> None:
        """Connect to nothing yet. ``headers`` go with every request.

        Raises UsageError for a proxy of a kind we do not speak.
        """
        try:
            inner = httpx.HTTPTransport(verify=context, trust_env=False, proxy=way.proxy)
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise UsageError(
                "the proxy that the environment names cannot be used",
                why="only http:// and https:// proxies are",
                fix="unset HTTPS_PROXY ALL_PROXY   (or name the server in NO_PROXY, or give it a dial)",
            ) from error
        self._client = httpx.Client(
            transport=DialTransport(way, inner), headers=headers, trust_env=False, follow_redirects=False
        )
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._change = threading.Condition()
        self._busy = 0
        self.closed = False

    @contextlib.contextmanager
    def request(self, method: str, url: httpx.URL, *, timeout: httpx.Timeout, **more: Any) -> Iterator[httpx.Response]:
        """Send and give the response with its body unread; raises what httpx raises."""
        request = self._client.build_request(
            method, url, timeout=timeout, extensions={"trace": self._note_socket}, **more
        )
        with self.reading():
            response = self._client.send(request, stream=True)
        try:
            yield response
        finally:
            self._let_go(response)

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Mark this thread as one that may be blocked on a socket."""
        with self._change:
            self._busy += 1
        try:
            yield
        finally:
            with self._change:
                self._busy -= 1
                self._change.notify_all()

    @contextlib.contextmanager
    def cut_after(self, seconds: float) -> Iterator[threading.Event]:
        """Cut the connections when the block takes longer; the event tells whether that happened.

        A server that drips bytes defeats read timeouts, which start anew with each byte.
        """
        late = threading.Event()

        def cut() -> None:
            late.set()
            self.cut()

        guard = threading.Timer(max(seconds, 0.0), cut)
        guard.daemon = True
        guard.start()
        try:
            yield late
        finally:
            guard.cancel()

    def cut(self) -> None:
        """Shut every connection down; blocked readers return at once."""
        with self._change:
            sockets = list(self._sockets)
        for one in sockets:
            _shut_down(one)

    def close(self) -> None:
        """Cut, let the readers leave, and close everything."""
        self.closed = True
        self.cut()
        with self._change:
            self._change.wait_for(lambda: not self._busy, READERS_LEAVE_WITHIN)
        self._client.close()

    def _let_go(self, response: httpx.Response) -> None:
        if self.closed:
            self.cut()
            with self._change:
                self._change.wait_for(lambda: not self._busy, READERS_LEAVE_WITHIN)
        with contextlib.suppress(httpx.HTTPError, OSError):
            response.close()

    def _note_socket(self, name: str, info: Mapping[str, Any]) -> None:
        # httpx's documented "trace" extension: …connect_tcp.complete and …start_tls.complete give the new stream.
        stream = info.get("return_value") if name.endswith(".complete") else None
        look = getattr(stream, "get_extra_info", None)
        found = look("socket") if look else None
        if not isinstance(found, socket.socket):
            return
        with self._change:
            self._sockets.add(found)
        if self.closed:
            _shut_down(found)


def _shut_down(one: socket.socket) -> None:
    # Not ssl.SSLSocket's own shutdown: it drops the TLS state under a thread that is using it.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(one, socket.SHUT_RDWR)
