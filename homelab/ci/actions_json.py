"""The JSON of Forgejo's and Gitea's Actions, translated into our records. Pure. Layer: ci, beside the client.

The two servers share routes and differ in nearly every field (gitea routers/api/v1/repo/action.go,
services/convert; forgejo modules/structs/action.go); what is absent is defaulted, never demanded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from homelab.ci.fields import Json, integer, items, text
from homelab.ci.model import LogLine, Pipeline, State, Step, Workflow

#: Both servers' words. Gitea's ``waiting`` is blocked by needs, concurrency or approval, its ``queued`` waits
#: for a runner; neither tells approval apart, so neither is our BLOCKED.
_STATES = {
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
_EVENTS = {"schedule": "cron", "workflow_dispatch": "manual", "pull_request_target": "pull_request"}
#: ``<workflow> / <job> (<event>)`` (services/actions/commit_status.go).
_CONTEXT = re.compile(r"(?P<workflow>.+?) / (?P<job>.+) \((?P<event>[a-z_]+)\)")
#: The page of a job: a path without host. Before Gitea 1.26 the run's number and the job's index, then their ids.
_JOB_PAGE = re.compile(r"/actions/runs/(?P<run>\d+)/jobs/(?P<job>\d+)")
_TOOK = re.compile(r"(?:in|after) (?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$")
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) ?")


def state(raw: Json) -> tuple[State, str]:
    """Return the state and the server's own word: Gitea's conclusion once completed, else the status."""
    status, conclusion = text(raw, "status"), text(raw, "conclusion")
    word = conclusion if status == "completed" else status
    return _STATES.get(word, State.UNKNOWN), word or "unknown"


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
        event=_EVENTS.get(event, event),
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


def job(raw: Json) -> Workflow:
    """Translate a job. Its log is one file, so it is one step, named after the step that failed where that is known."""
    found, word = state(raw)
    names = ("completed_at", "stopped")
    told = integer(raw, "attempt", "run_attempt")
    step = Step(
        id=integer(raw, "id"),
        name=_failed_step(raw) if found.failing else "",
        state=found,
        started=stamp(raw, "started_at", "started"),
        finished=stamp(raw, *names) if found.finished else 0,
        kind="job",
        url=text(raw, "html_url"),
    )
    error = f"waits for a runner with {_labels(raw)}" if word in {"queued", "waiting"} and _labels(raw) else ""
    return Workflow(
        id=integer(raw, "id") * 1000 + told,
        name=text(raw, "name"),
        state=found,
        started=step.started,
        finished=step.finished,
        error=error if found is State.PENDING and not text(raw, "runner_name") else "",
        steps=(step,),
    )


def _labels(raw: Json) -> str:
    labels = raw.get("labels") or raw.get("runs_on")
    return ", ".join(map(str, labels)) if isinstance(labels, list) else ""


def _failed_step(raw: Json) -> str:
    """Return the failed step's name. Until Gitea 1.26.1 every step carries its job's state: then none is known."""
    steps = items(raw.get("steps"))
    failed = [step for step in steps if state(step)[0] is State.FAILURE]
    return text(failed[0], "name") if failed and (len(failed) < len(steps) or len(steps) == 1) else ""


def from_statuses(statuses: Iterable[Json], *, oid: str, web: str, server: str, host: str) -> list[Pipeline]:
    """Return the runs that a commit's statuses tell of: one status a job, the newest of each context.

    ``host`` completes the pages, which come without one. Contexts of another CI become runs of the
    event ``status``, Woodpecker's excepted: it has an API of its own.
    """
    runs: dict[int, list[tuple[Json, Workflow]]] = {}
    foreign: list[Pipeline] = []
    for raw in statuses:
        page = _JOB_PAGE.search(text(raw, "target_url"))
        named = _CONTEXT.fullmatch(text(raw, "context"))
        if page and named:
            runs.setdefault(int(page["run"]), []).append((raw, _status_job(raw, named["job"], int(page["job"]), host)))
        elif not text(raw, "context").startswith("ci/woodpecker/"):
            foreign.append(_foreign(raw, oid=oid, server=server))
    return [_run_of_jobs(number, jobs, oid=oid, web=web, server=server) for number, jobs in runs.items()] + foreign


def _status_state(raw: Json) -> State:
    """Split what the commit states merge, by their fixed English descriptions; never decides green."""
    word, said = text(raw, "status", "state"), text(raw, "description").lower()
    if "cancel" in said and word in {"failure", "error"}:
        return State.CANCELED
    if "skipped" in said and word == "success":
        return State.SKIPPED
    if word == "pending":
        return State.RUNNING if "started running" in said else State.PENDING
    return _STATES.get(word, State.UNKNOWN)


def _status_job(raw: Json, name: str, index: int, host: str) -> Workflow:
    found = _status_state(raw)
    finished = stamp(raw, "updated_at", "created_at") if found.finished else 0
    took = _TOOK.search(text(raw, "description"))
    seconds = sum(int(part or 0) * unit for part, unit in zip(took.groups(), (3600, 60, 1), strict=True)) if took else 0
    url = text(raw, "target_url")
    step = Step(
        id=index,
        name="",
        state=found,
        started=finished - seconds if finished else 0,
        finished=finished,
        kind="job",
        url=f"{host}{url}" if url.startswith("/") else url,
    )
    return Workflow(id=index, name=name, state=found, started=step.started, finished=finished, steps=(step,))


def _run_of_jobs(number: int, jobs: Sequence[tuple[Json, Workflow]], *, oid: str, web: str, server: str) -> Pipeline:
    named = _CONTEXT.fullmatch(text(jobs[0][0], "context"))
    assert named is not None
    flows = tuple(sorted((flow for _, flow in jobs), key=lambda flow: flow.id))
    made = Pipeline(
        number=number,
        id=number,
        commit=oid,
        event=_EVENTS.get(named["event"], named["event"]),
        branch="",
        source=named["workflow"],
        state=State.PENDING,
        server=server,
        url=f"{web}/actions/runs/{number}",
        created=min((stamp(raw, "created_at") for raw, _ in jobs), default=0),
    )
    return with_jobs(made, flows)


def with_jobs(made: Pipeline, flows: Sequence[Workflow]) -> Pipeline:
    """Return the run with these jobs and the state that follows from them."""
    folded = fold([flow.state for flow in flows])
    return replace(
        made,
        workflows=tuple(flows),
        state=folded,
        said=folded.value,
        started=min((flow.started for flow in flows if flow.started), default=made.started),
        finished=max((flow.finished for flow in flows), default=0) if folded.finished else 0,
    )


def fold(states: Sequence[State]) -> State:
    """Return a run's state from its jobs': going while any is, then the worst, unknown before green."""
    if not states:
        return State.PENDING
    if any(not one.finished and one is not State.UNKNOWN for one in states):
        begun = any(one.finished or one is State.RUNNING for one in states)
        return State.RUNNING if begun else State.PENDING
    order = (State.FAILURE, State.ERROR, State.UNKNOWN, State.CANCELED, State.SUCCESS, State.SKIPPED)
    return next((one for one in order if one in states), State.UNKNOWN)


def _foreign(raw: Json, *, oid: str, server: str) -> Pipeline:
    found = _status_state(raw)
    return Pipeline(
        number=integer(raw, "id"),
        commit=oid,
        event="status",
        branch="",
        source=text(raw, "context"),
        state=found,
        said=text(raw, "status", "state"),
        server=server,
        url=text(raw, "target_url"),
        created=stamp(raw, "created_at"),
        finished=stamp(raw, "updated_at", "created_at") if found.finished or found is State.UNKNOWN else 0,
        title=text(raw, "context"),
    )


def task(raw: Json, *, web: str, server: str) -> tuple[Pipeline, Workflow]:
    """Translate a task: one attempt of a job that a runner took, with what it tells of its run."""
    number = integer(raw, "run_number")
    made = run({**raw, "id": number, "run_attempt": 0}, web=web, server=server)
    flow = job({**raw, "html_url": text(raw, "url")})
    return replace(made, url=f"{web}/actions/runs/{number}"), flow


def log_line(number: int, raw: str) -> LogLine:
    """Translate a line: a UTC stamp of seven digits and the text."""
    found = _STAMP.match(raw)
    return LogLine(number=number, text=raw[found.end() :] if found else raw)
