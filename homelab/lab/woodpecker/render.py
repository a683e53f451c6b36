"""The records as clients see them: the JSON forms of user, repository, pipeline, step, log line, feed. Pure.

Sources: woodpecker server/model/{user,repo,pipeline,workflow,step,log,feed}.go. ``legacy`` gives the
field names of 2.x (server/model of v2.8.3).
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import Any

from homelab.lab.woodpecker.config import Repository, User
from homelab.lab.woodpecker.records import Complaint, ConfigFile, Cron, LogLine, Pipeline, Step, Workflow
from homelab.lab.woodpecker.states import Trigger

_LEGACY_PIPELINE = {f"{name}": f"{name}_at" for name in ("created", "updated", "started", "finished", "reviewed")}
_LEGACY_STEP = {"started": "start_time", "finished": "end_time"}


def _renamed(record: dict[str, Any], names: dict[str, str], *, legacy: bool) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in record.items()} if legacy else record


def _without_empty(record: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Leave out what upstream marks omitempty."""
    return {key: value for key, value in record.items() if value or key not in keys}


def user(one: User) -> dict[str, Any]:
    """Return ``GET /api/user``."""
    record = {
        "id": one.id,
        "forge_id": 1,
        "forge_remote_id": str(one.id),
        "login": one.login,
        "email": one.email,
        "avatar_url": "",
        "admin": one.admin,
        "org_id": one.id,
    }
    return _without_empty(record, "admin")


def repository(one: Repository) -> dict[str, Any]:
    """Return one Repo."""
    return {
        "id": one.id,
        "forge_id": 1,
        "forge_remote_id": str(one.id),
        "org_id": 1,
        "owner": one.owner,
        "name": one.name,
        "full_name": one.full_name,
        "avatar_url": "",
        "forge_url": one.forge_url,
        "clone_url": one.clone_url,
        "clone_url_ssh": one.clone_url_ssh,
        "default_branch": one.default_branch,
        "pr_enabled": True,
        "timeout": max(1, int(one.timeout)),
        "visibility": one.visibility,
        "private": one.visibility != "public",
        "trusted": {"network": False, "volumes": False, "security": False},
        "require_approval": one.require_approval,
        "approval_allowed_users": list(one.approval_allowed_users),
        "active": one.active,
        "allow_pr": one.allow_pr,
        "allow_deploy": one.allow_deploy,
        "config_file": one.config_file,
        "cancel_previous_pipeline_events": list(one.cancel_previous_pipeline_events),
        "netrc_trusted": [],
    }


def cron(one: Cron) -> dict[str, Any]:
    """Return one Cron; it is never due by itself."""
    return {**asdict(one), "next_exec": 0}


def step(one: Step, pipeline_id: int, *, legacy: bool = False) -> dict[str, Any]:
    """Return one Step; how it treats failure is not shown."""
    record = {
        "id": one.id,
        "uuid": one.uuid,
        "pipeline_id": pipeline_id,
        "pid": one.pid,
        "ppid": one.ppid,
        "name": one.name,
        "state": one.state,
        "error": one.error,
        "exit_code": one.exit_code,
        "started": one.started,
        "finished": one.finished,
        "type": one.type,
    }
    return _renamed(_without_empty(record, "error", "started", "finished", "type"), _LEGACY_STEP, legacy=legacy)


def workflow(one: Workflow, pipeline_id: int, *, legacy: bool = False) -> dict[str, Any]:
    """Return one Workflow with its steps."""
    record = {
        "id": one.id,
        "pipeline_id": pipeline_id,
        "pid": one.pid,
        "name": one.name,
        "state": one.state,
        "error": one.error,
        "started": one.started,
        "finished": one.finished,
        "agent_id": one.agent_id,
        "environ": one.environ,
        "children": [step(child, pipeline_id, legacy=legacy) for child in one.steps],
    }
    empty = ("error", "started", "finished", "agent_id", "environ", "children")
    return _renamed(_without_empty(record, *empty), _LEGACY_STEP, legacy=legacy)


def _complaint(one: Complaint) -> dict[str, Any]:
    named = {"file": one.file, "field": one.field} if one.file or one.field else None
    place = {**named, "docs": one.docs} if named and one.docs else named
    return {"type": one.type, "message": one.message, "is_warning": one.is_warning, "data": place}


def pipeline(one: Pipeline, *, workflows: bool = True, legacy: bool = False, raw: bool = False) -> dict[str, Any]:
    """Return one Pipeline; lists leave the workflows out. There is no repository id in it.

    Asked for, a cron run has the cron's name for message and sender, a tag says that it was created;
    ``raw``, as events and the hook's answer have it, they carry the commit's own.
    """
    record: dict[str, Any] = {
        "id": one.id,
        "number": one.number,
        "parent": one.parent,
        "rerun_count": one.rerun_count,
        "event": one.event,
        "event_reason": None,
        "status": one.status,
        "errors": [_complaint(complaint) for complaint in one.errors] or None,
        "created": one.created,
        "updated": one.updated,
        "started": one.started,
        "finished": one.finished,
        "timestamp": one.timestamp,
        "reviewed": one.reviewed,
        "reviewed_by": one.reviewed_by,
        "deploy_to": one.deploy_to,
        "deploy_task": "",
        **_forge_side(one),
        "version": one.version,
        "cancel_info": one.cancel_info,
        "workflows": [workflow(flow, one.id, legacy=legacy) for flow in one.workflows] if workflows else [],
        "changed_files": one.changed_files,
        "variables": one.variables,
        "cron": one.cron,
        "from_fork": one.from_fork,
    }
    empty = ("cancel_info", "workflows", "changed_files", "variables", "cron", "from_fork")
    told = record if raw else record | _spoken_for(one)
    return _renamed(_without_empty(told, *empty), _LEGACY_PIPELINE, legacy=legacy)


def _forge_side(one: Pipeline) -> dict[str, str]:
    """Return what the forge told of the commit and of who pushed it."""
    return {
        "commit": one.commit,
        "branch": one.branch,
        "ref": one.ref,
        "refspec": one.refspec,
        "title": one.title,
        "message": one.message,
        "sender": one.sender,
        "author": one.author,
        "author_avatar": "",
        "author_email": one.author_email,
        "forge_url": one.forge_url,
    }


def _spoken_for(one: Pipeline) -> dict[str, str]:
    """Return what upstream's ToAPIModel puts over a pipeline."""
    if one.event is Trigger.CRON:
        return {"message": one.cron, "sender": one.cron}
    if one.event is Trigger.TAG:
        return {"message": f"created tag {one.ref.removeprefix('refs/tags/')}"}
    return {}


def event(repo: Repository, one: Pipeline, *, legacy: bool = False) -> bytes:
    """Return the payload of one message on the event stream."""
    return json.dumps({"repo": repository(repo), "pipeline": pipeline(one, legacy=legacy, raw=True)}).encode()


def log_line(one: LogLine) -> dict[str, Any]:
    """Return one LogEntry: ``data`` is base64, JSON's form of Go bytes."""
    data = base64.b64encode(one.data).decode()
    return {
        "id": one.id,
        "step_id": one.step_id,
        "time": one.time,
        "line": one.line,
        "data": data or None,
        "type": one.type,
    }


def config_file(one: ConfigFile) -> dict[str, Any]:
    """Return one file the pipeline was made from."""
    import hashlib

    data = one.text.encode()
    return {"hash": hashlib.sha256(data).hexdigest(), "name": one.name, "data": base64.b64encode(data).decode()}


_FEED = [
    "id",
    "number",
    "event",
    "status",
    "created",
    "started",
    "finished",
    "commit",
    "branch",
    "ref",
    "refspec",
    "title",
    "message",
    "author",
    "author_email",
]


def feed(repo: Repository, one: Pipeline | None, *, legacy: bool = False) -> dict[str, Any]:
    """Return one row of a feed; everything that is zero is left out."""
    shown = pipeline(one, workflows=False) if one else {}
    row = {"repo_id": repo.id, "full_name": repo.full_name, **{key: shown[key] for key in _FEED if shown.get(key)}}
    return _renamed(row, _LEGACY_PIPELINE, legacy=legacy)
