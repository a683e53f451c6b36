"""A registry on paper: answers by path and token, and remembers who was told what. Typed against the HTTP port."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from homelab.errors import HttpStatus
from homelab.http.port import Answer, Body, JsonHttp, Params, ServerEvent, Site
from homelab.secret import Secret

#: (site's URL, scheme, token, method, path)
Request = tuple[str, str, str, str, str]


@dataclass
class PaperRegistry:
    """``manifests``: answers by tag or digest; ``realm`` "" asks nobody who he is."""

    manifests: dict[str, bytes] = field(default_factory=dict)
    realm: str = ""
    scheme: str = "Bearer"
    #: Tokens the registry takes; the token service hands out the next of ``issues``.
    takes: set[str] = field(default_factory=set)
    issues: list[str] = field(default_factory=list)
    #: Whether ``Docker-Content-Digest`` is said.
    says_digest: bool = True
    asked: list[Request] = field(default_factory=list)
    fail: Callable[[str], None] = lambda _path: None

    def connect(self, site: Site, token: Secret | None) -> JsonHttp:
        return PaperHttp(self, site, token)

    def reply(self, http: PaperHttp, method: str, path: str) -> Answer:
        token = http.token.reveal() if http.token else ""
        self.asked.append((http.site.url, http.site.token_scheme if token else "", token, method, path))
        self.fail(path)
        if not path.startswith("/v2/"):
            return Answer(200, {}, b'{"token": "%s"}' % self.issues.pop(0).encode())
        if self.realm and token not in self.takes:
            challenge = f'{self.scheme} realm="{self.realm}",service="reg",scope="repository:t/app:pull,push"'
            raise refusal(401, challenge)
        body = self.manifests.get(path.rpartition("/")[2])
        if body is None:
            raise refusal(404)
        digest = {"docker-content-digest": "sha256:said"} if self.says_digest else {}
        return Answer(200, digest, b"" if method == "HEAD" else body)


def refusal(status: int, challenge: str = "") -> HttpStatus:
    return HttpStatus(f"answered {status}", status=status, why="it said so", fix="look", challenge=challenge)


class PaperHttp:
    """One client of the registry or of its token service."""

    def __init__(self, registry: PaperRegistry, site: Site, token: Secret | None) -> None:
        self.registry, self.site, self.token = registry, site, token
        self.params: Params | None = None

    def get(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Any:
        self.registry.asked.append((self.site.url, "params", str(sorted((params or {}).items())), "GET", path))
        return self.registry.reply(self, "GET", path).json()

    def fetch(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Answer:
        return self.registry.reply(self, "GET", path)

    def answer(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Answer:
        return self.registry.reply(self, "GET", path)

    def send(
        self, method: str, path: str, *, json: Any = None, params: Params | None = None, safe_to_repeat: bool = False
    ) -> Answer:
        return self.registry.reply(self, method, path)

    def stream(
        self, path: str, *, idle: float, headers: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Iterator[ServerEvent]]:
        raise AssertionError("a registry has no stream")

    def pour(
        self, path: str, *, idle: float, params: Params | None = None, headers: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Body]:
        raise AssertionError("no manifest is poured")

    def close(self) -> None:
        pass
