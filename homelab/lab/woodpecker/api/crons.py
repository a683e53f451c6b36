"""``/api/repos/{id}/cron…``: keep, list, change, remove, and run one now. A schedule never fires by itself here.

Sources: woodpecker server/api/cron.go, server/model/cron.go, server/cron/cron.go.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aiohttp import web

from homelab.lab.woodpecker import render
from homelab.lab.woodpecker.access import body_of, need_repository, need_user, number_of, page_of, part
from homelab.lab.woodpecker.board import now
from homelab.lab.woodpecker.config import Repository
from homelab.lab.woodpecker.pipelines import Refused
from homelab.lab.woodpecker.records import Cron

ROUTES = web.RouteTableDef()
_ALL = "/api/repos/{repo_id}/cron"
_ONE = _ALL + "/{cron_id}"


@ROUTES.get(_ALL, allow_head=False)
async def list_crons(request: web.Request) -> web.Response:
    """Return a page of them."""
    repository, (limit, offset) = need_repository(request, "push"), page_of(request)
    found = part(request).board.store.crons(repository.id)
    return web.json_response([render.cron(one) for one in found[offset : offset + limit]])


@ROUTES.post(_ALL)
async def create(request: web.Request) -> web.Response:
    """Keep a new one. 422 with text where it has no name or schedule."""
    repository, user, given = need_repository(request, "push"), need_user(request), await _given(request)
    cron = Cron(0, repository.id, user.id, created=now(), **given)
    return web.json_response(render.cron(_kept(request, cron)))


@ROUTES.get(_ONE, allow_head=False)
async def show(request: web.Request) -> web.Response:
    """Return one."""
    return web.json_response(render.cron(_one(request, need_repository(request, "push"))))


@ROUTES.patch(_ONE)
async def change(request: web.Request) -> web.Response:
    """Change name, schedule or branch; what is empty stays."""
    cron = _one(request, need_repository(request, "push"))
    for field, value in (await _given(request)).items():
        if value:
            setattr(cron, field, value)
    return web.json_response(render.cron(_kept(request, cron)))


@ROUTES.delete(_ONE)
async def remove(request: web.Request) -> web.Response:
    """Forget one."""
    part(request).board.store.delete_cron(_one(request, need_repository(request, "push")))
    return web.Response(status=HTTPStatus.NO_CONTENT)


@ROUTES.post(_ONE)
async def run(request: web.Request) -> web.Response:
    """Run it now, on its branch's head: 200, or 204 when nothing matched."""
    repository = need_repository(request, "push")
    made = await part(request).pipelines.run_cron(repository, _one(request, repository))
    legacy = part(request).board.faults.legacy_names
    return web.json_response(render.pipeline(made, legacy=legacy))


def _one(request: web.Request, repository: Repository) -> Cron:
    wanted = number_of(request, "cron_id")
    found = next((one for one in part(request).board.store.crons(repository.id) if one.id == wanted), None)
    if found is None:
        raise Refused(HTTPStatus.NOT_FOUND)
    return found


def _kept(request: web.Request, cron: Cron) -> Cron:
    if not cron.name or not cron.schedule:
        missing = "name" if not cron.name else "schedule"
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"Error inserting cron. validate failed: {missing} is required")
    return part(request).board.store.keep_cron(cron)


async def _given(request: web.Request) -> dict[str, Any]:
    """Read the fields a client may set."""
    body = await body_of(request)
    return {name: str(body.get(name) or "") for name in ("name", "schedule", "branch")}
