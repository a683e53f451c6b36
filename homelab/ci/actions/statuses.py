"""What a commit's statuses tell of Actions: the only view that every server gives. Pure. Layer: ci, beside the client.

Actions writes one status a job (gitea services/actions/commit_status.go, forgejo likewise); its link
names run and job, its fixed English description tells more than its state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from homelab.ci.actions.translate import PAGE, STATES, event_of, stamp
from homelab.ci.fields import Json, integer, text
from homelab.ci.model import Pipeline, State, Step, Workflow
from homelab.forge.statuses import newest_rows

#: ``<workflow> / <job> (<event>)``.
_CONTEXT = re.compile(r"(?P<workflow>.+?) / (?P<job>.+) \((?P<event>[a-z_]+)\)")
#: The page of a job: a path without host. Before Gitea 1.26 the run's number and the job's index, then their ids.
_JOB_PAGE = re.compile(r"/actions/runs/(?P<run>\d+)/jobs/(?P<job>\d+)")
_TOOK = re.compile(r"(?:in|after) (?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$")
#: Its runs have the base branch's commit, their statuses go to the pull request's head.
TARGET_EVENT = "pull_request_target"
WOODPECKER = "ci/woodpecker/"


@dataclass(frozen=True, slots=True)
class Told:
    """What the statuses of one commit tell."""

    #: Runs of Actions by the number, or id, in their links.
    runs: dict[int, Pipeline]
    #: Statuses of another CI, a run each, of the event ``status``.
    foreign: tuple[Pipeline, ...] = ()
    #: Those of ``runs`` that a question for the commit's runs does not find.
    targets: frozenset[int] = frozenset()


def told(statuses: Iterable[Json], *, oid: str, web: str, server: str, host: str) -> Told:
    """Read a commit's statuses: of each context the newest counts.

    ``host`` completes the pages, which come without one. Woodpecker's contexts are left out: it has
    an API of its own.
    """
    jobs: dict[int, list[tuple[Json, Workflow]]] = {}
    foreign: list[Pipeline] = []
    targets: set[int] = set()
    for raw in newest_rows(statuses):
        page = _JOB_PAGE.search(text(raw, "target_url"))
        named = _CONTEXT.fullmatch(text(raw, "context"))
        if page and named:
            jobs.setdefault(int(page["run"]), []).append((raw, _job(raw, named["job"], int(page["job"]), host)))
            targets |= {int(page["run"])} if named["event"] == TARGET_EVENT else set()
        elif not text(raw, "context").startswith(WOODPECKER):
            foreign.append(_foreign(raw, oid=oid, server=server))
    runs = {number: _run(number, rows, oid=oid, web=web, server=server) for number, rows in jobs.items()}
    return Told(runs, tuple(foreign), frozenset(targets))


def _state(raw: Json) -> State:
    """Split what the commit states merge, by their fixed English descriptions; never decides green."""
    word, said = text(raw, "status", "state"), text(raw, "description").lower()
    if "cancel" in said and word in {"failure", "error"}:
        return State.CANCELED
    if "skipped" in said and word == "success":
        return State.SKIPPED
    if word == "pending":
        return State.RUNNING if "started running" in said else State.PENDING
    return STATES.get(word, State.UNKNOWN)


def _job(raw: Json, name: str, index: int, host: str) -> Workflow:
    found = _state(raw)
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
        kind=PAGE,
        url=f"{host}{url}" if url.startswith("/") else url,
    )
    return Workflow(id=index, name=name, state=found, started=step.started, finished=finished, steps=(step,))


def _run(number: int, jobs: Sequence[tuple[Json, Workflow]], *, oid: str, web: str, server: str) -> Pipeline:
    named = _CONTEXT.fullmatch(text(jobs[0][0], "context"))
    assert named is not None
    flows = tuple(sorted((flow for _, flow in jobs), key=lambda flow: flow.id))
    made = Pipeline(
        number=number,
        id=number,
        commit=oid,
        event=event_of(named["event"]),
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
    """Return another CI's status as a run. Its number is below 0: no run of this server has such a one."""
    found = _state(raw)
    over = found.finished or text(raw, "status", "state") == "warning"
    return Pipeline(
        number=-integer(raw, "id"),
        commit=oid,
        event="status",
        branch="",
        source=text(raw, "context"),
        state=found,
        said=text(raw, "status", "state"),
        server=server,
        url=text(raw, "target_url"),
        created=stamp(raw, "created_at"),
        finished=stamp(raw, "updated_at", "created_at") if over else 0,
        title=text(raw, "context"),
    )
