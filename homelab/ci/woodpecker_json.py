"""Woodpecker's JSON, translated into our records. Reads 3.x names and, where cheap, those of 2.x.

Sources: woodpecker server/model/{pipeline,workflow,step,repo,log}.go; 3.0 renamed the time fields.
Pure. Layer: ci, beside the client.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from homelab.ci.model import Facts, LogLine, Pipeline, State, Step, Workflow

#: Where the server looks without ``config_file``, in its order (server/services/config, pipeline constants).
DEFAULT_CONFIG = (".woodpecker", ".woodpecker.yaml", ".woodpecker.yml")

Json = Mapping[str, Any]


def _number(raw: Json, *names: str) -> int:
    for name in names:
        value = raw.get(name)
        if isinstance(value, (int, float)) and value:
            return int(value)
    return 0


def _text(raw: Json, *names: str) -> str:
    for name in names:
        value = raw.get(name)
        if value:
            return str(value)
    return ""


def _items(value: object) -> list[Json]:
    """An empty list may arrive as ``null``."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def step(raw: Json) -> Step:
    """Translate one step."""
    return Step(
        id=_number(raw, "id"),
        pid=_number(raw, "pid"),
        name=_text(raw, "name"),
        state=State.read(raw.get("state")),
        exit_code=_number(raw, "exit_code"),
        started=_number(raw, "started", "start_time"),
        finished=_number(raw, "finished", "end_time"),
        error=_text(raw, "error"),
        kind=_text(raw, "type"),
    )


def workflow(raw: Json) -> Workflow:
    """Translate one workflow with its steps in their order."""
    steps = sorted((step(child) for child in _items(raw.get("children"))), key=lambda one: one.pid)
    return Workflow(
        id=_number(raw, "id"),
        pid=_number(raw, "pid"),
        name=_text(raw, "name"),
        state=State.read(raw.get("state")),
        started=_number(raw, "started", "start_time"),
        finished=_number(raw, "finished", "end_time"),
        error=_text(raw, "error"),
        steps=tuple(steps),
    )


def pipeline(raw: Json, *, web: str, server: str) -> Pipeline:
    """Translate one pipeline. ``web`` is the repository's page: ``{base}/repos/{id}``."""
    cancel = raw.get("cancel_info")
    cancel = cancel if isinstance(cancel, Mapping) else {}
    number = _number(raw, "number")
    return Pipeline(
        number=number,
        id=_number(raw, "id"),
        commit=_text(raw, "commit").lower(),
        event=_text(raw, "event"),
        branch=_text(raw, "branch"),
        ref=_text(raw, "ref"),
        source=_text(raw, "cron", "deploy_to"),
        state=State.read(raw.get("status")),
        said=_text(raw, "status"),
        server=server,
        url=f"{web}/pipeline/{number}",
        created=_number(raw, "created", "created_at"),
        started=_number(raw, "started", "started_at"),
        finished=_number(raw, "finished", "finished_at"),
        updated=_number(raw, "updated", "updated_at"),
        parent=_number(raw, "parent"),
        attempt=_number(raw, "rerun_count"),
        cancelled_by=_text(cancel, "canceled_by_user"),
        superseded_by=_number(cancel, "superseded_by"),
        killed_by_step=_text(cancel, "canceled_by_step"),
        reviewed_by=_text(raw, "reviewed_by"),
        author=_text(raw, "author"),
        title=(_text(raw, "title", "message").splitlines() or [""])[0],
        errors=tuple(
            _text(error, "message") for error in _items(raw.get("errors")) if not error.get("is_warning", False)
        ),
        workflows=tuple(workflow(child) for child in _items(raw.get("workflows"))),
    )


def facts(raw: Json, *, url: str, may_write: bool) -> Facts:
    """Translate a repository."""
    configured = _text(raw, "config_file")
    approval = _text(raw, "require_approval")
    return Facts(
        slug=_text(raw, "full_name"),
        url=url,
        active=raw.get("active") is not False,
        default_branch=_text(raw, "default_branch"),
        config_paths=(configured.rstrip("/"),) if configured else DEFAULT_CONFIG,
        approval="" if approval == "none" else approval,
        may_write=may_write,
        timeout=_number(raw, "timeout") * 60,
    )


def log_line(raw: Json) -> LogLine:
    """Translate one log entry. ``data`` is base64 of one line, which until 2.5 ended in a newline."""
    try:
        data = base64.b64decode(raw.get("data") or "")
    except (binascii.Error, ValueError):
        data = str(raw.get("data")).encode()
    text = data.decode(errors="replace").removesuffix("\n")
    return LogLine(number=_number(raw, "line"), text=text, time=_number(raw, "time"))
