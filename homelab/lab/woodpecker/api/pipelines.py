"""``/api/repos/{id}/pipelines…``: list, show, trigger, restart, cancel, approve, decline, delete, configuration.

Source: woodpecker server/api/pipeline.go, server/router/api.go.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from aiohttp import web

from homelab.lab.woodpecker import render
from homelab.lab.woodpecker.access import body_of, need_pipeline, need_repository, need_user, page_of, part
from homelab.lab.woodpecker.pipelines import Refused
from homelab.lab.woodpecker.records import Pipeline
from homelab.lab.woodpecker.states import CANCELABLE, State, Trigger
from homelab.lab.woodpecker.store import Filter

ROUTES = web.RouteTableDef()
_ALL = "/api/repos/{repo_id}/pipelines"
_ONE = _ALL + "/{number}"
_NOT_VARIABLES = frozenset({"fork", "event", "deploy_to", "access_token"})


def _answer(request: web.Request, pipeline: Pipeline, *, workflows: bool = True) -> web.Response:
    legacy = part(request).board.faults.legacy_names
    return web.json_response(render.pipeline(pipeline, workflows=workflows, legacy=legacy))


@ROUTES.get(_ALL, allow_head=False)
async def list_pipelines(request: web.Request) -> web.Response:
    """Return a page of pipelines, newest number first, without workflows."""
    repository, board = need_repository(request), part(request).board
    limit, offset = page_of(request)
    narrow = Filter() if board.faults.legacy_names else _filter(request)
    found = board.store.pipelines(repository.id, narrow, limit=limit, offset=offset)
    legacy = board.faults.legacy_names
    return web.json_response([render.pipeline(one, workflows=False, legacy=legacy) for one in found])


def _filter(request: web.Request) -> Filter:
    """Read the filters; a word the server does not know is a 400 without a body."""
    query = request.query
    try:
        return Filter(
            branch=query.get("branch", ""),
            events=tuple(Trigger(word) for word in query.get("event", "").split(",") if query.get("event")),
            status=State(query["status"]) if query.get("status") else None,
            ref=query.get("ref", ""),
            before=_moment(query.get("before", "")),
            after=_moment(query.get("after", "")),
        )
    except ValueError:
        raise Refused(HTTPStatus.BAD_REQUEST) from None


def _moment(text: str) -> float | None:
    """Read RFC 3339, strictly: a full date, a T, a time and an offset."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or len(text) < len("2006-01-02T15:04:05Z") or text[10] != "T":
        raise ValueError(text)
    return int(moment.timestamp())


@ROUTES.get(_ALL + "/latest", allow_head=False)
async def latest(request: web.Request) -> web.Response:
    """Return the newest push pipeline of a branch, the default one unless named; never a tag's or a manual one."""
    repository = need_repository(request)
    narrow = Filter(branch=request.query.get("branch") or repository.default_branch, events=(Trigger.PUSH,))
    found = part(request).board.store.pipelines(repository.id, narrow, limit=1, offset=0)
    if not found:
        raise Refused(HTTPStatus.NOT_FOUND)
    return _answer(request, found[0])


@ROUTES.get(_ONE, allow_head=False)
async def show(request: web.Request) -> web.Response:
    """Return one pipeline with workflows and steps."""
    return _answer(request, need_pipeline(request, need_repository(request)))


@ROUTES.post(_ALL)
async def trigger(request: web.Request) -> web.Response:
    """Run a branch's head: 200, or 204 when nothing matched."""
    repository, options = need_repository(request, "push"), await body_of(request)
    variables = {str(name): str(value) for name, value in (options.get("variables") or {}).items()}
    branch, message = str(options.get("branch", "")), str(options.get("message", ""))
    made = await part(request).pipelines.trigger(repository, need_user(request), branch, variables, message)
    if made.status is State.ERROR and not made.workflows and part(request).board.faults.config_fails:
        return web.Response(status=HTTPStatus.NO_CONTENT)
    return _answer(request, made)


@ROUTES.post(_ONE)
async def restart(request: web.Request) -> web.Response:
    """Run it again under a new number; query parameters become variables."""
    repository = need_repository(request, "push")
    old, query = need_pipeline(request, repository), request.query
    if "event" in query and query["event"] != Trigger.DEPLOYMENT:
        raise Refused(HTTPStatus.BAD_REQUEST)
    if "event" in query and not repository.allow_deploy:
        raise Refused(HTTPStatus.FORBIDDEN)
    variables = {name: value for name, value in query.items() if name not in _NOT_VARIABLES}
    deploy_to = query.get("deploy_to", "") if "event" in query else ""
    return _answer(request, part(request).pipelines.restart(repository, old, variables, deploy_to))


@ROUTES.post(_ONE + "/cancel")
async def cancel(request: web.Request) -> web.Response:
    """Stop it: answered before the processes have ended."""
    pipeline = need_pipeline(request, need_repository(request, "push"))
    part(request).pipelines.cancel(pipeline, by=need_user(request).login)
    return web.Response(status=HTTPStatus.NO_CONTENT)


@ROUTES.post(_ONE + "/approve")
async def approve(request: web.Request) -> web.Response:
    """Release a blocked one."""
    repository = need_repository(request, "push")
    pipeline = need_pipeline(request, repository)
    return _answer(request, part(request).pipelines.approve(repository, pipeline, need_user(request)))


@ROUTES.post(_ONE + "/decline")
async def decline(request: web.Request) -> web.Response:
    """Refuse a blocked one."""
    pipeline = need_pipeline(request, need_repository(request, "push"))
    return _answer(request, part(request).pipelines.decline(pipeline, need_user(request)))


@ROUTES.delete(_ONE)
async def delete(request: web.Request) -> web.Response:
    """Forget one that is over."""
    pipeline = need_pipeline(request, need_repository(request, "admin"))
    if pipeline.status in CANCELABLE:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"Cannot delete pipeline with status {pipeline.status}")
    part(request).board.store.delete(pipeline)
    return web.Response(status=HTTPStatus.NO_CONTENT)


@ROUTES.get(_ONE + "/config", allow_head=False)
async def config(request: web.Request) -> web.Response:
    """Return the files it was made from."""
    pipeline = need_pipeline(request, need_repository(request))
    return web.json_response([render.config_file(file) for file in part(request).board.store.configs(pipeline)])
