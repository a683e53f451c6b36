"""A container registry, asked one question: is this tag there, and under which digest.

The registry's challenge decides how to prove who asks (distribution spec: token authentication).
Credentials are the user's own, from docker's configuration; they go to the registry they are stored
for, and to its token service only where that is the same site. Layer: ci, client.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from homelab.errors import HttpStatus, PermissionMissing, UsageError
from homelab.http.port import JsonHttp, Site
from homelab.secret import Secret

#: All four, or an old registry converts the manifest and its digest.
ACCEPT = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
BASIC = "Basic"
DOCKER_HUB = "registry-1.docker.io"
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')

Connect = Callable[[Site, Secret | None], JsonHttp]


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its tag (or digest) at a registry."""

    host: str
    path: str
    reference: str

    @classmethod
    def parse(cls, said: str) -> Image:
        """Take ``[host[:port]/]path[:tag|@digest]`` apart. Raises UsageError."""
        rest, at, digest = said.partition("@")
        first, slash, remainder = rest.partition("/")
        host = first if slash and ("." in first or ":" in first or first == "localhost") else ""
        path, colon, tag = (remainder if host else rest).rpartition(":")
        path, tag = (path, tag) if colon else (tag, "latest")
        if not host:
            host, path = DOCKER_HUB, path if "/" in path else f"library/{path}"
        if not _PATH.fullmatch(path) or not (at or _TAG.fullmatch(tag)):
            raise UsageError(
                f"{said!r} is no image",
                why="an image is [host[:port]/]path[:tag], its path in lower case",
                fix="homelab ci wait --image registry.example/team/app:{sha12}",
            )
        return cls(host, path, digest if at else tag)

    @property
    def shown(self) -> str:
        """As it is typed."""
        return f"{self.host}/{self.path}{'@' if ':' in self.reference else ':'}{self.reference}"

    @property
    def url(self) -> str:
        """The registry's address: https, but for this machine itself."""
        name = urlsplit(f"//{self.host}").hostname or ""
        return f"{'http' if name in {'localhost', '127.0.0.1', '::1'} else 'https'}://{self.host}"


class Registry:
    """One image's registry, with the credentials the user has for it."""

    def __init__(self, image: Image, connect: Connect, credentials: Secret | None) -> None:
        """``credentials`` are base64 of ``user:password``, as docker keeps them."""
        self._image, self._connect, self._credentials = image, connect, credentials
        self._http: JsonHttp | None = None

    def digest(self) -> str | None:
        """Return the manifest's digest; None while the registry does not have it."""
        path = f"/v2/{self._image.path}/manifests/{self._image.reference}"
        http = self._http or self._client(None)
        try:
            answer = http.send("HEAD", path)
        except HttpStatus as error:
            if error.status == NOT_FOUND:
                return None
            if error.status == UNAUTHORIZED and self._http is None:
                self._http = self._proven(error.challenge)
                return self.digest()
            if error.status in {UNAUTHORIZED, FORBIDDEN}:
                raise self._refused(error) from error
            raise
        self._http = self._http or http
        said = answer.headers.get("docker-content-digest", "")
        return said or "sha256:" + hashlib.sha256(http.fetch(path).body).hexdigest()

    def _client(self, token: Secret | None, *, scheme: str = "Bearer") -> JsonHttp:
        site = Site(self._image.url, name="the registry", headers=(("Accept", ACCEPT),), token_scheme=scheme)
        return self._connect(site, token)

    def _proven(self, challenge: str) -> JsonHttp:
        """Return a client that answers the challenge."""
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic":
            return self._client(self._credentials, scheme=BASIC)
        said = dict(_PARAMETER.findall(rest))
        realm = urlsplit(said.get("realm", ""))
        if (
            scheme.lower() != "bearer"
            or not realm.netloc
            or realm.scheme not in {"https", urlsplit(self._image.url).scheme}
        ):
            return self._client(self._credentials, scheme=BASIC)
        ours = self._credentials if _same_site(realm.hostname or "", self._image.host) else None
        site = Site(f"{realm.scheme}://{realm.netloc}", name="the registry's token service", token_scheme=BASIC)
        scope = said.get("scope") or f"repository:{self._image.path}:pull"
        asked = {"service": said.get("service", ""), "scope": scope}
        try:
            answer = self._connect(site, ours).get(realm.path or "/", params={k: v for k, v in asked.items() if v})
        except HttpStatus as error:
            if error.status in {UNAUTHORIZED, FORBIDDEN}:
                raise self._refused(error) from error
            raise
        token = str(answer.get("token") or answer.get("access_token") or "")
        return self._client(Secret(token) if token else None)

    def _refused(self, error: HttpStatus) -> PermissionMissing:
        known = "credentials were sent" if self._credentials else "no credentials are stored for it"
        return PermissionMissing(
            f"{self._image.host} does not show {self._image.path}",
            why=f"it answered {error.status}, for a denied and for an unknown image alike; {known}",
            fix=f"docker login {self._image.host}",
        )


def _same_site(realm: str, host: str) -> bool:
    """Say whether a token service belongs to the registry: the same host, or a sister under one domain."""
    name = (urlsplit(f"//{host}").hostname or "").split(".")
    other = realm.split(".")
    return name == other or (len(name) > 2 and len(other) > 2 and name[-2:] == other[-2:])  # noqa: PLR2004 -- a.b.c


def credentials(env: Mapping[str, str], home: Path, host: str) -> Secret | None:
    """Return what ``docker login`` stored for ``host`` in its file; None where nothing is (or a helper holds it)."""
    folder = Path(env["DOCKER_CONFIG"]) if env.get("DOCKER_CONFIG") else home / ".docker"
    try:
        stored = json.loads((folder / "config.json").read_text())["auths"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    names = [host, f"https://{host}", f"http://{host}", f"https://{host}/v1/", f"https://{host}/v2/"]
    if host == DOCKER_HUB:
        names.append("https://index.docker.io/v1/")
    for name in names:
        found = stored.get(name) if isinstance(stored, dict) else None
        if isinstance(found, dict):
            kept = found.get("auth") or ""
            if not kept and found.get("username"):
                kept = base64.b64encode(f"{found['username']}:{found.get('password', '')}".encode()).decode()
            if kept:
                return Secret(str(kept))
    return None
