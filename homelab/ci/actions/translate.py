"""The JSON of Forgejo's and Gitea's Actions, translated into our records. Pure. Layer: ci, beside the client.

The two servers share routes and differ in nearly every field (gitea routers/api/v1/repo/action.go,
services/convert; forgejo modules/structs/action.go); what is absent is defaulted, never demanded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from homelab.ci.fields import Json, integer, items, text
from homelab.ci.model import LogLine, Pipeline, State, Step, Workflow

#: Both servers' words. Gitea's ``waiting`` is blocked by needs, concurrency or approval, its ``queued`` waits
#: for a runner; neither tells approval apart, so neither is our BLOCKED.
STATES = {
    "queued": State.PENDING,
    "waiting": State.PENDING,
    "blocked": State.PENDING,
    "pending": State.PENDING,
    "requested": State.PENDING,
    "in_progress": State.RUNNING,
    "running": State.RUNNING,
    "success": State.SUCCESS,
    "failure": State.FAILURE,
    "timed_out": State.FAILURE,
    "startup_failure": State.ERROR,
    "cancelled": State.CANCELED,
    "skipped": State.SKIPPED,
    "error": State.ERROR,
}
_EVENTS = {"schedule": "cron", "workflow_dispatch": "manual"}
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) ?")


def state(raw: Json) -> tuple[State, str]:
    """Return the state and the server's own word: Gitea's conclusion once completed, else the status."""
    status, conclusion = text(raw, "status"), text(raw, "conclusion")
    word = conclusion if status == "completed" else status
    return STATES.get(word, State.UNKNOWN), word or "unknown"


def event_of(word: str) -> str:
    """Return our word for an event; what happens to a pull request has many of theirs."""
    return "pull_request" if word.startswith("pull_request") else _EVENTS.get(word, word)


def stamp(raw: Json, *names: str) -> int:
    """Return an RFC 3339 time as Unix seconds; unset ones are years ago (1970, or year 1), and 0 here."""
    for name in names:
        try:
            seconds = int(datetime.fromisoformat(str(raw.get(name))).timestamp())
        except (ValueError, OverflowError):
            continue
        if seconds > 0:
            return seconds
    return 0


def run(raw: Json, *, web: str, server: str) -> Pipeline:
    """Translate a run of either server, without its jobs. ``web`` is the repository's page."""
    found, word = state(raw)
    number = integer(raw, "run_number", "index_in_repo")
    ref = _ref(raw)
    event = "tag" if ref.startswith("refs/tags/") else text(raw, "event", "trigger_event")
    waits = bool(raw.get("need_approval"))
    actor = raw.get("trigger_actor") or raw.get("trigger_user") or raw.get("actor")
    return Pipeline(
        number=number,
        id=integer(raw, "id"),
        commit=text(raw, "head_sha", "commit_sha").lower(),
        event=event_of(event),
        branch=text(raw, "head_branch") or ref.removeprefix("refs/heads/").removeprefix("refs/tags/"),
        ref=ref,
        source=text(raw, "workflow_id") or text(raw, "path").partition("@")[0],
        state=State.BLOCKED if waits and not found.finished else found,
        said="blocked" if waits and not found.finished else word,
        server=server,
        url=text(raw, "html_url") or f"{web}/actions/runs/{number}",
        created=stamp(raw, "created_at", "created", "started_at", "started"),
        started=stamp(raw, "run_started_at", "started_at", "started"),
        finished=stamp(raw, "completed_at", "stopped") if found.finished or found is State.UNKNOWN else 0,
        updated=stamp(raw, "updated_at", "updated"),
        attempt=integer(raw, "run_attempt"),
        author=text(actor, "login", "username") if isinstance(actor, Mapping) else "",
        title=text(raw, "display_title", "title"),
    )


def _ref(raw: Json) -> str:
    """Find the full ref: Gitea ends ``path`` with it, Forgejo hides it in the webhook's payload."""
    _, _, ref = text(raw, "path").partition("@")
    if ref:
        return ref
    try:
        payload = json.loads(raw.get("event_payload") or "{}")
    except ValueError:
        return ""
    said = payload.get("ref") if isinstance(payload, Mapping) else ""
    pretty = text(raw, "prettyref")
    return said if isinstance(said, str) and said.startswith("refs/") else f"refs/heads/{pretty}" if pretty else ""


#: A job keeps its id over its attempts, which are fewer than this; both make the id of our record.
ATTEMPTS = 1000
#: How a job's step is told, which decides how its log is found: by the API's job, by a status's page, by a task.
JOB, PAGE, TASK = "job", "page", "task"


def job(raw: Json, *, kind: str = JOB) -> Workflow:
    """Translate a job. Its log is one file, so it is one step, named after the step that failed where that is known."""
    found, _ = state(raw)
    names = ("completed_at", "stopped")
    told = attempt(raw)
    step = Step(
        id=integer(raw, "id"),
        name=_failed_step(raw) if found.failing else "",
        state=found,
        started=stamp(raw, "started_at", "started"),
        finished=stamp(raw, *names) if found.finished else 0,
        kind=kind,
        url=text(raw, "html_url"),
    )
    waits = f"waits for a runner with {_labels(raw)}" if _runnerless(raw) and _labels(raw) else ""
    return Workflow(
        id=integer(raw, "id") * ATTEMPTS + told,
        name=text(raw, "name"),
        state=found,
        started=step.started,
        finished=step.finished,
        error=waits,
        steps=(step,),
    )


def attempt(raw: Json) -> int:
    """Return which attempt a job is, from 1; 0 where the server does not tell."""
    return integer(raw, "attempt", "run_attempt")


def _runnerless(raw: Json) -> bool:
    """Say whether a job waits for a runner: Forgejo's ``waiting``, Gitea's ``queued``; its ``waiting`` is blocked."""
    word = "waiting" if "runs_on" in raw else "queued"
    return text(raw, "status") == word and not text(raw, "runner_name")


def _labels(raw: Json) -> str:
    labels = raw.get("labels") or raw.get("runs_on")
    return ", ".join(map(str, labels)) if isinstance(labels, list) else ""


def _failed_step(raw: Json) -> str:
    """Return the failed step's name, where one failed. Until Gitea 1.26.1 every step carries its job's state."""
    steps = items(raw.get("steps"))
    failed = [step for step in steps if state(step)[0] is State.FAILURE]
    # Of several the first may have been allowed to fail: the log names the one that was not.
    return text(failed[0], "name") if len(failed) == 1 else ""


def task(raw: Json, *, web: str, server: str) -> tuple[Pipeline, Workflow]:
    """Translate a task: one attempt of a job that a runner took, with what it tells of its run."""
    number = integer(raw, "run_number")
    made = run({**raw, "id": number, "run_attempt": 0}, web=web, server=server)
    flow = job({**raw, "html_url": text(raw, "url")}, kind=TASK)
    return replace(made, url=f"{web}/actions/runs/{number}"), flow


def log_line(number: int, raw: str) -> LogLine:
    """Translate a line: a UTC stamp of seven digits and the text."""
    found = _STAMP.match(raw)
    return LogLine(number=number, text=raw[found.end() :] if found else raw)
