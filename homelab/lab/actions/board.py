"""Where the progress of runs is written down: states, and a commit status for each job that changes."""

from __future__ import annotations

import time
from pathlib import Path

from homelab.lab.actions.config import Config
from homelab.lab.actions.records import Job, Run, Task
from homelab.lab.actions.store import Store
from homelab.lab.actions.words import WITH_STATUS, Kind, Status, commit_state, description, of_jobs
from homelab.lab.woodpecker.config import Repository

#: The built-in account that commit statuses of jobs are written by.
BOT = {Kind.FORGEJO: "forgejo-actions", Kind.GITEA: "gitea-actions"}


def now() -> int:
    """Return Unix seconds."""
    return int(time.time())


class Board:
    """Shared by everything that moves a run."""

    def __init__(self, config: Config, store: Store, work: Path) -> None:
        """Keep all three; ``work`` is where workspaces come and go."""
        self.config, self.store, self.work = config, store, work

    def repository(self, run: Run) -> Repository:
        """Return the run's repository."""
        return next(one for one in self.config.repositories if one.id == run.repo_id)

    def link(self, run: Run, job: Job | None = None) -> str:
        """Return the path of the web page of a run or a job: by id or by number and index, as the version does."""
        by_id = self.config.ids_in_links
        base = f"/{self.repository(run).full_name}/actions/runs/{run.id if by_id else run.number}"
        if job is None:
            return base
        attempt = f"/attempt/{job.attempt}" if self.config.attempt_in_links else ""
        return f"{base}/jobs/{job.id if by_id else run.jobs.index(job)}{attempt}"

    def set(self, run: Run, job: Job, status: Status) -> None:
        """Move a job; the run follows, and the commit hears of it where the event has statuses."""
        if status is Status.RUNNING:
            job.started = now()
        if status.done:
            job.stopped = now() if job.started else 0
        job.status = status
        for task in run.tasks:
            if task.id == job.task_id:
                task.status, task.updated = status, now()
        self._follow(run)
        self.store.save(run)
        self.tell_commit(run, job)

    def _follow(self, run: Run) -> None:
        run.status = of_jobs(job.status for job in run.jobs)
        if run.status is Status.RUNNING and not run.started:
            run.started = now()
        if run.over:
            run.stopped = run.stopped or now()

    def tell_commit(self, run: Run, job: Job) -> None:
        """Write the job's commit status, unless the newest one of its context says the same."""
        if run.event not in WITH_STATUS:
            return
        context = f"{run.workflow_name} / {job.name} ({run.event})"
        state = commit_state(job.status, knows_skipped=self.config.knows_skipped)
        said = description(job.status, max(0, job.stopped - job.started))
        rows = self.store.statuses(run.repo_id, run.sha)
        newest = next((row for row in rows if row.context == context), None)
        if newest and (newest.state, newest.description) == (state, said):
            return
        self.store.add_status(
            run.repo_id,
            run.sha,
            state=state,
            context=context,
            description=said,
            target_url=self.link(run, job),
            creator=BOT[self.config.kind],
        )

    def take(self, run: Run, job: Job) -> Task:
        """Let the runner take a job: from now on it is a task."""
        task = Task(self.store.next_id("task"), job.id, job.name, job.attempt, Status.RUNNING, now(), now())
        job.task_id = task.id
        run.tasks.append(task)
        self.set(run, job, Status.RUNNING)
        return task
