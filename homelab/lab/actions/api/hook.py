"""``POST /api/hook`` (ours: a bare repository has no forge around it) and ``/_lab/…`` for tests of clients.

The hook takes what homelab.lab.woodpecker.hook sends: ``{"path", "ref", "before", "after", "pusher"}``,
and for other events than pushes ``"event"``, ``"branch"``, ``"title"``, ``"from_fork"``. It answers
with the first run's number and status, or 204 with ``Pipeline-Filtered`` when nothing was set off.

``GET|POST|DELETE /_lab/faults`` shows, sets, clears :class:`~homelab.lab.actions.faults.Faults`.
``POST /_lab/runs`` puts in a row as given: ``{"full_name", "sha", "event", "ref", "workflow_id", "status",
"jobs": [{"name", "status", "runs_on", "log": [lines]}]}``. ``POST /_lab/runs/{run}/approve`` approves.
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

from homelab.lab.actions import render
from homelab.lab.actions.access import NOT_FOUND, Refused, answer, number_of, part
from homelab.lab.actions.api.routing import Route
from homelab.lab.actions.board import Board, now
from homelab.lab.actions.faults import Faults
from homelab.lab.actions.log import JobLog
from homelab.lab.actions.records import Job, Run, Step
from homelab.lab.actions.runs import Happened
from homelab.lab.actions.words import Status, of_jobs
from homelab.lab.actions.workflow import Cause
from homelab.lab.woodpecker import commit
from homelab.lab.woodpecker.config import Repository


async def hook(request: web.Request) -> web.Response:
    """Set off the runs of one updated ref."""
    parts = part(request)
    if not hmac.compare_digest(request.headers.get("X-Hook-Token", "").encode(), parts.hook_token.encode()):
        raise Refused(HTTPStatus.FORBIDDEN, "wrong hook token")
    given = await _object(request)
    repository = _by_path(parts.board, str(given.get("path", "")))
    if str(given.get("after", "")) == commit.ZERO:
        return web.Response(text="nothing to run for a deleted ref")
    made = await parts.runs.happened(repository, await _happened(repository, given))
    if not made:
        return web.Response(status=HTTPStatus.NO_CONTENT, headers={"Pipeline-Filtered": "true"})
    return answer({"number": made[0].number, "status": made[0].status, "runs": [run.id for run in made]})


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        given = json.loads(await request.read())
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "the body is no JSON object")
    return given


def _by_path(board: Board, path: str) -> Repository:
    wanted = Path(path).resolve()
    found = next((one for one in board.config.repositories if one.path.resolve() == wanted), None)
    if found is None or not path:
        raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND)
    return found


async def _happened(repository: Repository, given: dict[str, Any]) -> Happened:
    """Read the commit and say which event this is."""
    ref, before = str(given.get("ref", "")), str(given.get("before", ""))
    try:
        facts = await asyncio.to_thread(commit.read, repository.path, str(given.get("after", "")), before=before)
    except subprocess.CalledProcessError:
        raise Refused(HTTPStatus.BAD_REQUEST, "no such commit") from None
    event, branch = str(given.get("event") or "push"), str(given.get("branch") or ref.removeprefix("refs/heads/"))
    title = str(given.get("title") or facts.message.partition("\n")[0])
    message = title if event == "pull_request" else facts.message
    actor = str(given.get("author") or given.get("pusher") or facts.author)
    cause = Cause(event, ref, branch, facts.changed_files)
    return Happened(cause, facts.oid, title, message, actor, from_fork=bool(given.get("from_fork")))


async def show(request: web.Request) -> web.Response:
    """Return what goes wrong now."""
    return answer(part(request).faults.record())


async def change(request: web.Request) -> web.Response:
    """Set some faults."""
    try:
        part(request).faults.set(await _object(request))
    except ValueError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from error
    return await show(request)


async def clear(request: web.Request) -> web.Response:
    """Let everything go right again."""
    part(request).faults.set(Faults().record())
    return await show(request)


async def approve(request: web.Request) -> web.Response:
    """Approve a fork's run, as the web page would."""
    parts, run_id = part(request), number_of(request, "run")
    found = next((run for run in parts.board.store.runs() if run.id == run_id), None)
    if found is None:
        raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND)
    parts.runs.approve(found)
    return answer(render.run(parts.board, found))


async def inject(request: web.Request) -> web.Response:
    """Put in a run with its jobs, logs and commit statuses."""
    board, given = part(request).board, await _object(request)
    repository = board.config.repository(str(given.get("full_name", "")))
    if repository is None:
        raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND)
    file = str(given.get("workflow_id", "ci.yml"))
    run = Run(repository.id, given["sha"], given.get("ref", "refs/heads/main"), given.get("event", "push"), file, file)
    run.title, run.actor = str(given.get("title", "")), str(given.get("actor", ""))
    board.store.insert(run)
    run.jobs = [_injected(board, run, job) for job in given.get("jobs", [])]
    run.status = Status(given["status"]) if "status" in given else of_jobs(job.status for job in run.jobs)
    run.started, run.stopped = run.created, now() if run.status.done else 0
    board.store.save(run)
    for job in run.jobs:
        board.tell_commit(run, job)
    return answer(render.run(board, run))


def _injected(board: Board, run: Run, given: dict[str, Any]) -> Job:
    name = str(given.get("name", "job"))
    job = Job(board.store.next_id("job"), name, name, runs_on=list(given.get("runs_on", ["docker"])))
    job.steps = [Step(str(step), Status.SUCCESS) for step in given.get("steps", [])]
    run.jobs.append(job)
    status = Status(given.get("status", "success"))
    if status not in {Status.WAITING, Status.BLOCKED, Status.SKIPPED}:
        task = board.take(run, job)
        log = JobLog(board.store.log(task.id), board.config.kind, [])
        log.say(*map(str, given.get("log", [])))
        log.close()
        task.status = status
        job.stopped = now() if status.done else 0
    job.status = status
    return job


ROUTES = [Route("POST", "/api/hook", hook)]
LAB_ROUTES = [
    Route("GET", "/_lab/faults", show),
    Route("POST", "/_lab/faults", change),
    Route("DELETE", "/_lab/faults", clear),
    Route("POST", "/_lab/runs", inject),
    Route("POST", "/_lab/runs/{run}/approve", approve),
]
