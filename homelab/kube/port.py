"""What the rest of homelab knows about a Kubernetes API: paths in, dictionaries out.

Importing this loads no Kubernetes library. Fakes in tests are typed against these protocols.
Paths start with ``/api`` or ``/apis``; parameters are query parameters as the API names them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

Json = dict[str, Any]
#: An object to merge, or a list of operations.
Patch = Json | list[Json]
Params = Mapping[str, str | int]

#: Content types of the patches we send.
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"

#: Annotations that ask a controller to look now and change nothing that is wanted: a reading verb may set them.
ASKING_TO_LOOK = frozenset({"argocd.argoproj.io/refresh", "reconcile.fluxcd.io/requestedAt"})


def whole(item: Json) -> Any:
    """Keep an item of a list as it came: the ``keep`` of a list that is small."""
    return item


class Watching(Protocol):
    """An open watch: iterate it for ``{"type": …, "object": {…}}``; close it from any thread."""

    def __iter__(self) -> Iterator[Json]:
        """Yield events until the server ends the watch (a normal end says nothing about the object).

        Raises HttpStatus 410 for an ERROR event that says Expired or Gone, other HttpStatus for any
        other ERROR event, Unreachable when the connection broke or stayed silent too long.
        """

    def close(self) -> None:
        """End the iteration, also one blocked in another thread."""


class Cluster(Protocol):
    """One Kubernetes API server, seen through one context. Raises only :mod:`homelab.errors`.

    Every request has a connect and a read timeout, and a budget for its retries: 429 and 5xx are
    retried with ``Retry-After``; 401 reloads the credentials once, then raises TokenRejected;
    403 raises PermissionMissing naming verb and resource; 404 raises HttpStatus with status 404.
    """

    #: What a person calls it: the context's name, or ``in-cluster``.
    name: str
    #: The context's own namespace, ``default`` where it names none.
    namespace: str

    @property
    def skew(self) -> float:
        """Seconds the server's clock is ahead of ours, from the last answer."""

    def get(self, path: str, params: Params | None = None) -> Json:
        """Return one object, read from the quorum."""

    def list(self, path: str, params: Params | None = None, *, keep: Callable[[Json], Any] = whole) -> Json:
        """Return ``{"items": [keep(item), …], "resourceVersion": …}`` of all pages.

        ``keep`` is applied as each page arrives, so that a long list is never held whole.
        """

    def watch(
        self, path: str, *, resource_version: str, params: Params | None = None, timeout: float = 60.0
    ) -> Watching:
        """Open a watch with bookmarks; the server ends it after ``timeout`` seconds, we soon after that."""

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
        """Return the last lines a container wrote. Raises HttpStatus 400 where there are none yet."""

    def follow(self, namespace: str, pod: str, container: str, *, tail: int = 20) -> Iterator[str]:
        """Yield a container's lines from the last ``tail`` on, until it ends; reconnects where the stream breaks."""

    def patch(self, path: str, body: Patch, *, content_type: str = MERGE_PATCH) -> Json:
        """Change an object. Tried once; a reading verb may only ask to look (else TierViolation)."""

    def close(self) -> None:
        """Close every connection."""
