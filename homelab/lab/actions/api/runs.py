"""Tasks, runs and what may be done with them: ``/actions/{tasks,runs,workflows}``."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aiohttp import web

from homelab.lab.actions import render
from homelab.lab.actions.access import (
    NOT_FOUND,
    Refused,
    answer,
    need_repository,
    need_user,
    number_of,
    page_of,
    part,
)
from homelab.lab.actions.api.routing import REPO, Route
from homelab.lab.actions.records import Run, Task
from homelab.lab.actions.runs import Happened
from homelab.lab.actions.words import GITEA_FILTER, Kind, Level, Status
from homelab.lab.actions.workflow import Cause, WorkflowRefused, parse
from homelab.lab.woodpecker import commit
from homelab.lab.woodpecker.config import Repository


async def tasks(request: web.Request) -> web.Response:
    """Return the job attempts a runner took, newest first; what waits or is blocked is not among them."""
    found, board = need_repository(request), part(request).board
    pairs = [(run, task) for run in board.store.runs(found.id) for task in run.tasks]
    wanted = request.query.get("status", "")
    if wanted and board.config.kind is Kind.FORGEJO and board.config.level >= Level.RUNS:
        pairs = [(run, task) for run, task in pairs if task.status == wanted]
    rows, headers = page_of(request, sorted(pairs, key=_newest_task))
    shown = [render.task(board, run, task) for run, task in rows]
    return answer({"workflow_runs": shown, "total_count": len(pairs)}, headers=headers)


def _newest_task(pair: tuple[Run, Task]) -> int:
    return -pair[1].id


async def runs(request: web.Request) -> web.Response:
    """Return the runs, newest id first, narrowed by what the face knows."""
    found, board = need_repository(request), part(request).board
    tests = _filters(request, board.config.kind)
    kept = [run for run in board.store.runs(found.id) if all(test(run) for test in tests)]
    rows, headers = page_of(request, kept)
    shown = [render.run(board, run) for run in rows]
    return answer({"workflow_runs": shown, "total_count": len(kept)}, headers=headers)


def _filters(request: web.Request, kind: Kind) -> list[Callable[[Run], bool]]:
    """Read the filters; a status that is none is a 400, a filter the face does not know is ignored."""
    query = request.query
    common: dict[str, Callable[[Run, str], bool]] = {
        "event": lambda run, word: run.event == word,
        "head_sha": lambda run, word: run.sha == word,
    }
    gitea: dict[str, Callable[[Run, str], bool]] = {
        "branch": lambda run, word: run.branch == word,
        "actor": lambda run, word: run.actor == word,
    }
    forgejo: dict[str, Callable[[Run, str], bool]] = {
        "run_number": lambda run, word: str(run.number) == word,
        "ref": lambda run, word: run.ref == word,
        "workflow_id": lambda run, word: run.workflow_id == word,
    }
    known = common | (gitea if kind is Kind.GITEA else forgejo)
    tests = [_bound(test, query[name]) for name, test in known.items() if query.get(name)]
    if words := query.getall("status", []):
        statuses = {_status(word, kind) for word in words if word}
        tests.append(lambda run: not statuses or run.status in statuses)
    return tests


def _bound(test: Callable[[Run, str], bool], word: str) -> Callable[[Run], bool]:
    return lambda run: test(run, word)


def _status(word: str, kind: Kind) -> Status:
    try:
        return GITEA_FILTER[word] if kind is Kind.GITEA else Status(word)
    except (KeyError, ValueError):
        raise Refused(HTTPStatus.BAD_REQUEST, f"Invalid status: {word}") from None


def need_run(request: web.Request, repository: Repository) -> Run:
    """Return the run of the path, by id."""
    found = part(request).board.store.run(repository.id, number_of(request, "run"))
    if found is None:
        raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND)
    return found


async def run(request: web.Request) -> web.Response:
    """Return one run."""
    return answer(render.run(part(request).board, need_run(request, need_repository(request))))


async def cancel(request: web.Request) -> web.Response:
    """Stop a run; one that is over stays as it is."""
    part(request).runs.cancel(need_run(request, need_repository(request, "push")))
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def rerun(request: web.Request) -> web.Response:
    """Run all of it again."""
    return _again(request, lambda _: None)


async def rerun_failed(request: web.Request) -> web.Response:
    """Run again what failed, with what needs it."""
    bad = {Status.FAILURE, Status.CANCELLED}
    return _again(request, lambda run: {job.key for job in run.jobs if job.status in bad})


async def rerun_job(request: web.Request) -> web.Response:
    """Run one job again, with what needs it."""
    job_id = number_of(request, "job_id")
    return _again(request, lambda run: {job.key for job in run.jobs if job.id == job_id})


def _again(request: web.Request, keys: Callable[[Run], set[str] | None]) -> web.Response:
    found = need_run(request, need_repository(request, "push"))
    if not found.over:
        raise Refused(HTTPStatus.BAD_REQUEST, "this workflow run is not done")
    chosen = keys(found)
    if chosen is not None and not chosen:
        raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND)
    part(request).runs.rerun(found, chosen)
    return answer(render.run(part(request).board, found), status=HTTPStatus.CREATED)


async def workflows(request: web.Request) -> web.Response:
    """Return the workflow files of the default branch."""
    found, parts = need_repository(request), part(request)
    need_user(request)
    files = await asyncio.to_thread(parts.runs.files, found, found.default_branch)
    rows = []
    for file in files:
        name = file.name.rpartition("/")[2]
        try:
            title = parse(file.text, file.name).name
        except WorkflowRefused:
            title = name
        rows.append({"id": name, "name": title, "path": file.name, "state": "active"})
    return answer({"workflows": rows, "total_count": len(rows)})


async def dispatch(request: web.Request) -> web.Response:
    """Run one file of a branch or tag by hand."""
    found, parts = need_repository(request, "push"), part(request)
    given = await request.json()
    ref = str(given.get("ref", "")).removeprefix("refs/heads/")
    try:
        facts = await asyncio.to_thread(commit.read, found.path, ref)
    except subprocess.CalledProcessError:
        raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND) from None
    cause = Cause("workflow_dispatch", f"refs/heads/{ref}", branch=ref)
    happened = Happened(cause, facts.oid, facts.message.partition("\n")[0], actor=need_user(request).login)
    happened.only_file = request.match_info["file"]
    made = await parts.runs.happened(found, happened)
    if not made:
        raise Refused(HTTPStatus.NOT_FOUND, f"workflow {happened.only_file!r} not found")
    return _dispatched(request, given, made[0])


def _dispatched(request: web.Request, given: dict[str, Any], made: Run) -> web.Response:
    """Answer with nothing, or with the run where the caller asked for it."""
    board = part(request).board
    if board.config.kind is Kind.GITEA and request.query.get("return_run_details") == "true":
        shown = render.run(board, made)
        return answer({"workflow_run_id": made.id, "run_url": shown["url"], "html_url": shown["html_url"]})
    if board.config.kind is Kind.FORGEJO and given.get("return_run_info"):
        jobs = [job.name for job in made.jobs]
        return answer({"id": made.id, "run_number": made.number, "jobs": jobs}, status=HTTPStatus.CREATED)
    return web.Response(status=HTTPStatus.NO_CONTENT)


_RUN = REPO + "/actions/runs/{run}"
ROUTES = [
    Route("GET", REPO + "/actions/tasks", tasks, Level.TASKS, Level.TASKS),
    Route("GET", REPO + "/actions/runs", runs, Level.RUNS, Level.RUNS),
    Route("GET", _RUN, run, Level.RUNS, Level.RUNS),
    Route("POST", _RUN + "/cancel", cancel, Level.LOGS, None),
    Route("POST", _RUN + "/rerun", rerun, None, Level.LOGS),
    Route("POST", _RUN + "/rerun-failed-jobs", rerun_failed, None, Level.LOGS),
    Route("POST", _RUN + "/jobs/{job_id}/rerun", rerun_job, None, Level.LOGS),
    Route("GET", REPO + "/actions/workflows", workflows, None, Level.LOGS),
    Route("POST", REPO + "/actions/workflows/{file}/dispatches", dispatch, Level.TASKS, Level.LOGS),
]
