"""The server about itself: version, health, queue, what runs anywhere.

Source: woodpecker server/api/{z,queue,pipeline}.go.
"""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from homelab.lab.woodpecker import render
from homelab.lab.woodpecker.access import need_server_admin, part
from homelab.lab.woodpecker.states import UNDER_WAY

ROUTES = web.RouteTableDef()


@ROUTES.get("/version", allow_head=False)
async def version(request: web.Request) -> web.Response:
    """Return the version, to anybody."""
    board = part(request).board
    shown = board.faults.version or board.config.version
    return web.json_response({"source": "https://github.com/woodpecker-ci/woodpecker", "version": shown})


@ROUTES.get("/healthz", allow_head=False)
async def healthz(_request: web.Request) -> web.Response:
    """Answer 204 while the database does."""
    return web.Response(status=HTTPStatus.NO_CONTENT)


@ROUTES.get("/api/queue/info", allow_head=False)
async def queue_info(request: web.Request) -> web.Response:
    """Return what waits and runs, to the server admin."""
    need_server_admin(request)
    return web.json_response(part(request).pipelines.queue.record())


@ROUTES.post("/api/queue/{word:pause|resume}")
async def pause(request: web.Request) -> web.Response:
    """Hold the queue or let it go."""
    need_server_admin(request)
    queue = part(request).pipelines.queue
    queue.paused = request.match_info["word"] == "pause"
    queue.advance()
    return web.Response(status=HTTPStatus.NO_CONTENT)


@ROUTES.get("/api/pipelines", allow_head=False)
async def under_way(request: web.Request) -> web.Response:
    """Return what is pending or running on the whole server, to its admin."""
    need_server_admin(request)
    board = part(request).board
    pairs = [(board.config.repository(one.repo_id), one) for one in board.store.active() if one.status in UNDER_WAY]
    return web.json_response([render.feed(repo, one) for repo, one in pairs if repo])
