"""``/_lab/…``: what no real server has, for the tests of clients. Only with ``--lab-controls``.

``GET /_lab/faults`` shows, ``POST`` sets (fields of :class:`~homelab.lab.woodpecker.faults.Faults`),
``DELETE`` clears. ``POST /_lab/pipelines`` puts in a finished row as it is given: ``{"full_name",
"event", "commit", "branch", "ref", "status", …Pipeline's fields…, "workflows": [{"name", "state",
"steps": [{"name", "state", "exit_code", "log": [lines]}]}]}`` and answers with the Pipeline.
``PATCH /_lab/pipelines/{full name}/{number}`` changes fields of a row; ``DELETE`` on it makes it vanish.
"""

from __future__ import annotations

import uuid
from dataclasses import fields
from http import HTTPStatus
from typing import Any

from aiohttp import web

from homelab.lab.woodpecker import render
from homelab.lab.woodpecker.access import part
from homelab.lab.woodpecker.board import Board
from homelab.lab.woodpecker.faults import Faults
from homelab.lab.woodpecker.pipelines import Refused
from homelab.lab.woodpecker.records import LogLine, Pipeline, Step, Workflow
from homelab.lab.woodpecker.states import State, Trigger

ROUTES = web.RouteTableDef()
_ROW = "/_lab/pipelines/{full_name:.+}/{number:\\d+}"


@ROUTES.get("/_lab/faults", allow_head=False)
async def show(request: web.Request) -> web.Response:
    """Return what goes wrong now."""
    return web.json_response(part(request).board.faults.record())


@ROUTES.post("/_lab/faults")
async def change(request: web.Request) -> web.Response:
    """Set some faults."""
    try:
        part(request).board.faults.set(await request.json())
    except ValueError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from error
    return web.json_response(part(request).board.faults.record())


@ROUTES.delete("/_lab/faults")
async def clear(request: web.Request) -> web.Response:
    """Let everything go right again."""
    part(request).board.faults.set(Faults().record())
    return web.json_response(part(request).board.faults.record())


@ROUTES.post("/_lab/pipelines")
async def inject(request: web.Request) -> web.Response:
    """Put in a row."""
    given, board = await request.json(), part(request).board
    name = given.pop("full_name")
    repo_id = next((one.id for one in board.config.repositories if one.full_name == name), None)
    if repo_id is None:
        raise Refused(HTTPStatus.BAD_REQUEST, f"no repository {name}")
    flows = given.pop("workflows", [])
    event, commit = Trigger(given.pop("event", "push")), given.pop("commit")
    named = {"branch": given.pop("branch", ""), "ref": given.pop("ref", "")}
    row = Pipeline(repo_id, event, commit, **named, status=State(given.pop("status", "success")))
    pipeline = board.store.insert(row)
    _fill(pipeline, given)
    pids = iter(range(len(flows) + 1, 1 << 16))
    pipeline.workflows = [_workflow(board, number, flow, pids) for number, flow in enumerate(flows, 1)]
    board.changed(pipeline)
    return web.json_response(render.pipeline(pipeline))


def _fill(record: Any, given: dict[str, Any]) -> None:
    """Set the fields that the record has; anything else is a 400."""
    known = {field.name for field in fields(record)}
    for name, value in given.items():
        if name not in known:
            raise Refused(HTTPStatus.BAD_REQUEST, f"no field {name}; there are {sorted(known)}")
        setattr(record, name, State(value) if name in {"status", "state"} else value)


def _workflow(board: Board, number: int, given: dict[str, Any], pids: Any) -> Workflow:
    steps = given.pop("steps", [])
    flow = Workflow(board.store.next_id("workflow"), number, given.pop("name", f"workflow-{number}"))
    _fill(flow, given)
    flow.steps = [_step(board, flow, next(pids), step) for step in steps]
    return flow


def _step(board: Board, flow: Workflow, pid: int, given: dict[str, Any]) -> Step:
    lines, kind = given.pop("log", []), given.pop("type", "commands")
    step_id, name = board.store.next_id("step"), given.pop("name", f"step-{pid}")
    step = Step(step_id, pid, flow.pid, name, kind, str(uuid.uuid4()))
    _fill(step, given)
    board.log(step, [LogLine(0, step_id, at, 0, line.encode()) for at, line in enumerate(lines)])
    return step


def _row(request: web.Request) -> Pipeline:
    board, name = part(request).board, request.match_info["full_name"]
    repo_id = next((one.id for one in board.config.repositories if one.full_name == name), 0)
    found = board.store.pipeline(repo_id, int(request.match_info["number"]))
    if found is None:
        raise Refused(HTTPStatus.NOT_FOUND, "no such pipeline")
    return found


@ROUTES.patch(_ROW)
async def patch(request: web.Request) -> web.Response:
    """Change a row and announce it."""
    pipeline = _row(request)
    _fill(pipeline, await request.json())
    part(request).board.changed(pipeline)
    return web.json_response(render.pipeline(pipeline))


@ROUTES.delete(_ROW)
async def vanish(request: web.Request) -> web.Response:
    """Make a row vanish, as a filtered one does."""
    part(request).board.store.delete(_row(request))
    return web.Response(status=HTTPStatus.NO_CONTENT)
