"""Logs at rest: ``/api/repos/{id}/logs/…``. Source: woodpecker server/api/pipeline.go."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from homelab.lab.woodpecker import render
from homelab.lab.woodpecker.access import need_pipeline, need_repository, number_of, part
from homelab.lab.woodpecker.pipelines import Refused
from homelab.lab.woodpecker.records import Step
from homelab.lab.woodpecker.states import CANCELABLE

ROUTES = web.RouteTableDef()
_PIPELINE = "/api/repos/{repo_id}/logs/{number}"
_STEP = _PIPELINE + "/{step_id}"


def _step(request: web.Request) -> Step:
    step = need_pipeline(request, need_repository(request)).step(number_of(request, "step_id"))
    if step is None:
        raise Refused(HTTPStatus.NOT_FOUND)
    return step


@ROUTES.get(_STEP, allow_head=False)
async def show(request: web.Request) -> web.Response:
    """Return the whole log of a step, null when there is none."""
    step, board = _step(request), part(request).board
    lines = board.faults.rest_log(step.id, board.store.log(step.id))
    return web.json_response([render.log_line(line) for line in lines] or None)


@ROUTES.delete(_STEP)
@ROUTES.delete(_PIPELINE)
async def delete(request: web.Request) -> web.Response:
    """Forget the logs of one step or of all."""
    pipeline = need_pipeline(request, need_repository(request, "push"))
    if pipeline.status in CANCELABLE:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "Cannot delete logs for a running or blocked pipeline")
    steps = [step.id for flow in pipeline.workflows for step in flow.steps]
    for step_id in [_step(request).id] if "step_id" in request.match_info else steps:
        part(request).board.store.delete_log(step_id)
    return web.Response(status=HTTPStatus.NO_CONTENT)
