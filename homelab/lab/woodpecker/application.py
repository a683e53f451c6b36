"""The aiohttp application: routes, what every answer carries, how refusals become answers."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web

from homelab.lab.woodpecker.access import PART, Part, part
from homelab.lab.woodpecker.api import (
    crons,
    hook,
    lab,
    logs,
    pipelines,
    repositories,
    service,
    settings,
    streams,
    users,
)
from homelab.lab.woodpecker.pipelines import Filtered, Refused

_INDEX = "<!doctype html><html><head><title>Woodpecker</title></head><body><div id=app></div></body></html>"
_BODY_LIMIT = 1 << 24

#: Marks, within the server, an answer that a proxy would have given.
_FROM_OUTSIDE = "X-From-Outside"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(parts: Part) -> web.Application:
    """Return the application, under the path of the public URL if it has one."""
    app = web.Application(middlewares=[_refusals], client_max_size=_BODY_LIMIT)
    app[PART] = parts
    for module in (users, repositories, settings, pipelines, crons, logs, streams, service, hook):
        app.add_routes(module.ROUTES)
    if parts.lab_controls:
        app.add_routes(lab.ROUTES)
    app.router.add_route("*", "/{anything:.*}", _index)
    app.on_response_prepare.append(_version)
    app.cleanup_ctx.append(_queue)
    prefix = urlsplit(parts.board.config.host).path.rstrip("/")
    if not prefix:
        return app
    outer = web.Application(client_max_size=_BODY_LIMIT)
    outer.add_subapp(prefix, app)
    return outer


async def _queue(app: web.Application) -> AsyncIterator[None]:
    """Take up what an earlier server left; at the end, kill what runs."""
    app[PART].pipelines.resume()
    yield
    await app[PART].pipelines.queue.stop()


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer refusals as upstream does: plain text or, most often, nothing at all."""
    faults = part(request).board.faults
    if not request.path.startswith("/_lab/") and (passing := faults.next_transient(request.path)):
        headers = {"Retry-After": str(faults.retry_after)} if faults.retry_after and passing.asks_to_wait else {}
        headers |= {_FROM_OUTSIDE: "1"} if passing.from_outside else {}
        return web.Response(
            status=passing.status, content_type=passing.content_type, text=passing.body, headers=headers
        )
    try:
        return await handler(request)
    except Refused as refused:
        return web.Response(status=refused.status, text=refused.text)
    except Filtered:
        return web.Response(status=HTTPStatus.NO_CONTENT, headers={"Pipeline-Filtered": "true"})
    except (web.HTTPException, ConnectionError):
        raise
    except Exception:  # noqa: BLE001 -- upstream recovers from anything and answers 500 without a body
        traceback.print_exc()
        return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)


async def _version(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer says which server it is; a proxy's does not."""
    board = part(request).board
    version = board.faults.version or board.config.version
    if version != "-" and response.headers.pop(_FROM_OUTSIDE, None) is None:
        response.headers["X-WOODPECKER-VERSION"] = version


async def _index(request: web.Request) -> web.Response:
    """Unknown path, wrong method, HEAD: the web interface's page. A known route with a slash too many redirects."""
    path = request.path
    if len(path) > 1 and path.endswith("/") and path.startswith("/api/"):
        bare = request.clone(rel_url=request.rel_url.with_path(path.rstrip("/")))
        match = await request.app.router.resolve(bare)
        if match.handler is not _index and match.http_exception is None:
            permanent = request.method == "GET"
            status = HTTPStatus.MOVED_PERMANENTLY if permanent else HTTPStatus.TEMPORARY_REDIRECT
            return web.Response(status=status, headers={"Location": path.rstrip("/")})
    return web.Response(text=_INDEX, content_type="text/html")
