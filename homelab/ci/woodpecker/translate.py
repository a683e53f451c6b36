"""Woodpecker's JSON, translated into our records. Reads 3.x names and, where cheap, those of 2.x.

Sources: woodpecker server/model/{pipeline,workflow,step,repo,log}.go; 3.0 renamed the time fields.
Pure. Layer: ci, beside the client.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence

from homelab.ci.fields import Json, integer, items, text
from homelab.ci.model import Facts, LogLine, Pipeline, State, Step, Workflow

#: What ``allow_pr`` switches off (server/api/hook.go).
PULLS = ("pull_request", "pull_request_closed", "pull_request_metadata")
#: Where the server looks without ``config_file``, in its order (server/services/config, pipeline constants).
DEFAULT_CONFIG = (".woodpecker", ".woodpecker.yaml", ".woodpecker.yml")


def step(raw: Json) -> Step:
    """Translate one step."""
    return Step(
        id=integer(raw, "id"),
        pid=integer(raw, "pid"),
        name=text(raw, "name"),
        state=State.read(raw.get("state")),
        exit_code=integer(raw, "exit_code"),
        started=integer(raw, "started", "start_time"),
        finished=integer(raw, "finished", "end_time"),
        error=text(raw, "error"),
        kind=text(raw, "type"),
    )


def workflow(raw: Json) -> Workflow:
    """Translate one workflow with its steps in their order."""
    steps = sorted((step(child) for child in items(raw.get("children"))), key=lambda one: one.pid)
    return Workflow(
        id=integer(raw, "id"),
        pid=integer(raw, "pid"),
        name=text(raw, "name"),
        state=State.read(raw.get("state")),
        started=integer(raw, "started", "start_time"),
        finished=integer(raw, "finished", "end_time"),
        error=text(raw, "error"),
        steps=tuple(steps),
    )


def pipeline(raw: Json, *, web: str, server: str) -> Pipeline:
    """Translate one pipeline. ``web`` is the repository's page: ``{base}/repos/{id}``."""
    number = integer(raw, "number")
    flows = tuple(workflow(child) for child in items(raw.get("workflows")))
    by, superseded_by, step = _cancelled(raw, flows)
    return Pipeline(
        number=number,
        id=integer(raw, "id"),
        commit=text(raw, "commit").lower(),
        event=text(raw, "event"),
        branch=text(raw, "branch"),
        ref=text(raw, "ref"),
        source=text(raw, "cron", "deploy_to"),
        state=State.read(raw.get("status")),
        said=text(raw, "status"),
        server=server,
        url=f"{web}/pipeline/{number}",
        created=integer(raw, "created", "created_at"),
        started=integer(raw, "started", "started_at"),
        finished=integer(raw, "finished", "finished_at"),
        updated=integer(raw, "updated", "updated_at"),
        parent=integer(raw, "parent"),
        attempt=integer(raw, "rerun_count"),
        cancelled_by=by,
        superseded_by=superseded_by,
        killed_by_step=step,
        reviewed_by=text(raw, "reviewed_by"),
        author=text(raw, "author"),
        title=(text(raw, "title", "message").splitlines() or [""])[0],
        errors=tuple(
            text(error, "message") for error in items(raw.get("errors")) if not error.get("is_warning", False)
        ),
        workflows=flows,
    )


def _cancelled(raw: Json, flows: Sequence[Workflow]) -> tuple[str, int, str]:
    """Return by whom, by which newer run, by which step it was stopped.

    A restart copies this from the run it repeats (server/pipeline/restart.go): there a person proves
    nothing, the newer run is older than the restart itself, and the step must have failed here.
    """
    said = raw.get("cancel_info")
    said = said if isinstance(said, Mapping) else {}
    by, newer, step = text(said, "canceled_by_user"), integer(said, "superseded_by"), text(said, "canceled_by_step")
    if integer(raw, "parent"):
        by = ""
        failed = {one.name for flow in flows for one in flow.steps if one.state in {State.FAILURE, State.ERROR}}
        step = step if step in failed else ""
    return by, newer if newer > integer(raw, "number") else 0, step


def facts(raw: Json, *, url: str, may_write: bool) -> Facts:
    """Translate a repository."""
    configured = text(raw, "config_file")
    approval = text(raw, "require_approval")
    return Facts(
        slug=text(raw, "full_name"),
        url=url,
        active=raw.get("active") is not False,
        default_branch=text(raw, "default_branch"),
        config_paths=(configured.rstrip("/"),) if configured else DEFAULT_CONFIG,
        approval="" if approval == "none" else approval,
        may_write=may_write,
        timeout=integer(raw, "timeout") * 60,
        events_off=PULLS if raw.get("allow_pr") is False else (),
    )


def log_line(raw: Json) -> LogLine:
    """Translate one log entry. ``data`` is base64 of one line, which until 2.5 ended in a newline."""
    try:
        data = base64.b64decode(raw.get("data") or "")
    except (binascii.Error, ValueError):
        data = str(raw.get("data")).encode()
    said = data.decode(errors="replace").removesuffix("\n")
    return LogLine(number=integer(raw, "line"), text=said, time=integer(raw, "time"))
