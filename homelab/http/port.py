"""What the rest of homelab knows about HTTP: a site to talk to, and a client's three ways of asking.

Importing this loads no HTTP library. Fakes in tests are typed against these protocols.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Site:
    """A server by its public URL, and how its address is found and its certificate judged."""

    #: Public base URL, path included: ``https://ci.example.org`` or ``https://example.org/ci``.
    url: str
    #: Where TCP goes instead of the URL's host: ``ip[:port]``, ``[v6][:port]`` or ``name[:port]``.
    dial: str | None = None
    #: PEM file of an authority to trust beside the system's.
    ca_file: Path | None = None
    #: What a person calls it, for messages: ``Woodpecker``, ``Vault``.
    name: str = "server"
    #: Response header whose absence means that something else answered (a portal, a proxy).
    fingerprint: str | None = None
    #: Header the token travels in: ``Authorization`` carries ``Bearer <token>``, any other the token alone.
    token_header: str = "Authorization"  # noqa: S105 -- a header's name
    #: The word before the token in ``Authorization``: ``Bearer``, or ``Basic`` for a registry's user.
    token_scheme: str = "Bearer"  # noqa: S105 -- a scheme, no secret
    #: Further headers of every request, never secret: ``X-Vault-Namespace``.
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that arrived whole: status, lower-cased headers, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Decode the body; ValueError when it is not JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Body:
    """A response whose body is still coming: status, lower-cased headers, and its pieces, read once."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One server-sent event: its name (``message`` when unnamed), its id, its data."""

    event: str
    data: str
    id: str = ""


class JsonHttp(Protocol):
    """A client bound to one :class:`Site` and at most one token.

    ``path`` is relative to the site's URL and starts with ``/``. Every method raises only
    :mod:`homelab.errors`: ``CertificateRefused``, ``WrongService``, ``Unreachable`` when the
    budget is spent, ``HttpStatus`` for any other answer >= 400.
    """

    site: Site
    #: Seconds the server's clock was ahead of ours at its last good answer; None where it did not say.
    ahead: float | None

    def get(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Any:
        """Fetch JSON, retrying what may pass, within ``budget`` seconds (a default otherwise)."""

    def fetch(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Answer:
        """Fetch any GET answer with status < 400, retrying likewise, without decoding it."""

    def answer(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Answer:
        """Fetch JSON as ``get`` does, with its headers."""

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Params | None = None,
        safe_to_repeat: bool = False,
    ) -> Answer:
        """Write. Sent once unless ``safe_to_repeat``; refused (TierViolation) for a reading verb.

        A connection that never opened carried nothing, so connecting is retried in any case.
        """

    def stream(
        self, path: str, *, idle: float, headers: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Iterator[ServerEvent]]:
        """Open an event stream over HTTP/1.1; ``idle`` seconds without a byte end it (Unreachable).

        Opened once, without retries. The iterator ends where the server ends the stream or the
        client is closed, and raises Unreachable where the connection was cut.
        """

    def pour(
        self,
        path: str,
        *,
        idle: float,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        budget: float | None = None,
    ) -> AbstractContextManager[Body]:
        """Fetch a body of any size piece by piece; ``idle`` seconds without a byte end it (Unreachable).

        Only opening it is retried, like a GET, within ``budget`` seconds (a default otherwise): what
        was read of a cut one is the caller's to count.
        """

    def close(self) -> None:
        """Close every connection; a stream being read in another thread ends."""
