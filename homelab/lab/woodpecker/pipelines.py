"""What can be done with pipelines: create, trigger, restart, approve, decline, cancel, take up again.

Sources: woodpecker server/pipeline/{create,restart,approve,decline,cancel,gated}.go, server/api/pipeline.go.
"""

from __future__ import annotations

import asyncio
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import replace

from homelab.lab.woodpecker import commit as commits
from homelab.lab.woodpecker.board import Board, now
from homelab.lab.woodpecker.config import Repository, User
from homelab.lab.woodpecker.definition import ConfigRefused
from homelab.lab.woodpecker.plan import Plan, make_plan
from homelab.lab.woodpecker.queue import Queue, Task
from homelab.lab.woodpecker.records import Complaint, ConfigFile, Cron, Pipeline, Step, Workflow
from homelab.lab.woodpecker.states import CANCELABLE, UNDER_WAY, State, Trigger
from homelab.lab.woodpecker.when import is_skip_message

_UNREADABLE = "could not load config from forge: failed to fetch config"


class Filtered(Exception):
    """Nothing in the configuration wants this pipeline; its row is gone."""


class Refused(Exception):
    """The server says no: an HTTP status and, for some, a reason."""

    def __init__(self, status: int, text: str = "") -> None:
        """An empty text is an empty body, as upstream often sends."""
        super().__init__(text)
        self.status, self.text = status, text


class Pipelines:
    """The use cases, on one board and one queue."""

    def __init__(self, board: Board, queue: Queue) -> None:
        """Share both with the API."""
        self.board, self.queue, self.store = board, queue, board.store
        board.cancel_from_step = lambda pipeline, step: self.cancel(pipeline, canceled_by_step=step)

    async def create(self, repository: Repository, pipeline: Pipeline) -> Pipeline:
        """Make a pipeline of an event. Raises Filtered when nothing in the configuration wants it."""
        if is_skip_message(pipeline.event, pipeline.message):
            raise Filtered
        pipeline.version = self.board.config.version
        pipeline.status = State.BLOCKED if needs_approval(repository, pipeline) else State.CREATED
        self.store.insert(pipeline)
        faults = self.board.faults
        if faults.strand_created:
            return pipeline
        if faults.creation_delay:
            await asyncio.sleep(faults.creation_delay)
        try:
            files = await self._files(repository, pipeline)
        except (subprocess.SubprocessError, OSError):
            return self._failed(pipeline, [Complaint("generic", _UNREADABLE)])
        self.store.keep_configs(pipeline, files)
        try:
            plan = make_plan(self.board.config, repository, pipeline, files)
        except ConfigRefused as refused:
            return self._failed(pipeline, refused.complaints)
        if not plan.workflows:
            self.store.delete(pipeline)
            raise Filtered
        pipeline.errors = list(plan.warnings)
        self._lay_out(pipeline, plan)
        self.board.changed(pipeline)
        if pipeline.status is not State.BLOCKED:
            pipeline.status = State.PENDING
            self.board.changed(pipeline)
            self._start(repository, pipeline, plan)
        return pipeline

    async def _files(self, repository: Repository, pipeline: Pipeline) -> list[ConfigFile]:
        if self.board.faults.config_fails:
            raise OSError("the forge refuses")
        return await asyncio.to_thread(commits.configs, repository.path, pipeline.commit, repository.config_file)

    async def trigger(
        self, repository: Repository, user: User, branch: str, variables: dict[str, str], message: str
    ) -> Pipeline:
        """Run a branch's head by hand. Raises Refused(500) for an unknown branch, Filtered."""
        oid = await self._head(repository, branch)
        said = f"MANUAL: {message} @ {branch}" if message else f"MANUAL PIPELINE @ {branch}"
        made = Pipeline(repository.id, Trigger.MANUAL, commit=oid, branch=branch, ref=branch, message=said)
        made.author, made.author_email, made.timestamp, made.variables = user.login, user.email, now(), variables
        return await self.create(repository, made)

    async def run_cron(self, repository: Repository, cron: Cron) -> Pipeline:
        """Run a cron's branch now, as its schedule would. Raises Refused(500) for an unknown branch, Filtered."""
        branch = cron.branch or repository.default_branch
        oid, ref = await self._head(repository, branch), f"refs/heads/{branch}"
        made = Pipeline(repository.id, Trigger.CRON, commit=oid, branch=branch, ref=ref, cron=cron.name)
        made.message, made.sender, made.timestamp = cron.name, cron.name, now()
        return await self.create(repository, made)

    async def _head(self, repository: Repository, branch: str) -> str:
        try:
            oid = await asyncio.to_thread(commits.head, repository.path, branch)
        except subprocess.CalledProcessError:
            raise Refused(500) from None
        if not repository.active or not repository.has_owner:
            raise Refused(500)
        return oid

    def restart(self, repository: Repository, old: Pipeline, variables: dict[str, str], deploy_to: str) -> Pipeline:
        """Run a pipeline's commit and stored files again, under a new number."""
        if old.status is State.BLOCKED:
            raise Refused(400, "cannot restart a pipeline with status blocked")
        files = self.store.configs(old)
        new = replace(old, id=0, number=0, parent=old.number, rerun_count=old.rerun_count + 1, status=State.PENDING)
        new.created = new.started = new.finished = 0
        new.errors, new.workflows, new.version = [], [], self.board.config.version
        if deploy_to:
            new.event, new.deploy_to = Trigger.DEPLOYMENT, deploy_to
        self.store.insert(new)
        if not files:
            return self._failed(new, [Complaint("generic", "pipeline definition not found")])
        self.store.keep_configs(new, files)
        try:
            plan = self._plan(repository, new, files, variables)
        except ConfigRefused as refused:
            self._failed(new, refused.complaints)
            raise Refused(500) from refused
        new.errors = list(plan.warnings)
        self._lay_out(new, plan)
        self.board.changed(new)
        self._start(repository, new, plan)
        return new

    def approve(self, repository: Repository, pipeline: Pipeline, user: User) -> Pipeline:
        """Release a blocked pipeline: its workflows and steps are made anew, with new ids."""
        if pipeline.status is not State.BLOCKED:
            raise Refused(400, f"cannot approve a pipeline with status {pipeline.status}")
        pipeline.status = State.PENDING
        try:
            plan = make_plan(self.board.config, repository, pipeline, self.store.configs(pipeline))
        except ConfigRefused as refused:
            self._failed(pipeline, refused.complaints)
            raise Refused(500) from refused
        self._lay_out(pipeline, plan)
        pipeline.reviewed_by, pipeline.reviewed = user.login, now()
        self.board.changed(pipeline)
        self._start(repository, pipeline, plan)
        return pipeline

    def decline(self, pipeline: Pipeline, user: User) -> Pipeline:
        """Refuse a blocked pipeline; ``finished`` stays 0. Refused(500) for any other, as upstream."""
        if pipeline.status is not State.BLOCKED:
            raise Refused(500)
        pipeline.status, pipeline.reviewed_by, pipeline.reviewed = State.DECLINED, user.login, now()
        for flow in pipeline.workflows:
            flow.state = State.DECLINED
            for step in flow.steps:
                step.state = State.DECLINED
        self.board.changed(pipeline)
        return pipeline

    def cancel(self, pipeline: Pipeline, *, by: str = "", superseded_by: int = 0, canceled_by_step: str = "") -> None:
        """Flip to killed or canceled at once; what runs reports its own end later."""
        if pipeline.status not in CANCELABLE:
            raise Refused(400, "Cannot cancel a non-running or non-pending or non-blocked pipeline")
        began = any(flow.state is not State.PENDING for flow in pipeline.workflows)
        for flow in pipeline.workflows:
            flow.state = State.SKIPPED if flow.state is State.PENDING else flow.state
            if not (self.board.faults.survive_cancel and flow.state is State.RUNNING):
                _cancel_pending(flow)
        pipeline.status, pipeline.finished = State.KILLED if began else State.CANCELED, now()
        reasons = {"canceled_by_user": by, "superseded_by": superseded_by, "canceled_by_step": canceled_by_step}
        pipeline.cancel_info = {key: value for key, value in reasons.items() if value}
        self.board.changed(pipeline)
        self.queue.cancel(pipeline, spare_running=self.board.faults.survive_cancel)

    def resume(self) -> None:
        """After a restart of the server: what was pending or running is queued again under its number."""
        for pipeline in self.store.active():
            repository = self.board.config.repository(pipeline.repo_id)
            if repository is None or pipeline.status not in UNDER_WAY:
                continue
            try:
                plan = self._plan(repository, pipeline, self.store.configs(pipeline), {})
            except ConfigRefused as refused:
                self._failed(pipeline, refused.complaints)
                continue
            for flow in pipeline.workflows:
                if flow.state in UNDER_WAY:
                    self._begin_anew(flow)
            self.board.changed(pipeline)
            self._queue(repository, pipeline, plan)

    def _begin_anew(self, flow: Workflow) -> None:
        flow.state, flow.started, flow.agent_id = State.PENDING, 0, 0
        for step in flow.steps:
            step.state, step.started, step.finished, step.exit_code = State.PENDING, 0, 0, 0
            self.store.delete_log(step.id)

    def _plan(
        self, repository: Repository, pipeline: Pipeline, files: Sequence[ConfigFile], variables: dict[str, str]
    ) -> Plan:
        """Plan with the parameters of a restart among the variables; they are not kept on the pipeline."""
        return make_plan(
            replace(self.board.config, environment={**self.board.config.environment, **variables}),
            repository,
            pipeline,
            files,
        )

    def _failed(self, pipeline: Pipeline, complaints: list[Complaint]) -> Pipeline:
        pipeline.errors, pipeline.status = complaints, State.ERROR
        pipeline.started = pipeline.finished = now()
        self.board.changed(pipeline)
        return pipeline

    def _lay_out(self, pipeline: Pipeline, plan: Plan) -> None:
        """Give the planned workflows and steps their records and ids."""
        state = State.BLOCKED if pipeline.status is State.BLOCKED else State.PENDING
        pipeline.workflows = []
        for flow in plan.workflows:
            workflow = Workflow(self.store.next_id("workflow"), flow.pid, flow.name, state, environ=dict(flow.axis))
            for step in flow.steps:
                step_id, name = self.store.next_id("step"), step.name
                record = Step(step_id, step.pid, flow.pid, name, step.type, str(uuid.uuid4()), state)
                record.failure = step.failure
                workflow.steps.append(record)
            pipeline.workflows.append(workflow)

    def _start(self, repository: Repository, pipeline: Pipeline, plan: Plan) -> None:
        """Cancel what this one supersedes, then queue it."""
        for older in self.store.active():
            if older is not pipeline and supersedes(repository, pipeline, older):
                self.cancel(older, superseded_by=pipeline.number)
        self._queue(repository, pipeline, plan)

    def _queue(self, repository: Repository, pipeline: Pipeline, plan: Plan) -> None:
        flows = {flow.pid: flow for flow in pipeline.workflows}
        tasks = [Task(repository, pipeline, flows[made.pid], made) for made in plan.workflows]
        self.queue.submit([task for task in tasks if task.workflow.state is State.PENDING])


def needs_approval(repository: Repository, pipeline: Pipeline) -> bool:
    """Return whether a person must release it first."""
    if pipeline.event in {Trigger.CRON, Trigger.MANUAL} or pipeline.author in repository.approval_allowed_users:
        return False
    match repository.require_approval:
        case "forks":
            return pipeline.event.is_pull and pipeline.from_fork
        case "pull_requests":
            return pipeline.event.is_pull
        case "all_events":
            return True
    return False


def supersedes(repository: Repository, new: Pipeline, older: Pipeline) -> bool:
    """Return whether starting ``new`` cancels ``older``: same event, and same branch or refspec."""
    if new.repo_id != older.repo_id or new.event is not older.event:
        return False
    if new.event not in repository.cancel_previous_pipeline_events:
        return False
    return new.branch == older.branch if new.event is Trigger.PUSH else new.refspec == older.refspec


def _cancel_pending(flow: Workflow) -> None:
    for step in flow.steps:
        step.state = State.CANCELED if step.state is State.PENDING else step.state
