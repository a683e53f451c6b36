"""Jobs and their logs: ``/actions/runs/{run}/jobs``, ``/actions/jobs``, and the web page's own log."""

from __future__ import annotations

import io
import zipfile
from http import HTTPStatus

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
from homelab.lab.actions.api.runs import need_run
from homelab.lab.actions.records import Job, Run
from homelab.lab.actions.words import Kind, Level
from homelab.lab.woodpecker.config import Repository

_TEXT = "text/plain; charset=utf-8"


async def of_run(request: web.Request) -> web.Response:
    """Return a run's jobs in the order they were made: paged on one face, a plain list on the other."""
    board = part(request).board
    found = need_run(request, need_repository(request))
    if board.config.kind is Kind.FORGEJO:
        return answer([render.job(board, found, job) for job in found.jobs])
    rows, headers = page_of(request, [(found, job) for job in found.jobs])
    return answer({"jobs": [_job(request, *row) for row in rows], "total_count": len(found.jobs)}, headers=headers)


async def of_repository(request: web.Request) -> web.Response:
    """Return all jobs of the repository."""
    pairs = _pairs(request, need_repository(request))
    rows, headers = page_of(request, pairs)
    return answer({"jobs": [_job(request, *row) for row in rows], "total_count": len(pairs)}, headers=headers)


async def show(request: web.Request) -> web.Response:
    """Return one job."""
    return answer(_job(request, *_found(request, need_repository(request))))


def _job(request: web.Request, run: Run, job: Job) -> dict[str, object]:
    return render.job(part(request).board, run, job, steps_copy_job=part(request).faults.steps_copy_job)


def _pairs(request: web.Request, repository: Repository) -> list[tuple[Run, Job]]:
    return [(run, job) for run in part(request).board.store.runs(repository.id) for job in run.jobs]


def _found(request: web.Request, repository: Repository) -> tuple[Run, Job]:
    job_id = number_of(request, "job_id")
    pair = next((pair for pair in _pairs(request, repository) if pair[1].id == job_id), None)
    if pair is None:
        raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND)
    return pair


async def logs(request: web.Request) -> web.StreamResponse:
    """Return a job's log, also while it runs; ``Range`` gives what is new, and 416 when nothing is."""
    found = need_repository(request)
    if part(request).board.config.kind is Kind.GITEA:
        need_user(request)
    return _log(request, *_found(request, found))


def _log(request: web.Request, run: Run, job: Job, attempt: str = "") -> web.StreamResponse:
    """Return the log of the latest attempt, or of ``attempt``; of one step on the face that can."""
    faults, board = part(request).faults, part(request).board
    attempt = attempt or request.query.get("attempt", "")
    task_id = job.task_id
    if attempt:
        task_id = next((task.id for task in run.tasks if (task.job_id, str(task.attempt)) == (job.id, attempt)), 0)
    if not task_id:
        raise Refused(HTTPStatus.NOT_FOUND, "job not started" if not attempt else NOT_FOUND)
    if faults.logs_expired:
        raise Refused(HTTPStatus.NOT_FOUND, "logs have been cleaned up")
    path = board.store.log(task_id)
    headers = {"Content-Type": _TEXT, "Content-Disposition": f'attachment; filename="{job.name}-{task_id}.log"'}
    if board.config.kind is Kind.FORGEJO and (number := request.query.get("step", "")):
        return web.Response(body=_step_lines(path.read_bytes(), job, number), headers=headers)
    if faults.ignore_range:
        return web.Response(body=path.read_bytes(), headers=headers)
    return web.FileResponse(path, headers=headers)


def _step_lines(log: bytes, job: Job, number: str) -> bytes:
    if not number.isdigit() or int(number) >= len(job.steps):
        raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND)
    step = job.steps[int(number)]
    lines = log.splitlines(keepends=True)
    end = step.last_line if step.stopped else len(lines)
    return b"".join(lines[step.first_line : end])


async def run_logs(request: web.Request) -> web.Response:
    """Return the logs of a run's latest attempts, zipped, a file a job."""
    board = part(request).board
    found = need_run(request, need_repository(request))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for job in found.jobs:
            if job.task_id:
                name = f"{job.name}-{job.id}-attempt-{job.attempt}.log"
                archive.writestr(name, board.store.log(job.task_id).read_bytes())
    return web.Response(body=packed.getvalue(), content_type="application/zip")


async def web_log(request: web.Request) -> web.StreamResponse:
    """Return what the web page links to: tokens do not count here, a private repository asks to sign in."""
    board = part(request).board
    repository = board.config.repository(f"{request.match_info['owner']}/{request.match_info['repo']}")
    if repository is None or repository.visibility != "public":
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": f"{board.config.url}/user/login"})
    number, index = number_of(request, "number"), number_of(request, "index")
    found = next((run for run in board.store.runs(repository.id) if run.number == number), None)
    if found is None or index >= len(found.jobs):
        raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND)
    return _log(request, found, found.jobs[index], request.match_info.get("attempt", ""))


_JOBS = REPO + "/actions/jobs"
_WEB = "/{owner}/{repo}/actions/runs/{number}/jobs/{index}"
ROUTES = [
    Route("GET", REPO + "/actions/runs/{run}/jobs", of_run, Level.LOGS, Level.LOGS),
    Route("GET", REPO + "/actions/runs/{run}/logs", run_logs, Level.LOGS, None),
    Route("GET", _JOBS, of_repository, None, Level.LOGS),
    Route("GET", _JOBS + "/{job_id}", show, None, Level.LOGS),
    Route("GET", _JOBS + "/{job_id}/logs", logs, Level.LOGS, Level.LOGS, ("step", "attempt"), logs=True),
    Route("GET", _WEB + "/logs", web_log, Level.TASKS, Level.TASKS),
    Route("GET", _WEB + "/attempt/{attempt}/logs", web_log, Level.RUNS, None),
]
