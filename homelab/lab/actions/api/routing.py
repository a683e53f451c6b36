"""Which face has which route since which level, and the API description that follows from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from homelab.lab.actions.config import Config
from homelab.lab.actions.words import Kind, Level

API = "/api/v1"
REPO = API + "/repos/{owner}/{repo}"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route; None means that the face never had it."""

    method: str
    path: str
    handler: Handler
    forgejo: Level | None = Level.STATUSES
    gitea: Level | None = Level.STATUSES
    #: Query parameters that its description names, by face.
    forgejo_takes: tuple[str, ...] = ()
    #: Asked for a job's log by its id.
    logs: bool = False

    def on(self, config: Config) -> bool:
        """Return whether a server of this configuration has it."""
        since = self.forgejo if config.kind is Kind.FORGEJO else self.gitea
        return since is not None and (config.level >= since or (self.logs and config.early_logs))


def description(config: Config, routes: list[Route]) -> dict[str, Any]:
    """Return ``/swagger.v1.json``: the paths this very server has, below ``basePath``."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if not route.path.startswith(API):
            continue
        name = route.path.removeprefix(API)
        name = name.replace("{run}", "{run_id}") if config.kind is Kind.FORGEJO else name
        operation: dict[str, Any] = {"produces": ["application/json"], "responses": {"200": {"description": ""}}}
        if config.kind is Kind.FORGEJO and route.forgejo_takes:
            operation["parameters"] = [{"name": one, "in": "query"} for one in route.forgejo_takes]
        paths.setdefault(name.replace(":.+", ""), {})[route.method.lower()] = operation
    title = "Forgejo API" if config.kind is Kind.FORGEJO else "Gitea API"
    return {
        "swagger": "2.0",
        "info": {"title": title, "version": config.shown_version},
        "basePath": API,
        "paths": paths,
    }
