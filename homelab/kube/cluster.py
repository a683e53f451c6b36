"""The Kubernetes API over the official client's connection pool: get, list, watch, logs, patch.

Layer: the Kubernetes adapter; loaded only when a verb first asks for a cluster.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import urllib3

from homelab.clock import Clock
from homelab.errors import HttpStatus, TierViolation
from homelab.events import Emit
from homelab.kube import answers
from homelab.kube.access import Channel, open_channel
from homelab.kube.follow import Followed
from homelab.kube.pace import Pace
from homelab.kube.port import ASKING_TO_LOOK, MERGE_PATCH, Json, Params, Patch, Watching, whole
from homelab.kube.stream import OpenWatch
from homelab.kube.transport import Transport
from homelab.settings.model import KubernetesAccess

#: One request with all its retries, in seconds.
BUDGET = 20.0
#: A watch is given this much longer than the server was told, before it counts as dead.
WATCH_GRACE = 10.0
#: A log that says nothing for this long is asked again.
FOLLOW_SECONDS = 60.0
#: Items of one page of a list.
PAGE = 250


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
        self._wire = Transport(open_, clock=clock, emit=emit, budget=budget, pace=pace)
        self._clock, self._read_only = clock, read_only
        self.name, self.namespace = self._wire.name, self._wire.namespace

    @property
    def skew(self) -> float:
        """Return the seconds the server's clock is ahead of ours."""
        return self._wire.skew

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
        response = self._wire.open("watch", path, asked, read=timeout + WATCH_GRACE)
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
        asked: dict[str, str | int] = {"container": container, "tailLines": tail, "limitBytes": limit_bytes}
        if previous:
            asked["previous"] = "true"
        return self._wire.fetch("get", _log_path(namespace, pod), asked).decode(errors="replace")

    def follow(self, namespace: str, pod: str, container: str, *, tail: int = 20) -> Iterator[str]:
        """Follow a log; a silent or broken stream is opened again behind the last line it gave."""
        path = _log_path(namespace, pod)
        asked: dict[str, str | int] = {"container": container, "follow": "true", "timestamps": "true"}

        def open_(start: Params) -> urllib3.BaseHTTPResponse:
            return self._wire.open("get", path, {**asked, **start}, read=FOLLOW_SECONDS)

        return iter(Followed(open_, tail=tail, server=self.name, path=path, clock=self._clock))

    def patch(self, path: str, body: Patch, *, content_type: str = MERGE_PATCH) -> Json:
        """Change an object, once."""
        if self._read_only and not _only_asks(body):
            raise TierViolation(
                f"a reading verb tried to patch {path}",
                why="the verb is declared with tier READ",
                fix="report this: it is a bug in homelab",
            )
        return self._decoded(self._wire.change(path, json.dumps(body).encode(), content_type=content_type))

    def close(self) -> None:
        """Close every connection."""
        self._wire.close()

    def _json(self, verb: str, path: str, params: Params | None) -> Json:
        return self._decoded(self._wire.fetch(verb, path, params))

    def _decoded(self, body: bytes) -> Json:
        try:
            value = json.loads(body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise answers.not_json(self.name, body)
        return value


def _log_path(namespace: str, pod: str) -> str:
    return f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/log"


def _only_asks(body: Patch) -> bool:
    """Say whether a patch does nothing but ask a controller to look now."""
    if isinstance(body, list):
        return False
    annotations = (body.get("metadata") or {}).get("annotations") or {}
    return body == {"metadata": {"annotations": annotations}} and set(annotations) <= ASKING_TO_LOOK
