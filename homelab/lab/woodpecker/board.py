"""Where a pipeline's progress is written down and announced: the server's side of what an agent reports.

Every method changes the records, saves the pipeline and publishes it. Sources: woodpecker
server/rpc/rpc.go (Init, Update, Done, Log), server/pipeline/{step,workflow,pipeline}_status.go.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from homelab.lab.woodpecker import render
from homelab.lab.woodpecker.bus import EventBus, LogBus, Message
from homelab.lab.woodpecker.config import Config, Repository, configured
from homelab.lab.woodpecker.faults import Faults
from homelab.lab.woodpecker.forge_status import Tell
from homelab.lab.woodpecker.records import LogLine, Pipeline, Step, Workflow
from homelab.lab.woodpecker.states import UNDER_WAY, State, of_steps, of_workflows
from homelab.lab.woodpecker.store import Store


def now() -> int:
    """Return Unix seconds, whole as upstream's."""
    return int(time.time())


class Board:
    """Shared by everything that moves a pipeline."""

    def __init__(self, config: Config, store: Store, faults: Faults, work: Path) -> None:
        """Start with nobody listening; ``work`` is where workspaces come and go."""
        kept = tuple(configured(one, store.settings(one.id)) for one in config.repositories)
        self.config, self.store, self.faults, self.work = replace(config, repositories=kept), store, faults, work
        self.events, self.logs = EventBus(), LogBus()
        #: Set by whoever reports to the forge: called at every change.
        self.tell_forge: Tell = lambda _repository, _pipeline: None
        #: Set by whoever may cancel: called with the pipeline and the step whose ``failure`` is ``cancel``.
        self.cancel_from_step: Callable[[Pipeline, str], None] = lambda _pipeline, _step: None

    def configure(self, repo_id: int, changes: dict[str, Any]) -> Repository:
        """Change a repository's settings from now on, after a restart too; return it as it is then."""
        self.store.keep_settings(repo_id, changes)
        made = {one.id: configured(one, changes) if one.id == repo_id else one for one in self.config.repositories}
        self.config = replace(self.config, repositories=tuple(made.values()))
        return made[repo_id]

    def changed(self, pipeline: Pipeline) -> None:
        """Save, and tell the event streams and the forge."""
        self.store.save(pipeline)
        repository = self.config.repository(pipeline.repo_id)
        if repository is None:
            return
        self.tell_forge(repository, pipeline)
        payload = render.event(repository, pipeline, legacy=self.faults.legacy_names)
        message = Message(repository.id, repository.visibility == "public", payload)
        self.faults.deliver(lambda: self.events.publish(message))

    def workflow_began(self, pipeline: Pipeline, workflow: Workflow) -> None:
        """An agent took it: the first one makes the pipeline run."""
        workflow.state, workflow.started, workflow.agent_id = State.RUNNING, now(), 1
        if pipeline.status is State.PENDING:
            pipeline.status, pipeline.started = State.RUNNING, workflow.started
        self.changed(pipeline)

    def step_began(self, pipeline: Pipeline, step: Step) -> None:
        """It runs."""
        step.state, step.started = State.RUNNING, now()
        self.changed(pipeline)

    def step_skipped(self, pipeline: Pipeline, step: Step) -> None:
        """Its status condition does not hold."""
        step.state, step.finished = State.SKIPPED, 0
        self.changed(pipeline)

    def step_ended(self, pipeline: Pipeline, step: Step, code: int, *, error: str = "", killed: bool = False) -> None:
        """It exited with ``code``, or could not start because of ``error``, or was killed with its workflow."""
        step.exit_code, step.error, step.finished = code, error, now()
        step.started = step.started or step.finished
        ended = State.FAILURE if code or error else State.SUCCESS
        step.state = State.KILLED if killed else ended
        self.changed(pipeline)

    def log(self, step: Step, lines: list[LogLine]) -> None:
        """Keep lines and hand them to whoever watches the step."""
        self.store.append_log(lines)
        self.faults.wrote(lines, step.id)
        self.logs.write(step.id, lines)

    def workflow_ended(
        self, pipeline: Pipeline, workflow: Workflow, *, error: str = "", canceled: bool = False
    ) -> None:
        """All its steps are over, or it never began: judge it, and the pipeline when it was the last.

        Steps still up (services) become success, steps that never began become killed.
        """
        finished = now() if workflow.started else 0
        for step in workflow.steps:
            if step.state in UNDER_WAY:
                step.state = State.SUCCESS if step.started else State.KILLED
                step.finished = finished if step.started else 0
        workflow.finished, workflow.error = finished, error
        workflow.state = self._verdict(workflow, error=error, canceled=canceled)
        if not any(flow.state in UNDER_WAY for flow in pipeline.workflows):
            pipeline.status = of_workflows(flow.state for flow in pipeline.workflows)
            pipeline.finished = finished or now()
        self.changed(pipeline)
        for step in workflow.steps:
            if step.state is not State.SKIPPED:
                self.logs.close(step.id)

    @staticmethod
    def _verdict(workflow: Workflow, *, error: str, canceled: bool) -> State:
        if canceled:
            return State.KILLED
        if error:
            return State.FAILURE
        if not workflow.started:
            return State.SKIPPED
        return of_steps((step.state, step.failure == "ignore") for step in workflow.steps)
