"""The Kubernetes API over the official client's connection pool: get, list, watch, logs, patch.

Layer: the Kubernetes adapter; loaded only when a verb first asks for a cluster.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, ReadTimeoutError, SSLError

from homelab.clock import Clock
from homelab.errors import HomelabError, HttpStatus, TierViolation, Unreachable
from homelab.events import Emit, Notice
from homelab.kube import answers
from homelab.kube.access import Channel, open_channel
from homelab.kube.events import RequestRetried, RequestTroubled
from homelab.kube.pace import Pace
from homelab.kube.port import ASKING_TO_LOOK, MERGE_PATCH, Json, Params, Patch, Watching, whole
from homelab.kube.stream import OpenWatch, stamped
from homelab.settings.model import KubernetesAccess

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
#: One request with all its retries, in seconds.
BUDGET = 20.0
#: A watch is given this much longer than the server was told, before it counts as dead.
WATCH_GRACE = 10.0
#: A log that says nothing for this long is asked again.
FOLLOW_SECONDS = 60.0
#: Items of one page of a list.
PAGE = 250
TOLD_AFTER = 3
#: ``Date`` has whole seconds; a difference below this is no difference.
SKEW_NOISE = 2.0


def connect(
    access: KubernetesAccess,
    *,
    env: Mapping[str, str],
    clock: Clock,
    emit: Emit,
    read_only: bool = True,
    budget: float = BUDGET,
) -> ApiCluster:
    """Return the cluster of ``access``'s context. Reads credentials; sends nothing yet.

    ``budget`` bounds one request with all its retries, in seconds.
    """
    return ApiCluster(lambda: open_channel(access, env), clock=clock, emit=emit, read_only=read_only, budget=budget)


class ApiCluster:
    """Implements :class:`homelab.kube.port.Cluster`."""

    def __init__(
        self,
        open_: Callable[[], Channel],
        *,
        clock: Clock,
        emit: Emit,
        read_only: bool = True,
        budget: float = BUDGET,
        pace: Pace | None = None,
    ) -> None:
        """``open_`` is called again when the server no longer accepts what it gave."""
        self._open = open_
        self._channel = open_()
        if self._channel.unchecked:
            text = "its kubeconfig says insecure-skip-tls-verify: the server's certificate is not checked"
            emit(Notice(about=self._channel.name, text=text))
        #: Also those given up: another thread may be in the middle of a request.
        self._channels = [self._channel]
        self._closed = False
        self._clock, self._emit = clock, emit
        self._read_only, self._budget = read_only, budget
        self._pace = pace or Pace(clock)
        self._lock = threading.Lock()
        self.name, self.namespace = self._channel.name, self._channel.namespace
        self.skew = 0.0

    def get(self, path: str, params: Params | None = None) -> Json:
        """Return one object."""
        return self._json("get", path, params)

    def list(self, path: str, params: Params | None = None, *, keep: Callable[[Json], Any] = whole) -> Json:
        """Return all pages; start over in one page when the server forgot the first."""
        try:
            return self._pages(path, {**(params or {}), "limit": PAGE}, keep)
        except HttpStatus as error:
            if error.status != HTTPStatus.GONE:
                raise
            return self._pages(path, params or {}, keep)

    def _pages(self, path: str, params: Params, keep: Callable[[Json], Any]) -> Json:
        items: list[Any] = []
        more = ""
        while True:
            page = self._json("list", path, {**params, "continue": more} if more else params)
            items += [keep(item) for item in page.get("items") or []]
            about = page.get("metadata") or {}
            more = str(about.get("continue") or "")
            if not more:
                return {"items": items, "resourceVersion": str(about.get("resourceVersion") or "")}

    def watch(
        self, path: str, *, resource_version: str, params: Params | None = None, timeout: float = 60.0
    ) -> Watching:
        """Open a watch; one try, since whoever watches reconnects by itself."""
        asked = {
            **(params or {}),
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": int(timeout),
            "resourceVersion": resource_version,
        }
        response = self._send("GET", path, asked, read=timeout + WATCH_GRACE)
        if response.status != HTTPStatus.OK:
            body = response.data
            raise answers.refusal(response.status, body, verb="watch", path=path, server=self.name)
        return OpenWatch(response, path=path, server=self.name, clock=self._clock, limit=timeout + WATCH_GRACE)

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        tail: int = 20,
        limit_bytes: int = 65_536,
    ) -> str:
        """Return the last lines of a container."""
        path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/log"
        asked: dict[str, str | int] = {"container": container, "tailLines": tail, "limitBytes": limit_bytes}
        if previous:
            asked["previous"] = "true"
        return self._fetched("get", path, asked).decode(errors="replace")

    def follow(self, namespace: str, pod: str, container: str, *, tail: int = 20) -> Iterator[str]:
        """Follow a log; a silent or broken stream is opened again after the last line's own stamp."""
        path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/log"
        asked: dict[str, str | int] = {"container": container, "follow": "true", "timestamps": "true"}
        since, failures = "", 0
        while failures < TOLD_AFTER:
            start: dict[str, str | int] = {"sinceTime": since} if since else {"tailLines": tail}
            response = self._send("GET", path, {**asked, **start}, read=FOLLOW_SECONDS)
            if response.status != HTTPStatus.OK:
                raise answers.refusal(response.status, response.data, verb="get", path=path, server=self.name)
            try:
                for stamp, line in stamped(response):
                    if stamp > since:
                        since, failures = stamp, 0
                        yield line
                return
            except ReadTimeoutError:
                continue
            except (HTTPError, OSError):
                failures += 1
            finally:
                response.close()

    def patch(self, path: str, body: Patch, *, content_type: str = MERGE_PATCH) -> Json:
        """Change an object, once."""
        if self._read_only and not _only_asks(body):
            raise TierViolation(
                f"a reading verb tried to patch {path}",
                why="the verb is declared with tier READ",
                fix="report this: it is a bug in homelab",
            )
        response = self._send("PATCH", path, {}, body=json.dumps(body).encode(), content_type=content_type)
        if response.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise answers.refusal(response.status, response.data, verb="patch", path=path, server=self.name)
        return self._decoded(response.data)

    def close(self) -> None:
        """Close every pool's connections; clearing a pool alone leaves them to the garbage collector."""
        self._closed = True
        for channel in self._channels:
            channel.pool.connection_from_url(channel.host).close()
            channel.pool.clear()

    def _json(self, verb: str, path: str, params: Params | None) -> Json:
        return self._decoded(self._fetched(verb, path, params))

    def _decoded(self, body: bytes) -> Json:
        try:
            value = json.loads(body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise answers.not_json(self.name, body)
        return value

    def _fetched(self, verb: str, path: str, params: Params | None) -> bytes:
        """Fetch with retries inside the budget; the last reason is the one that is raised."""
        began, attempt, reloaded = self._clock.monotonic(), 0, False
        while True:
            attempt += 1
            wanted_pause: float | None = None
            failure: HomelabError
            try:
                response = self._send("GET", path, params or {})
                body = response.data
            except Unreachable as error:
                if type(error) is not Unreachable:
                    raise
                failure = error
            except HTTPError as error:
                failure = answers.no_answer(self.name, self._channel.host, f"the answer broke off: {error}")
            else:
                if response.status == HTTPStatus.OK:
                    return body
                failure = answers.refusal(response.status, body, verb=verb, path=path, server=self.name)
                if response.status == HTTPStatus.UNAUTHORIZED and not reloaded:
                    reloaded = True
                    self._reload()
                    continue
                if response.status not in answers.MAY_PASS:
                    raise failure
                wanted_pause = _seconds(response.headers.get("Retry-After"))
            self._pause_or_raise(failure, attempt=attempt, began=began, wanted=wanted_pause)

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
            self._channel = self._open()
            self._channels.append(self._channel)

    def _send(
        self,
        method: str,
        path: str,
        params: Params,
        *,
        read: float = READ_SECONDS,
        body: bytes | None = None,
        content_type: str | None = None,
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


def _only_asks(body: Patch) -> bool:
    """Say whether a patch does nothing but ask a controller to look now."""
    if isinstance(body, list):
        return False
    annotations = (body.get("metadata") or {}).get("annotations") or {}
    return body == {"metadata": {"annotations": annotations}} and set(annotations) <= ASKING_TO_LOOK


def _seconds(text: str | None) -> float | None:
    """Return ``Retry-After`` in seconds; None where it is absent or a date."""
    return float(text) if text and text.isdigit() else None
