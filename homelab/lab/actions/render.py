"""Runs, jobs, tasks and commit statuses as each face shows them. Pure.

Sources: Gitea modules/structs/{repo_actions,status}.go, services/convert/convert.go (1.26); Forgejo
modules/structs/{action,status}.go, services/convert/action.go (12 to 16).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from homelab.lab.actions.board import Board
from homelab.lab.actions.records import CommitStatus, Job, Run, Step, Task
from homelab.lab.actions.words import Kind, gitea_words
from homelab.lab.woodpecker.config import Repository, User

_NANOSECONDS = 1_000_000_000


def moment(seconds: int) -> str:
    """Return RFC 3339 in UTC; 0 is 1970, as both servers say for not yet."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def user(one: User) -> dict[str, Any]:
    """Return one account."""
    return {"id": one.id, "login": one.login, "full_name": "", "email": one.email, "is_admin": one.admin}


def repository(one: Repository, who: User | None, url: str) -> dict[str, Any]:
    """Return one repository."""
    rights = {right: one.allows(who, right) for right in ("admin", "push", "pull")}
    return {
        "id": one.id,
        "owner": {"login": one.owner},
        "name": one.name,
        "full_name": one.full_name,
        "private": one.visibility != "public",
        "archived": False,
        "empty": False,
        "default_branch": one.default_branch,
        "html_url": f"{url}/{one.full_name}",
        "clone_url": one.clone_url or f"{url}/{one.full_name}.git",
        "ssh_url": one.clone_url_ssh,
        "permissions": rights,
        "has_actions": one.active,
    }


def commit_status(one: CommitStatus, url: str) -> dict[str, Any]:
    """Return one row: its state is called ``status``, both times are its birth."""
    return {
        "id": one.id,
        "status": one.state,
        "target_url": one.target_url,
        "description": one.description,
        "url": f"{url}/api/v1/repos/statuses/{one.sha}",
        "context": one.context,
        "creator": {"login": one.creator},
        "created_at": moment(one.created),
        "updated_at": moment(one.created),
    }


def task(board: Board, run: Run, one: Task) -> dict[str, Any]:
    """Return one task: an attempt of a job that a runner took."""
    return {
        "id": one.id,
        "name": one.name,
        "head_branch": run.branch,
        "head_sha": run.sha,
        "run_number": run.number,
        "event": run.event,
        "display_title": run.title,
        "status": one.status,
        "workflow_id": run.workflow_id,
        "url": board.config.url + board.link(run),
        "created_at": moment(one.created),
        "updated_at": moment(one.updated),
        "run_started_at": moment(run.started),
    }


def run(board: Board, one: Run) -> dict[str, Any]:
    """Return one run, in the words of the face that is shown."""
    return _gitea_run(board, one) if board.config.kind is Kind.GITEA else _forgejo_run(board, one)


def _gitea_run(board: Board, one: Run) -> dict[str, Any]:
    status, conclusion = gitea_words(one.status)
    api = f"{board.config.url}/api/v1/repos/{board.repository(one).full_name}"
    record = {
        "id": one.id,
        "url": f"{api}/actions/runs/{one.id}",
        "html_url": board.config.url + board.link(one),
        "display_title": one.title,
        "path": f"{one.workflow_id}@{one.ref}",
        "event": one.event,
        "run_attempt": one.attempt,
        "run_number": one.number,
        "head_sha": one.sha,
        "head_branch": one.branch,
        "status": status,
        "conclusion": conclusion,
        "actor": {"login": one.actor},
        "trigger_actor": {"login": one.actor},
        "repository": {"full_name": board.repository(one).full_name},
        "started_at": moment(one.started),
        "completed_at": moment(one.stopped),
    }
    return {key: value for key, value in record.items() if value or key != "conclusion"}


def _forgejo_run(board: Board, one: Run) -> dict[str, Any]:
    end = one.stopped or one.updated
    return {
        "id": one.id,
        "title": one.title,
        "repository": {"full_name": board.repository(one).full_name},
        "workflow_id": one.workflow_id,
        "index_in_repo": one.number,
        "trigger_user": {"login": one.actor},
        "ScheduleID": 0,
        "prettyref": one.branch,
        "is_ref_deleted": False,
        "commit_sha": one.sha,
        "is_fork_pull_request": one.need_approval,
        "need_approval": one.need_approval,
        "approved_by": 0,
        "event": one.event,
        "event_payload": json.dumps({"ref": one.ref, "after": one.sha, "padding": "x" * 1024}),
        "trigger_event": one.event,
        "status": one.status,
        "started": moment(one.started),
        "stopped": moment(one.stopped),
        "created": moment(one.created),
        "updated": moment(one.updated),
        "duration": max(0, end - one.started) * _NANOSECONDS if one.started else 0,
        "html_url": board.config.url + board.link(one),
    }


def job(board: Board, one: Run, made: Job, *, steps_copy_job: bool = False) -> dict[str, Any]:
    """Return one job, in the words of the face that is shown."""
    if board.config.kind is Kind.FORGEJO:
        return _forgejo_job(one, made)
    status, conclusion = gitea_words(made.status)
    steps = [_gitea_step(step, at, made if steps_copy_job else None) for at, step in enumerate(made.steps)]
    record = {
        "id": made.id,
        "run_id": one.id,
        "run_url": f"{board.config.url}/api/v1/repos/{board.repository(one).full_name}/actions/runs/{one.id}",
        "html_url": board.config.url + board.link(one, made),
        "name": made.name,
        "labels": made.runs_on,
        "run_attempt": made.attempt,
        "head_sha": one.sha,
        "head_branch": one.branch,
        "status": status,
        "conclusion": conclusion,
        "runner_id": 1 if made.task_id else 0,
        "runner_name": "lab-runner" if made.task_id else "",
        "steps": steps if made.task_id else None,
        "created_at": moment(one.created),
        "started_at": moment(made.started),
        "completed_at": moment(made.stopped),
    }
    return {key: value for key, value in record.items() if value or key not in {"conclusion", "runner_id"}}


def _gitea_step(one: Step, number: int, copied: Job | None) -> dict[str, Any]:
    status, conclusion = gitea_words(copied.status if copied else one.status)
    times = {"started_at": moment(one.started), "completed_at": moment(one.stopped)}
    return {"name": one.name, "number": number, "status": status, "conclusion": conclusion, **times}


def _forgejo_job(one: Run, made: Job) -> dict[str, Any]:
    return {
        "id": made.id,
        "run_id": one.id,
        "attempt": made.attempt,
        "handle": f"job-{made.id}",
        "repo_id": one.repo_id,
        "owner_id": 1,
        "name": made.name,
        "needs": made.needs or None,
        "runs_on": made.runs_on,
        "task_id": made.task_id,
        "status": made.status,
    }
