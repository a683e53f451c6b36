"""An app whose servers are canned answers, typed against the HTTP and Kubernetes ports."""

from __future__ import annotations

import json as json_codec
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from homelab.app import App
from homelab.errors import HttpStatus, OurBug
from homelab.http.port import Answer, JsonHttp, Params, ServerEvent, Site
from homelab.kube.port import MERGE_PATCH, Cluster, Json, Watching, whole
from homelab.secret import Secret
from homelab.tier import Tier
from tests.settings.fakes import world
from tests.trust.fakes import Recorder

Canned = Mapping[str, Any]
NOTHING: Canned = MappingProxyType({})


def status(code: int) -> HttpStatus:
    return HttpStatus(f"answered {code}", status=code, why="canned", fix="homelab doctor")


class CannedHttp:
    """Implements JsonHttp: a path answers a value, or raises the error in its place; the rest is 404."""

    ahead: float | None = None

    def __init__(self, site: Site, token: Secret | None, answers: Canned) -> None:
        self.site = site
        self.token = token
        self._answers = answers

    def _answer(self, path: str) -> Any:
        key = path if self.token is None else f"token {path}"
        found = self._answers.get(key, self._answers.get(path, status(404)))
        if isinstance(found, Exception):
            raise found
        return found

    def get(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Any:
        return self._answer(path)

    def fetch(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Answer:
        found = self._answer(path)
        return Answer(200, found, json_codec.dumps(found).encode())

    def send(
        self, method: str, path: str, *, json: Any = None, params: Params | None = None, safe_to_repeat: bool = False
    ) -> Answer:
        raise OurBug("doctor wrote", why="it is a reading verb", fix="-")

    def stream(
        self, path: str, *, idle: float, headers: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Iterator[ServerEvent]]:
        raise OurBug("doctor opened a stream", why="it asks", fix="-")

    def close(self) -> None:
        """Nothing is open."""


class CannedCluster:
    """Implements Cluster: a path answers an object, or raises the error in its place; the rest is 404."""

    name = "canned"
    skew = 0.0

    def __init__(self, answers: Canned) -> None:
        self._answers = answers

    def get(self, path: str, params: Params | None = None) -> Json:
        found = self._answers.get(path, status(404))
        if isinstance(found, Exception):
            raise found
        return dict(found)

    def list(self, path: str, params: Params | None = None, *, keep: Callable[[Json], Any] = whole) -> Json:
        raise OurBug("doctor listed everything", why="one item is enough", fix="-")

    def watch(
        self, path: str, *, resource_version: str, params: Params | None = None, timeout: float = 60.0
    ) -> Watching:
        raise OurBug("doctor watched", why="it asks", fix="-")

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
        raise OurBug("doctor read logs", why="it asks", fix="-")

    def patch(self, path: str, body: Json, *, content_type: str = MERGE_PATCH) -> Json:
        raise OurBug("doctor wrote", why="it is a reading verb", fix="-")

    def close(self) -> None:
        """Nothing is open."""


class CannedApp(App):
    """An app in ``root`` whose HTTP sites, certificates and cluster are canned."""

    answers: Canned = NOTHING
    life: tuple[float, float] | None = None
    kube_answers: Canned | Exception = NOTHING

    def http(self, site: Site, token: Secret | None = None) -> JsonHttp:
        return CannedHttp(site, token, self.answers)

    def certificate_life(self, site: Site) -> tuple[float, float] | None:
        return self.life

    def kube(self, context: str | None) -> Cluster:
        if isinstance(self.kube_answers, Exception):
            raise self.kube_answers
        return CannedCluster(self.kube_answers)


def app(
    folder: Path, answers: Canned | None = None, *, root: Path | None = None, user: str | None = None, **env: str
) -> CannedApp:
    here = replace(world(folder, user=user, **{"PATH": os.environ["PATH"], **env}), cwd=root or folder)
    made = CannedApp(here, tier=Tier.READ, renderer=Recorder())
    made.answers = answers or {}
    return made
