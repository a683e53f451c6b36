"""``POST /api/hook``: what a push, or a test in its place, tells the server.

The answers are upstream's (server/api/hook.go): 200 with the pipeline, 200 with text for an ignored
event, 204 with ``Pipeline-Filtered`` when nothing wants it, 204 bare for an inactive repository or one
without owner, 400 for what cannot be read. The request is ours, since a bare repository has no forge:
``{"path", "ref", "before", "after", "pusher"}``, and for other events than pushes also ``"event"``
with ``"branch"``, ``"refspec"``, ``"from_fork"``, ``"title"``, ``"cron"``, ``"author"``.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import subprocess
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web

from homelab.lab.woodpecker import commit, render
from homelab.lab.woodpecker.access import part
from homelab.lab.woodpecker.board import now
from homelab.lab.woodpecker.config import Repository
from homelab.lab.woodpecker.pipelines import Refused
from homelab.lab.woodpecker.records import Pipeline
from homelab.lab.woodpecker.states import Trigger

ROUTES = web.RouteTableDef()


@ROUTES.post("/api/hook")
async def hook(request: web.Request) -> web.Response:
    """Make a pipeline of one updated ref."""
    given = await _given(request)
    repository = _repository(request, str(given.get("path", "")))
    ref, after = str(given.get("ref", "")), str(given.get("after", ""))
    if after == commit.ZERO or not ref.startswith(("refs/heads/", "refs/tags/", "refs/pull/")):
        return web.Response(text="forge driver: ignored event: nothing to build in this ref")
    if not repository.active or not repository.has_owner:
        return web.Response(status=HTTPStatus.NO_CONTENT)
    try:
        pipeline = await _pipeline(repository, given, ref, after)
    except (subprocess.CalledProcessError, ValueError):
        raise Refused(HTTPStatus.BAD_REQUEST, "failure to parse hook") from None
    if pipeline.event.is_pull and not repository.allow_pr:
        return web.Response(status=HTTPStatus.NO_CONTENT)
    made = await part(request).pipelines.create(repository, pipeline)
    return web.json_response(render.pipeline(made, raw=True))


async def _given(request: web.Request) -> dict[str, Any]:
    token: str = request.query.get("access_token", "") or request.headers.get("X-Hook-Token", "")
    if not hmac.compare_digest(token.encode(), part(request).hook_token.encode()):
        raise Refused(HTTPStatus.BAD_REQUEST, "failure to parse token from hook")
    try:
        given = json.loads(await request.read())
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "failure to parse hook")
    return given


def _repository(request: web.Request, path: str) -> Repository:
    """Return the repository whose bare repository this is, however its path is spelled."""
    wanted = Path(path).resolve()
    known = part(request).board.config.repositories
    found = next((one for one in known if one.path.resolve() == wanted), None)
    if found is None or not path:
        raise Refused(HTTPStatus.BAD_REQUEST, "failure to get repo from token")
    return found


async def _pipeline(repository: Repository, given: dict[str, Any], ref: str, after: str) -> Pipeline:
    """Read the commit and say which event this is: a tag has no branch, a pull request its target's."""
    before = str(given.get("before", ""))
    facts = await asyncio.to_thread(commit.read, repository.path, after, before=before)
    by_ref = Trigger.TAG if ref.startswith("refs/tags/") else Trigger.PUSH
    event = Trigger(given.get("event") or by_ref)
    branch = str(given.get("branch") or ("" if event is Trigger.TAG else ref.removeprefix("refs/heads/")))
    pipeline = Pipeline(repository.id, event, commit=facts.oid, branch=branch, ref=ref, message=facts.message)
    pipeline.author = pipeline.sender = str(given.get("author") or given.get("pusher") or facts.author)
    pipeline.author_email, pipeline.timestamp = facts.email, facts.timestamp or now()
    pipeline.changed_files = [] if event is Trigger.TAG else list(facts.changed_files)
    pipeline.title = str(given.get("title") or "")
    pipeline.message = pipeline.title if event.is_pull and pipeline.title else facts.message
    pipeline.refspec, pipeline.cron = str(given.get("refspec") or ""), str(given.get("cron") or "")
    pipeline.from_fork = bool(given.get("from_fork"))
    pipeline.forge_url = f"{repository.forge_url}/commit/{facts.oid}" if repository.forge_url else ""
    return pipeline
