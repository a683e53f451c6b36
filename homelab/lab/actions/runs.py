"""What can be done with runs: set off by a push, dispatch, cancel, run again, approve; and which job goes next.

Sources: Gitea services/actions/{notifier_helper,job_emitter,rerun}.go; Forgejo likewise.
"""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass, field

from homelab.lab.actions.board import Board
from homelab.lab.actions.expressions import ExpressionRefused, condition
from homelab.lab.actions.records import Job, Run, Step
from homelab.lab.actions.runner import JobRun
from homelab.lab.actions.words import Kind, Level, Status
from homelab.lab.actions.workflow import (
    Cause,
    JobDefinition,
    WorkflowDefinition,
    WorkflowRefused,
    asks_to_skip,
    parse,
    wants,
)
from homelab.lab.woodpecker import commit as commits
from homelab.lab.woodpecker.config import Repository
from homelab.lab.woodpecker.records import ConfigFile

_SKIPPABLE = frozenset({"push", "pull_request"})
_SUPERSEDING = _SKIPPABLE


@dataclass(slots=True)
class Happened:
    """An event with its commit: what a push or a pull request brings."""

    cause: Cause
    sha: str
    title: str = ""
    message: str = ""
    actor: str = ""
    from_fork: bool = False
    only_file: str = ""


@dataclass(slots=True)
class Runs:
    """The use cases, and the jobs under way by id."""

    board: Board
    under_way: dict[int, tuple[Run, JobRun, asyncio.Task[None]]] = field(default_factory=dict)
    definitions: dict[int, WorkflowDefinition] = field(default_factory=dict)

    async def happened(self, repository: Repository, happened: Happened) -> list[Run]:
        """Make the runs an event sets off: one for each workflow file that wants it."""
        if not repository.active or (happened.cause.event in _SKIPPABLE and asks_to_skip(happened.message)):
            return []
        files = await asyncio.to_thread(self.files, repository, happened.sha)
        made = [run for file in files if (run := self._run(repository, happened, file))]
        self.advance()
        return made

    def files(self, repository: Repository, revision: str) -> list[ConfigFile]:
        """Return the workflow files at a commit: of the first folder that is there."""
        for folder in self.board.config.workflow_folders:
            if found := commits.configs(repository.path, revision, f"{folder}/"):
                return [file for file in found if file.name.endswith((".yaml", ".yml"))]
        return []

    def _run(self, repository: Repository, happened: Happened, file: ConfigFile) -> Run | None:
        name = file.name.rpartition("/")[2]
        cause = happened.cause
        fields = (repository.id, happened.sha, cause.ref, cause.event, name)
        try:
            definition = parse(file.text, file.name)
        except WorkflowRefused as refused:
            return self._invalid(Run(*fields, workflow_name=name, title=str(refused), actor=happened.actor))
        if happened.only_file not in {"", name} or not wants(definition.on, cause):
            return None
        run = Run(*fields, workflow_name=definition.name, title=happened.title, actor=happened.actor)
        run.need_approval = happened.from_fork
        run.jobs = [self._job(job) for job in definition.jobs]
        if cause.event in _SUPERSEDING and definition.cancel_in_progress:
            self._cancel_previous(run)
        self.board.store.insert(run)
        self.definitions[run.id] = definition
        for job in run.jobs:
            self.board.set(run, job, Status.BLOCKED if run.need_approval or job.needs else Status.WAITING)
        return run

    def _cancel_previous(self, new: Run) -> None:
        """Cancel unfinished runs of the same file, ref and event."""
        for run in self.board.store.runs(new.repo_id):
            if (run.ref, run.workflow_id, run.event) == (new.ref, new.workflow_id, new.event) and not run.over:
                self.cancel(run)

    def _invalid(self, run: Run) -> Run | None:
        """A file that cannot be read is a failed run on newer Forgejos, and nothing elsewhere."""
        if self.board.config.kind is not Kind.FORGEJO or self.board.config.level < Level.RUNS:
            return None
        self.board.store.insert(run)
        run.status, run.stopped = Status.FAILURE, run.created
        self.board.store.save(run)
        return run

    def _job(self, job: JobDefinition) -> Job:
        steps = [Step(step.name) for step in job.steps]
        job_id, needs = self.board.store.next_id("job"), list(job.needs)
        return Job(job_id, job.name, job.key, needs, list(job.runs_on), dict(job.matrix), steps=steps)

    def advance(self) -> None:
        """Unblock, skip or start whatever may go on now."""
        for run in reversed(self.board.store.runs()):
            if run.over or run.need_approval:
                continue
            for job in run.jobs:
                if job.status is Status.BLOCKED:
                    self._unblock(run, job)
                if job.status is Status.WAITING and self._has_runner(job):
                    self._start(run, job)

    def _has_runner(self, job: Job) -> bool:
        config = self.board.config
        return len(self.under_way) < config.capacity and set(job.runs_on) <= set(config.labels)

    def _unblock(self, run: Run, job: Job) -> None:
        needed = [other.status for other in run.jobs if other.key in job.needs]
        if not all(status.done for status in needed):
            return
        text = self._definition(run, job).condition
        failed = any(status is not Status.SUCCESS for status in needed)
        self.board.set(run, job, Status.WAITING if self._wanted(run, job, text, failed=failed) else Status.SKIPPED)

    def _wanted(self, run: Run, job: Job, text: str, *, failed: bool) -> bool:
        results = {other.key: {"result": other.status.value} for other in run.jobs if other.key in job.needs}
        event = {"event_name": run.event, "ref": run.ref, "sha": run.sha}
        try:
            return condition(text, {"github": event, "needs": results}, failed=failed, cancelled=False)
        except ExpressionRefused:
            return False

    def _definition(self, run: Run, job: Job) -> JobDefinition:
        """Return the job as written, reading the file again after a restart of the server."""
        if run.id not in self.definitions:
            files = self.files(self.board.repository(run), run.sha)
            file = next(file for file in files if file.name.endswith(f"/{run.workflow_id}"))
            self.definitions[run.id] = parse(file.text, file.name)
        jobs = self.definitions[run.id].jobs
        return next(one for one in jobs if one.key == job.key and dict(one.matrix) == job.matrix)

    def _start(self, run: Run, job: Job) -> None:
        definition = self._definition(run, job)
        if not job.needs and not self._wanted(run, job, definition.condition, failed=False):
            self.board.set(run, job, Status.SKIPPED)
            asyncio.get_running_loop().call_soon(self.advance)
            return
        attempt = JobRun(self.board, run, job, definition)
        task = asyncio.get_running_loop().create_task(attempt.finish())
        self.under_way[job.id] = (run, attempt, task)
        task.add_done_callback(lambda done: self._ended(job.id, done))

    def _ended(self, job_id: int, done: asyncio.Task[None]) -> None:
        run, attempt, _ = self.under_way.pop(job_id)
        if done.cancelled():
            return
        if failure := done.exception():
            traceback.print_exception(failure)
            self.board.set(run, attempt.job, Status.FAILURE)
        self.advance()

    def cancel(self, run: Run) -> None:
        """Stop a run: what has not begun is cancelled at once, what runs when its process has ended."""
        for job in run.jobs:
            if job.id in self.under_way:
                self.under_way[job.id][1].cancel()
            elif not job.status.done:
                self.board.set(run, job, Status.CANCELLED)

    def rerun(self, run: Run, keys: set[str] | None = None) -> None:
        """Run again, whole or these jobs with all that need them: same id, next attempt."""
        again = {job.key for job in run.jobs} if keys is None else set(keys)
        while more := {job.key for job in run.jobs if again & set(job.needs)} - again:
            again |= more
        run.attempt += 1
        run.started = run.stopped = 0
        for job in run.jobs:
            if job.key in again:
                job.attempt, job.started, job.stopped, job.task_id = job.attempt + 1, 0, 0, 0
                job.steps = [Step(step.name) for step in job.steps]
                job.status = Status.BLOCKED
        for job in run.jobs:
            if job.key in again:
                self.board.set(run, job, Status.BLOCKED if set(job.needs) & again else Status.WAITING)
        self.advance()

    def approve(self, run: Run) -> None:
        """Let a fork's run go; both servers offer this on their web page only."""
        run.need_approval = False
        for job in run.jobs:
            self.board.set(run, job, Status.BLOCKED if job.needs else Status.WAITING)
        self.advance()

    def resume(self) -> None:
        """After a restart of the server: a job that was running waits for a runner again."""
        for run in self.board.store.runs():
            for job in run.jobs:
                if job.status is Status.RUNNING:
                    self.board.set(run, job, Status.WAITING)
        self.advance()

    async def stop(self) -> None:
        """End every job without a verdict; their processes are killed."""
        tasks = [task for _, _, task in self.under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
