"""One image's registry, asked which manifest stands under a tag or a digest.

The registry's challenge decides how to prove who asks (distribution spec: token authentication).
Credentials are the user's own, from docker's configuration; they go to the registry they are stored
for, and to its token service only where that is the same site. Layer: the registry package, client.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from homelab.errors import HttpStatus, PermissionMissing
from homelab.http.port import Answer, JsonHttp, Site
from homelab.registry import manifest
from homelab.registry.image import DOCKER_HUB, Image
from homelab.registry.manifest import Manifest
from homelab.secret import Secret

UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
BASIC = "Basic"
#: Indexes inside one index that are opened; more is nothing a builder makes.
MOST_NESTED = 4
#: Registries whose token service is on a site of its own.
TOKEN_SERVICES = {DOCKER_HUB: "auth.docker.io", "registry.gitlab.com": "gitlab.com"}
#: Second labels under which strangers register names of their own: ``co.uk``, ``com.au``.
SHARED = frozenset({"ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"})
#: Scope values hold commas, so parameters are taken by their quotes.
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')

Connect = Callable[[Site, Secret | None], JsonHttp]


@dataclass(frozen=True, slots=True)
class Access:
    """How a registry is reached and asked: a client factory, base64 of ``user:password`` or None, and its address.

    ``site`` is what the user's file says of the address; None: https at the name the image has.
    """

    connect: Connect
    credentials: Secret | None = None
    site: Site | None = None


class Registry:
    """One image's registry, with the credentials the user has for it."""

    def __init__(self, image: Image, access: Access) -> None:
        """Ask nothing yet."""
        self._image, self._access = image, access
        self._site = access.site or Site(image.url)
        self._http = self._client(None)

    def digest(self) -> str | None:
        """Return the manifest's digest; None while the registry does not have it.

        Raises PermissionMissing where it refuses, Unreachable where it cannot be asked.
        """
        answer = self._answered(lambda http: http.send("HEAD", self._path(self._image.reference)))
        if answer is None:
            return None
        said = answer.headers.get("docker-content-digest", "")
        if said:
            return said
        whole = self.manifest()
        return whole.digest if whole else None

    def manifest(self, reference: str = "") -> Manifest | None:
        """Return the manifest under ``reference`` (the image's own), indexes inside it opened; None where none is.

        Raises as :meth:`digest` does.
        """
        found = self._fetched(reference or self._image.reference)
        for child in [child for child in found.children if child.index][:MOST_NESTED] if found else []:
            nested = self._fetched(child.digest)
            if found is not None and nested is not None:
                found = replace(found, children=(*found.children, *nested.children))
        return found

    def _fetched(self, reference: str) -> Manifest | None:
        answer = self._answered(lambda http: http.fetch(self._path(reference)))
        return None if answer is None else manifest.read(answer)

    def _path(self, reference: str) -> str:
        return f"/v2/{self._image.path}/manifests/{reference}"

    def _answered(self, ask: Callable[[JsonHttp], Answer]) -> Answer | None:
        """Return the answer, proving who asks when challenged; a token that has expired is asked for once more."""
        try:
            return ask(self._http)
        except HttpStatus as error:
            if error.status == NOT_FOUND:
                return None
            if error.status != UNAUTHORIZED:
                raise self._refused(error) if error.status == FORBIDDEN else error from error
            challenge = error.challenge
        self._http.close()
        self._http = self._proven(challenge)
        try:
            return ask(self._http)
        except HttpStatus as error:
            if error.status == NOT_FOUND:
                return None
            raise self._refused(error) if error.status in {UNAUTHORIZED, FORBIDDEN} else error from error

    def _client(self, token: Secret | None, *, scheme: str = "Bearer") -> JsonHttp:
        headers = (("Accept", manifest.ACCEPT),)
        site = replace(self._site, name="the registry", headers=headers, token_scheme=scheme)
        return self._access.connect(site, token)

    def _proven(self, challenge: str) -> JsonHttp:
        """Return a client that answers the challenge."""
        scheme, _, rest = challenge.partition(" ")
        said = dict(_PARAMETER.findall(rest))
        realm = urlsplit(said.get("realm", ""))
        ours = urlsplit(self._site.url)
        if scheme.lower() != "bearer" or not realm.netloc or realm.scheme not in {"https", ours.scheme}:
            return self._client(self._access.credentials, scheme=BASIC)
        hosts = (self._image.host, ours.netloc)
        trusted = self._access.credentials if any(same_site(realm.hostname or "", host) for host in hosts) else None
        site = Site(f"{realm.scheme}://{realm.netloc}", name="the registry's token service", token_scheme=BASIC)
        if realm.hostname == ours.hostname:
            site = replace(site, dial=self._site.dial, ca_file=self._site.ca_file)
        scope = said.get("scope") or f"repository:{self._image.path}:pull"
        asked = {"service": said.get("service", ""), "scope": scope}
        service = self._access.connect(site, trusted)
        try:
            answer = service.get(realm.path or "/", params={k: v for k, v in asked.items() if v})
        except HttpStatus as error:
            raise self._refused(error) if error.status in {UNAUTHORIZED, FORBIDDEN} else error from error
        finally:
            service.close()
        token = str(answer.get("token") or answer.get("access_token") or "") if isinstance(answer, dict) else ""
        return self._client(Secret(token) if token else None)

    def _refused(self, error: HttpStatus) -> PermissionMissing:
        known = "credentials were sent" if self._access.credentials else "no credentials are stored for it"
        return PermissionMissing(
            f"{self._image.host} does not show {self._image.path}",
            why=f"it answered {error.status}, for a denied and for an unknown image alike; {known}",
            fix=f"docker login {self._image.host}",
        )


def same_site(realm: str, host: str) -> bool:
    """Say whether a token service belongs to the registry: the same host, or a sister under one owner's domain.

    Whoever runs the registry could ask for the credentials without a token service; this keeps a registry
    from handing them on to a stranger.
    """
    name = urlsplit(f"//{host}").hostname or ""
    if realm in {name, TOKEN_SERVICES.get(host)}:
        return True
    ours, theirs = name.split("."), realm.split(".")
    if min(len(ours), len(theirs)) < 3 or ours[-2:] != theirs[-2:]:  # noqa: PLR2004 -- a.b.c
        return False
    shared = ours[-2] in SHARED and len(ours[-1]) == 2  # noqa: PLR2004 -- a country's domain
    return not shared or (min(len(ours), len(theirs)) > 3 and ours[-3:] == theirs[-3:])  # noqa: PLR2004 -- a.b.co.uk
