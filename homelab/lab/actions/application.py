"""The aiohttp application of one face at one level: its routes, and how refusals become answers."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web

from homelab.lab.actions.access import NOT_FOUND, PART, Part, Refused, part
from homelab.lab.actions.api import hook, jobs, repositories, runs
from homelab.lab.actions.api.routing import API, Handler, Route, description

_PAGE = "<!doctype html><html><head><title>{}</title></head><body></body></html>"
_BODY_LIMIT = 1 << 24


def application(parts: Part) -> web.Application:
    """Return the application, under the path of the public URL if it has one."""
    config = parts.board.config
    known = [*repositories.ROUTES, *runs.ROUTES, *jobs.ROUTES, *hook.ROUTES]
    routes = [route for route in known if route.on(config)]
    app = web.Application(middlewares=[_refusals], client_max_size=_BODY_LIMIT)
    app[PART] = parts
    for route in [*routes, *(hook.LAB_ROUTES if parts.lab_controls else ())]:
        app.router.add_route(route.method, route.path, route.handler)
    if config.swagger:
        app.router.add_get("/swagger.v1.json", _described(routes), allow_head=False)
    app.router.add_route("*", "/{anything:.*}", _page)
    app.cleanup_ctx.append(_runs)
    prefix = urlsplit(config.url).path.rstrip("/")
    if not prefix:
        return app
    outer = web.Application(client_max_size=_BODY_LIMIT)
    outer.add_subapp(prefix, app)
    return outer


def _described(routes: list[Route]) -> Handler:
    async def swagger(request: web.Request) -> web.Response:
        return web.json_response(description(part(request).board.config, routes))

    return swagger


async def _runs(app: web.Application) -> AsyncIterator[None]:
    """Take up what an earlier server left; at the end, kill what runs."""
    app[PART].runs.resume()
    yield
    await app[PART].runs.stop()


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer refusals as both servers do: JSON with a message and where it is explained."""
    parts = part(request)
    if not request.path.startswith("/_lab/") and (passing := parts.faults.next_transient(request.path)):
        return web.Response(status=passing.status, content_type=passing.content_type, text=passing.body)
    try:
        return await handler(request)
    except Refused as refused:
        return _refusal(request, refused.status, refused.message)
    except (web.HTTPException, ConnectionError):
        raise
    except Exception:  # noqa: BLE001 -- a server answers 500 and goes on
        traceback.print_exc()
        return _refusal(request, HTTPStatus.INTERNAL_SERVER_ERROR, "")


def _refusal(request: web.Request, status: int, message: str) -> web.Response:
    url = f"{part(request).board.config.url}/api/swagger"
    return web.json_response({"message": message, "url": url}, status=status)


async def _page(request: web.Request) -> web.Response:
    """Answer an unknown API path with JSON, any other path with a page."""
    config = part(request).board.config
    if request.path.removeprefix(urlsplit(config.url).path.rstrip("/")).startswith((API, "/api/", "/swagger")):
        return _refusal(request, HTTPStatus.NOT_FOUND, NOT_FOUND)
    owner, _, rest = request.match_info["anything"].partition("/")
    repository = config.repository(f"{owner}/{rest.partition('/')[0]}")
    if repository is None or repository.visibility != "public":
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": f"{config.url}/user/login"})
    return web.Response(text=_PAGE.format(repository.full_name), content_type="text/html")
