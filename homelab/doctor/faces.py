"""How each kind of CI server greets a stranger, names a token's user, and knows a repository.

Layer: doctor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from homelab.ci.woodpecker import FINGERPRINT, Woodpecker
from homelab.errors import HttpStatus, NothingThere, PermissionMissing, TokenRejected, WrongService
from homelab.http.port import Answer, JsonHttp, Site
from homelab.settings.model import CiServer

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404


@dataclass(frozen=True, slots=True)
class Standing:
    """What a server says of a repository: its name there, whether it builds it, what the token may do."""

    slug: str
    active: bool
    may_push: bool
    #: Where a person switches it on.
    activate_url: str


class Face(Protocol):
    """One kind of CI server, asked without changing anything. Raises only :mod:`homelab.errors`."""

    def site(self) -> Site:
        """Return the server as the HTTP client knows it."""

    def greeting(self, http: JsonHttp) -> tuple[str, Answer | None]:
        """Return the version it says without a token ("" unsaid), and the answer that proves it is the service."""

    def user(self, http: JsonHttp) -> str:
        """Return the token's user. Raises TokenRejected."""

    def standing(self, http: JsonHttp, slug: str) -> Standing:
        """Return what it says of ``slug``. Raises NothingThere, PermissionMissing."""


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
        return self._client(http, "").login()

    def standing(self, http: JsonHttp, slug: str) -> Standing:
        """Look the repository up. Raises NothingThere."""
        client = self._client(http, slug)
        facts = client.facts()
        return Standing(facts.slug, facts.active, facts.may_write, client.activate_url())

    def _client(self, http: JsonHttp, slug: str) -> Woodpecker:
        return Woodpecker(http, slug, name=self.server.name, second=lambda: http)


@dataclass(frozen=True, slots=True)
class ActionsFace:
    """Actions of Forgejo and Gitea: the forge's own API (routers/api/v1/api.go of both)."""

    server: CiServer

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

    def standing(self, http: JsonHttp, slug: str) -> Standing:
        """Read the repository. Raises NothingThere, PermissionMissing."""
        try:
            raw = http.get(f"/api/v1/repos/{slug}")
        except HttpStatus as error:
            raise self._unseen(error, slug) from error
        url = str(raw.get("html_url") or f"{self.server.url}/{slug}")
        return Standing(
            slug=str(raw.get("full_name") or slug),
            active=bool(raw.get("has_actions", True)) and not raw.get("archived"),
            may_push=bool((raw.get("permissions") or {}).get("push")),
            activate_url=f"{url}/settings",
        )

    def _unseen(self, error: HttpStatus, slug: str) -> HttpStatus | NothingThere | PermissionMissing:
        if error.status == _NOT_FOUND:
            return NothingThere(
                f"{self.server.name} has no repository {slug}",
                why="it does not exist there, or this token cannot see it; the server does not tell which",
                fix=f"open {self.server.url}/{slug}, or ask its owner for access",
            )
        if error.status == _FORBIDDEN:
            return PermissionMissing(
                f"the token may not read {slug} on {self.server.name}",
                why=error.why,
                fix="give it the scope read:repository",
            )
        return error


def face_of(server: CiServer) -> Face:
    """Return the face of ``server``'s kind."""
    return WoodpeckerFace(server) if server.kind == "woodpecker" else ActionsFace(server)


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
