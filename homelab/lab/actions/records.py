"""What the server remembers of Actions: runs with jobs and steps, commit statuses.

Times are Unix seconds, 0 meaning not yet.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from homelab.lab.actions.words import Status


@dataclass(slots=True)
class Step:
    """One step of a job's latest attempt."""

    name: str
    status: Status = Status.WAITING
    started: int = 0
    stopped: int = 0
    #: How far into the job's log the step had come when it ended, in lines.
    first_line: int = 0
    last_line: int = 0


@dataclass(slots=True)
class Job:
    """One job. ``task_id`` is that of the attempt a runner took last, 0 before one did."""

    id: int
    name: str
    key: str
    needs: list[str] = field(default_factory=list)
    runs_on: list[str] = field(default_factory=list)
    matrix: dict[str, str] = field(default_factory=dict)
    status: Status = Status.BLOCKED
    attempt: int = 1
    task_id: int = 0
    started: int = 0
    stopped: int = 0
    steps: list[Step] = field(default_factory=list)


@dataclass(slots=True)
class Task:
    """One attempt of a job that a runner took. Re-runs leave several of one name."""

    id: int
    job_id: int
    name: str
    attempt: int
    status: Status
    created: int
    updated: int


@dataclass(slots=True, weakref_slot=True)
class Run:
    """One run of one workflow file. ``number`` counts in the repository, ``id`` everywhere."""

    repo_id: int
    sha: str
    ref: str
    event: str
    workflow_id: str
    workflow_name: str
    title: str = ""
    actor: str = ""
    id: int = 0
    number: int = 0
    attempt: int = 1
    status: Status = Status.WAITING
    need_approval: bool = False
    created: int = 0
    started: int = 0
    stopped: int = 0
    updated: int = 0
    jobs: list[Job] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)

    @property
    def branch(self) -> str:
        """The ref without what every branch and tag begins with."""
        return self.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")

    @property
    def over(self) -> bool:
        """Return whether no job can move any more: a failed run may still hold a blocked one for a moment."""
        return all(job.status.done for job in self.jobs)

    def job(self, job_id: int) -> Job | None:
        """Return the job with this id, if it is one of ours."""
        return next((job for job in self.jobs if job.id == job_id), None)


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """One row of a commit's statuses; the newest of a context counts."""

    id: int
    repo_id: int
    sha: str
    state: str
    context: str
    description: str
    target_url: str
    creator: str
    created: int


def to_json(run: Run) -> dict[str, Any]:
    """Return the run as plain JSON for the store."""
    return asdict(run)


def from_json(record: dict[str, Any]) -> Run:
    """Rebuild the run the store kept."""
    jobs = [
        Job(**{**job, "status": Status(job["status"]), "steps": [_with_status(Step, step) for step in job["steps"]]})
        for job in record["jobs"]
    ]
    tasks = [_with_status(Task, task) for task in record["tasks"]]
    return Run(**{**record, "status": Status(record["status"]), "jobs": jobs, "tasks": tasks})


def _with_status(kind: type[Any], record: dict[str, Any]) -> Any:
    return kind(**{**record, "status": Status(record["status"])})
