"""The words of Actions: a status, and what each API calls it. Pure.

Sources: Gitea models/actions/{status,run_job}.go, services/actions/commit_status.go, services/convert/action.go;
Forgejo's routers/api/v1/repo/action.go; the commit status tables of both.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum, unique


@unique
class Status(StrEnum):
    """The status of a run, a job or a step, in Forgejo's spelling."""

    UNKNOWN = "unknown"
    WAITING = "waiting"
    BLOCKED = "blocked"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"

    @property
    def done(self) -> bool:
        """Return whether it ends here."""
        return self in {Status.SUCCESS, Status.FAILURE, Status.CANCELLED, Status.SKIPPED}


@unique
class Kind(StrEnum):
    """Which server's face is shown."""

    FORGEJO = "forgejo"
    GITEA = "gitea"


@unique
class Level(StrEnum):
    """How much of Actions the server's API tells; each has what those before it have, and they compare."""

    STATUSES = "A"
    TASKS = "B"
    RUNS = "C"
    LOGS = "D"


#: A version that has exactly this level. Gitea went from tasks to everything in one release.
VERSIONS = {
    (Kind.FORGEJO, Level.STATUSES): "7.0.16+gitea-1.21.11",
    (Kind.FORGEJO, Level.TASKS): "11.0.8+gitea-1.22.0",
    (Kind.FORGEJO, Level.RUNS): "15.0.3+gitea-1.22.0",
    (Kind.FORGEJO, Level.LOGS): "16.0.1+gitea-1.22.0",
    (Kind.GITEA, Level.STATUSES): "1.22.6",
    (Kind.GITEA, Level.TASKS): "1.23.8",
    (Kind.GITEA, Level.LOGS): "1.26.3",
}

#: Events whose runs write commit statuses; the others are visible as runs and tasks only.
WITH_STATUS = frozenset({"push", "pull_request", "pull_request_target", "release"})

_GITEA = {
    Status.WAITING: ("queued", ""),
    Status.BLOCKED: ("waiting", ""),
    Status.RUNNING: ("in_progress", ""),
    Status.UNKNOWN: ("", ""),
}


def gitea_words(status: Status) -> tuple[str, str]:
    """Return Gitea's ``status`` and ``conclusion``: its waiting is what everybody else calls blocked."""
    return _GITEA.get(status, ("completed", status.value))


#: What Gitea's ``?status=`` takes, and what it means by it; anything else is a 400.
GITEA_FILTER = {
    **dict.fromkeys(("pending", "waiting", "requested", "action_required"), Status.BLOCKED),
    "queued": Status.WAITING,
    "in_progress": Status.RUNNING,
    "success": Status.SUCCESS,
    "failure": Status.FAILURE,
    "skipped": Status.SKIPPED,
    "cancelled": Status.CANCELLED,
    "timed_out": Status.CANCELLED,
}


def commit_state(status: Status, *, knows_skipped: bool) -> str:
    """Return the commit status of a job; servers that do not know ``skipped`` say success."""
    if status is Status.SKIPPED:
        return "skipped" if knows_skipped else "success"
    if not status.done:
        return "error" if status is Status.UNKNOWN else "pending"
    return "success" if status is Status.SUCCESS else "failure"


def description(status: Status, seconds: int) -> str:
    """Return the sentence beside a commit status: it tells more than the state does."""
    return {
        Status.WAITING: "Waiting to run",
        Status.BLOCKED: "Blocked by required conditions",
        Status.RUNNING: "Has started running",
        Status.SUCCESS: f"Successful in {spoken(seconds)}",
        Status.FAILURE: f"Failing after {spoken(seconds)}",
        Status.CANCELLED: "Has been cancelled",
        Status.SKIPPED: "Has been skipped",
        Status.UNKNOWN: "Unknown status: 0",
    }[status]


def spoken(seconds: int) -> str:
    """Return a duration as Go prints it: ``1m2s``."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s" if minutes else f"{rest}s"


def combine(states: Iterable[str]) -> str:
    """Return the combined commit state: the worst wins, even while others are pending; none is empty."""
    order = ("error", "failure", "warning", "pending", "success", "skipped")
    present = set(states)
    worst = next((state for state in order if state in present), "")
    return "success" if worst == "skipped" else worst


def of_jobs(statuses: Iterable[Status]) -> Status:
    """Return a run's status from those of its jobs: a cancelled one hides all others."""
    present = list(statuses)
    if not present or all(status is Status.SKIPPED for status in present):
        return Status.SKIPPED if present else Status.UNKNOWN
    if all(status in {Status.SUCCESS, Status.SKIPPED} for status in present):
        return Status.SUCCESS
    order = (Status.CANCELLED, Status.RUNNING, Status.WAITING, Status.FAILURE, Status.BLOCKED)
    return next((status for status in order if status in present), Status.UNKNOWN)
