"""``/api/repos``: look up, show, permissions, branches. Source: woodpecker server/api/repo.go, session/repo.go."""

from __future__ import annotations

import asyncio

from aiohttp import web

from homelab.lab.woodpecker import commit, render
from homelab.lab.woodpecker.access import known_repository, need_repository, page_of, part, unseen, user_of
from homelab.lab.woodpecker.config import RIGHTS, Repository

ROUTES = web.RouteTableDef()


@ROUTES.get("/api/repos/lookup/{full_name:.+}", allow_head=False)
async def look_up(request: web.Request) -> web.Response:
    """Find a repository by its full name, slashes raw; case counts for former names only."""
    found = _by_name(part(request).board.config.repositories, request.match_info["full_name"])
    user = user_of(request)
    if found is None or not found.allows(user, "pull"):
        raise unseen(user)
    return web.json_response(render.repository(found))


def _by_name(repositories: tuple[Repository, ...], full_name: str) -> Repository | None:
    current = (one for one in repositories if one.full_name.lower() == full_name.lower())
    former = (one for one in repositories if full_name in one.former_names)
    return next(current, None) or next(former, None)


@ROUTES.get("/api/repos/{repo_id}", allow_head=False)
async def show(request: web.Request) -> web.Response:
    """Return one repository."""
    return web.json_response(render.repository(need_repository(request)))


@ROUTES.get("/api/repos/{repo_id}/permissions", allow_head=False)
async def permissions(request: web.Request) -> web.Response:
    """Say what whoever asks may do: 200 for a known repository even when that is nothing."""
    found, user = known_repository(request), user_of(request)
    allowed = {right: found.allows(user, right) for right in RIGHTS}
    return web.json_response({**allowed, "synced": 0, "created": 0, "updated": 0})


@ROUTES.get("/api/repos/{repo_id}/branches", allow_head=False)
async def branches(request: web.Request) -> web.Response:
    """Return a page of branch names."""
    limit, offset = page_of(request)
    names = await asyncio.to_thread(commit.branches, need_repository(request).path)
    return web.json_response(names[offset : offset + limit])


@ROUTES.get("/api/repos/{repo_id}/pull_requests", allow_head=False)
async def pull_requests(request: web.Request) -> web.Response:
    """A bare repository has none."""
    need_repository(request)
    return web.json_response([])
