"""How each kind of CI server greets a stranger, names a token's user, and knows a repository.

Layer: doctor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from homelab.ci.actions.client import Actions
from homelab.ci.port import CiRepository
from homelab.ci.woodpecker.client import FINGERPRINT, Woodpecker
from homelab.clock import Clock
from homelab.errors import HttpStatus, TokenRejected, WrongService
from homelab.http.port import Answer, JsonHttp, Site
from homelab.settings.model import CiServer

_UNAUTHORIZED, _FORBIDDEN = 401, 403


class Face(Protocol):
    """One kind of CI server, asked without changing anything. Raises only :mod:`homelab.errors`."""

    def site(self) -> Site:
        """Return the server as the HTTP client knows it."""

    def greeting(self, http: JsonHttp) -> tuple[str, Answer | None]:
        """Return the version it says without a token ("" unsaid), and the answer that proves it is the service."""

    def user(self, http: JsonHttp) -> str:
        """Return the token's user. Raises TokenRejected."""

    def repository(self, http: JsonHttp, slug: str) -> CiRepository:
        """Return ``slug`` as the ci verbs know it, over ``http``."""


@dataclass(frozen=True, slots=True)
class WoodpeckerFace:
    """Woodpecker: every answer carries its version header, and only ``/api/user`` proves a token."""

    server: CiServer

    def site(self) -> Site:
        """Return the server as the HTTP client knows it."""
        return _site(self.server, "Woodpecker", FINGERPRINT)

    def greeting(self, http: JsonHttp) -> tuple[str, Answer | None]:
        """Ask ``/version``; a proxy may pass the API alone, then a guest's 401 with the header proves it."""
        try:
            answer = http.fetch("/version")
        except (HttpStatus, WrongService):
            try:
                answer = http.fetch("/api/user")
            except HttpStatus as error:
                if error.status != _UNAUTHORIZED:
                    raise
                return "", None
        return answer.headers.get(FINGERPRINT, ""), answer

    def user(self, http: JsonHttp) -> str:
        """Return the login. Raises TokenRejected."""
        return self.repository(http, "").login()

    def repository(self, http: JsonHttp, slug: str) -> Woodpecker:
        """Return ``slug`` as the ci verbs know it, over ``http``."""
        return Woodpecker(http, slug, name=self.server.name, second=lambda: http)


@dataclass(frozen=True, slots=True)
class ActionsFace:
    """Actions of Forgejo and Gitea: the forge's own API (routers/api/v1/api.go of both)."""

    server: CiServer
    clock: Clock

    def site(self) -> Site:
        """Return the server as the HTTP client knows it."""
        return _site(self.server, "Gitea" if self.server.kind == "gitea" else "Forgejo", None)

    def greeting(self, http: JsonHttp) -> tuple[str, Answer | None]:
        """Ask ``/api/v1/version``; where sign-in is forced it answers 401 or 403 to a stranger."""
        try:
            answer = http.fetch("/api/v1/version")
        except HttpStatus as error:
            if error.status not in {_UNAUTHORIZED, _FORBIDDEN}:
                raise
            return "", None
        return _version(answer, self.site()), answer

    def user(self, http: JsonHttp) -> str:
        """Return the login; a token without the scope ``read:user`` is valid and stays nameless."""
        try:
            return str(http.get("/api/v1/user")["login"])
        except HttpStatus as error:
            if error.status == _FORBIDDEN:
                return "valid (its scopes hide the user)"
            if error.status != _UNAUTHORIZED:
                raise
            raise TokenRejected(
                f"{self.server.name} does not accept the token",
                why=f"GET {self.server.url}/api/v1/user answered 401: mistyped, revoked or another's",
                fix=f"make a new token on {self.server.url}/user/settings/applications, then: homelab doctor",
            ) from error

    def repository(self, http: JsonHttp, slug: str) -> Actions:
        """Return ``slug`` as the ci verbs know it, over ``http``."""
        return Actions(http, slug, name=self.server.name, clock=self.clock)


def face_of(server: CiServer, clock: Clock) -> Face:
    """Return the face of ``server``'s kind."""
    return WoodpeckerFace(server) if server.kind == "woodpecker" else ActionsFace(server, clock)


def _site(server: CiServer, name: str, fingerprint: str | None) -> Site:
    return Site(server.url, dial=server.dial, ca_file=server.ca_file, name=name, fingerprint=fingerprint)


def _version(answer: Answer, site: Site) -> str:
    try:
        return str(answer.json()["version"])
    except (ValueError, KeyError, TypeError):
        raise WrongService(
            f"something else than {site.name} answers at {site.url}",
            why="GET /api/v1/version gave no version",
            fix="correct url or dial; where they are set: homelab config show",
        ) from None
