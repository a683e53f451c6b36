"""Logs at rest: ``/api/repos/{id}/logs/…``. Source: woodpecker server/api/pipeline.go."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from homelab.lab.woodpecker import render
from homelab.lab.woodpecker.access import need_pipeline, need_repository, number_of, part
from homelab.lab.woodpecker.pipelines import Refused
from homelab.lab.woodpecker.records import Step
from homelab.lab.woodpecker.states import CANCELABLE, UNDER_WAY

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
async def delete_one(request: web.Request) -> web.Response:
    """Forget the log of one step that is over."""
    need_repository(request, "push")
    step = _step(request)
    if step.state in UNDER_WAY:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "Cannot delete logs for a pending or running step")
    part(request).board.store.delete_log(step.id)
    return web.Response(status=HTTPStatus.NO_CONTENT)


@ROUTES.delete(_PIPELINE)
async def delete_all(request: web.Request) -> web.Response:
    """Forget all logs of a pipeline that is over."""
    pipeline = need_pipeline(request, need_repository(request, "push"))
    if pipeline.status in CANCELABLE:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"Cannot delete logs for pipeline with status {pipeline.status}")
    for step in [step for flow in pipeline.workflows for step in flow.steps]:
        part(request).board.store.delete_log(step.id)
    return web.Response(status=HTTPStatus.NO_CONTENT)
