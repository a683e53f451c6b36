"""Requests to one API server: paced, authorized, timed, repeated where that may help.

Layer: the Kubernetes adapter, below the cluster; loaded only when a verb first asks for one.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, SSLError

from homelab.clock import Clock
from homelab.errors import HomelabError, HttpStatus, TokenRejected, Unreachable
from homelab.events import Emit, Notice
from homelab.kube import answers
from homelab.kube.access import Channel
from homelab.kube.events import RequestRetried, RequestTroubled
from homelab.kube.pace import Pace
from homelab.kube.port import Params
from homelab.kube.stream import PIECE

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
TOLD_AFTER = 3
#: ``Date`` has whole seconds; a difference below this is no difference.
SKEW_NOISE = 2.0


class Transport:
    """One connection pool, and the rules for using it. Raises only :mod:`homelab.errors`."""

    def __init__(
        self, open_: Callable[[], Channel], *, clock: Clock, emit: Emit, budget: float, pace: Pace | None = None
    ) -> None:
        """``open_`` is called again when the server no longer accepts what it gave.

        ``budget`` bounds one fetch with all its retries, in seconds.
        """
        self._open_channel, self._channel = open_, open_()
        if self._channel.unchecked:
            text = "its kubeconfig says insecure-skip-tls-verify: the server's certificate is not checked"
            emit(Notice(about=self._channel.name, text=text))
        #: Also those given up: another thread may be in the middle of a request.
        self._channels = [self._channel]
        self._closed = False
        self._clock, self._emit, self._budget = clock, emit, budget
        self._pace = pace or Pace(clock)
        self._lock = threading.Lock()
        self.name, self.namespace = self._channel.name, self._channel.namespace
        #: Seconds the server's clock is ahead of ours.
        self.skew = 0.0

    def fetch(self, verb: str, path: str, params: Params | None) -> bytes:
        """Return the body of a good answer, with retries inside the budget; the last reason is the one raised."""
        began, attempt = self._clock.monotonic(), 0
        while True:
            attempt += 1
            try:
                return self._whole(self.open(verb, path, params or {}))
            except HttpStatus as error:
                if error.status not in answers.MAY_PASS:
                    raise
                self._pause_or_raise(error, attempt=attempt, began=began, wanted=error.retry_after)
            except Unreachable as error:
                if type(error) is not Unreachable:
                    raise
                self._pause_or_raise(error, attempt=attempt, began=began, wanted=None)

    def open(
        self,
        verb: str,
        path: str,
        params: Params,
        *,
        read: float = READ_SECONDS,
        body: bytes | None = None,
        content_type: str | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Ask once and return the answer with its body still to come; a 401 reads the credentials again, once.

        ``verb`` is as RBAC calls it. Raises what :func:`homelab.kube.answers.refusal` makes of any other status.
        """
        method = "PATCH" if verb == "patch" else "GET"
        try:
            return self._answered(method, verb, path, params, read=read, body=body, content_type=content_type)
        except TokenRejected:
            self._reload()
            return self._answered(method, verb, path, params, read=read, body=body, content_type=content_type)

    def change(self, path: str, body: bytes, *, content_type: str) -> bytes:
        """Send a patch and return the answer. Sent once: nobody knows whether one that broke off was done."""
        return self._whole(self.open("patch", path, {}, body=body, content_type=content_type))

    def close(self) -> None:
        """Close every pool's connections; clearing a pool alone leaves them to the garbage collector."""
        self._closed = True
        for channel in self._channels:
            channel.pool.connection_from_url(channel.host).close()
            channel.pool.clear()

    def _answered(
        self,
        method: str,
        verb: str,
        path: str,
        params: Params,
        *,
        read: float,
        body: bytes | None,
        content_type: str | None,
    ) -> urllib3.BaseHTTPResponse:
        response = self._send(method, path, params, read=read, body=body, content_type=content_type)
        if response.status < HTTPStatus.MULTIPLE_CHOICES:
            return response
        asked = answers.retry_after(response.headers.get("Retry-After"), self._clock.now())
        said = self._whole(response)
        raise answers.refusal(response.status, said, verb=verb, path=path, server=self.name, retry_after=asked)

    def _whole(self, response: urllib3.BaseHTTPResponse) -> bytes:
        """Return the rest of an answer; one that only trickles is given up when its time is over."""
        limit = max(self._budget, READ_SECONDS)
        ends, pieces = self._clock.monotonic() + limit, []
        try:
            while piece := response.read1(PIECE):
                pieces.append(piece)
                if self._clock.monotonic() > ends:
                    response.close()
                    raise self._broke_off(f"it was still coming after {limit:.0f} s")
        except (HTTPError, OSError) as error:
            response.close()
            raise self._broke_off(str(error)) from error
        return b"".join(pieces)

    def _broke_off(self, why: str) -> Unreachable:
        return answers.no_answer(self.name, self._channel.host, f"the answer broke off: {why}")

    def _pause_or_raise(self, failure: HomelabError, *, attempt: int, began: float, wanted: float | None) -> None:
        pause = wanted if wanted is not None else random.uniform(0.5, 1.0) * min(2.0 ** (attempt - 1), 8.0)  # noqa: S311 -- jitter
        if self._clock.monotonic() + pause - began > self._budget:
            raise failure
        event = RequestTroubled if attempt == TOLD_AFTER else RequestRetried
        self._emit(event(server=self.name, reason=failure.what, attempt=attempt, pause=pause))
        self._clock.sleep(pause)

    def _reload(self) -> None:
        """Read the credentials again: a rotated token file, an expired plugin's answer."""
        with self._lock:
            self._channel = self._open_channel()
            self._channels.append(self._channel)

    def _send(
        self, method: str, path: str, params: Params, *, read: float, body: bytes | None, content_type: str | None
    ) -> urllib3.BaseHTTPResponse:
        """Send once and return as soon as the headers are there. Raises Unreachable or CertificateRefused."""
        self._pace.take()
        channel = self._channel
        if self._closed:
            raise answers.no_answer(self.name, channel.host, "the connection was closed on our side")
        headers = {"Accept": "application/json", "User-Agent": "homelab"}
        authorization = channel.authorization()
        if authorization:
            headers["Authorization"] = authorization
        if content_type:
            headers["Content-Type"] = content_type
        url = channel.host + path + (f"?{urlencode(params)}" if params else "")
        try:
            response = channel.pool.request(
                method,
                url,
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read),
                preload_content=False,
                redirect=False,
                retries=False,
            )
        except SSLError as error:
            raise answers.bad_certificate(self.name, str(error)) from error
        except (HTTPError, LocationParseError, OSError) as error:
            raise answers.no_answer(self.name, channel.host, str(error)) from error
        self._note_skew(response.headers.get("Date"))
        return response

    def _note_skew(self, date: str | None) -> None:
        """Compare the server's clock with ours; a stamp of whole seconds is good enough for graces."""
        if not date:
            return
        try:
            ahead = parsedate_to_datetime(date).timestamp() - self._clock.now()
        except (ValueError, TypeError):
            return
        self.skew = ahead if abs(ahead) > SKEW_NOISE else 0.0
