"""``/api/user…``: who am I, what may I push to, what ran there. Source: woodpecker server/api/user.go."""

from __future__ import annotations

from aiohttp import web

from homelab.lab.woodpecker import render
from homelab.lab.woodpecker.access import need_user, part
from homelab.lab.woodpecker.config import Repository, User
from homelab.lab.woodpecker.records import Pipeline
from homelab.lab.woodpecker.store import Filter

ROUTES = web.RouteTableDef()
_FEED_ROWS = 50


@ROUTES.get("/api/user", allow_head=False)
async def me(request: web.Request) -> web.Response:
    """Return who asks: the only way to prove a token."""
    return web.json_response(render.user(need_user(request)))


def pushable(request: web.Request, user: User) -> list[Repository]:
    """Return the active repositories this user may push to."""
    repositories = part(request).board.config.repositories
    return [one for one in repositories if one.active and one.allows(user, "push")]


@ROUTES.get("/api/user/repos", allow_head=False)
async def repositories(request: web.Request) -> web.Response:
    """Return repositories with their last pipeline; ``all`` gives all but without it, null for none."""
    user, board = need_user(request), part(request).board
    if request.query.get("all") == "true":
        known = [render.repository(one) for one in board.config.repositories if one.allows(user, "push")]
        return web.json_response(known or None)
    name = request.query.get("name")
    rows = []
    for one in pushable(request, user):
        if name and one.name != name:
            continue
        last = _latest(request, one)
        shown = render.pipeline(last, workflows=False, legacy=board.faults.legacy_names) if last else None
        rows.append({**render.repository(one), **({"last_pipeline": shown} if shown else {})})
    return web.json_response(rows)


def _latest(request: web.Request, repository: Repository) -> Pipeline | None:
    found = part(request).board.store.pipelines(repository.id, Filter(), limit=1, offset=0)
    return found[0] if found else None


@ROUTES.get("/api/user/feed", allow_head=False)
async def feed(request: web.Request) -> web.Response:
    """Return the newest pipelines of all repositories; ``latest`` gives one row each, null for none."""
    mine, board = pushable(request, need_user(request)), part(request).board
    pairs: list[tuple[Repository, Pipeline | None]]
    if request.query.get("latest") == "true":
        pairs = [(one, _latest(request, one)) for one in mine]
    else:
        found = [(one, made) for one in mine for made in _newest(request, one)]
        pairs = [*sorted(found, key=lambda pair: -pair[1].id)[:_FEED_ROWS]]
    return web.json_response([render.feed(*pair, legacy=board.faults.legacy_names) for pair in pairs] or None)


def _newest(request: web.Request, repository: Repository) -> list[Pipeline]:
    return part(request).board.store.pipelines(repository.id, Filter(), limit=_FEED_ROWS, offset=0)
