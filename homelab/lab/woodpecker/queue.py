"""Which workflow runs next: first come first served, dependencies first, so many at once.

Sources: woodpecker server/queue/fifo.go, server/model/{task,queue}.go.
"""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass
from typing import Any

from homelab.lab.woodpecker.board import Board
from homelab.lab.woodpecker.config import Repository
from homelab.lab.woodpecker.plan import WorkflowPlan
from homelab.lab.woodpecker.records import Pipeline, Workflow
from homelab.lab.woodpecker.runner import WorkflowRun
from homelab.lab.woodpecker.states import UNDER_WAY


@dataclass(frozen=True, slots=True)
class Task:
    """One workflow that waits or runs."""

    repository: Repository
    pipeline: Pipeline
    workflow: Workflow
    plan: WorkflowPlan

    @property
    def dependencies(self) -> list[Workflow]:
        """The workflows of the same pipeline that must end first."""
        return [flow for flow in self.pipeline.workflows if flow.name in self.plan.depends_on]

    @property
    def ready(self) -> bool:
        """Return whether nothing it depends on still moves."""
        return not any(flow.state in UNDER_WAY for flow in self.dependencies)

    def record(self) -> dict[str, Any]:
        """Return the task as the queue's API shows it."""
        repository = self.repository
        return {
            "id": str(self.workflow.id),
            "pid": self.workflow.pid,
            "name": self.workflow.name,
            "labels": {**self.plan.labels, "repo": repository.full_name, "org-id": "1"},
            "dependencies": [str(flow.id) for flow in self.dependencies] or None,
            "run_on": list(self.plan.runs_on) or None,
            "dep_status": {str(flow.id): flow.state for flow in self.dependencies if flow.state not in UNDER_WAY},
            "agent_id": self.workflow.agent_id,
            "pipeline_id": self.pipeline.id,
            "repo_id": repository.id,
            "pipeline_number": self.pipeline.number,
            "agent_name": "lab" if self.workflow.agent_id else "",
        }


class Queue:
    """The tasks, and the runs under way."""

    def __init__(self, board: Board, capacity: int) -> None:
        """Run at most ``capacity`` workflows at once."""
        self.board, self.capacity = board, capacity
        self.waiting: list[Task] = []
        self.running: dict[int, tuple[Task, WorkflowRun, asyncio.Task[None]]] = {}
        self.paused = False

    def submit(self, tasks: list[Task]) -> None:
        """Queue the workflows of one pipeline."""
        self.waiting.extend(tasks)
        asyncio.get_running_loop().call_soon(self.advance)

    def advance(self) -> None:
        """Start or skip whatever may go on now."""
        for task in [task for task in self.waiting if task.ready]:
            if not task.plan.should_run([flow.state for flow in task.dependencies]):
                self.waiting.remove(task)
                self.board.workflow_ended(task.pipeline, task.workflow)
                asyncio.get_running_loop().call_soon(self.advance)
            elif len(self.running) < self.capacity and not self.paused:
                self.waiting.remove(task)
                self._start(task)

    def _start(self, task: Task) -> None:
        run = WorkflowRun(self.board, task.repository, task.pipeline, task.workflow, task.plan)
        under_way = asyncio.get_running_loop().create_task(run.run())
        self.running[task.workflow.id] = (task, run, under_way)
        under_way.add_done_callback(lambda done: self._ended(task.workflow.id, done))

    def _ended(self, workflow_id: int, done: asyncio.Task[None]) -> None:
        task, _, _ = self.running.pop(workflow_id)
        if done.cancelled():
            return
        if failure := done.exception():
            traceback.print_exception(failure)
            self.board.workflow_ended(task.pipeline, task.workflow, error=f"agent failed: {failure!r}")
        self.advance()

    def cancel(self, pipeline: Pipeline, *, spare_running: bool = False) -> None:
        """Take a pipeline's workflows out: waiting ones are forgotten, running ones told to stop."""
        self.waiting = [task for task in self.waiting if task.pipeline is not pipeline]
        if spare_running:
            return
        for task, run, _ in list(self.running.values()):
            if task.pipeline is pipeline:
                run.cancel()

    async def stop(self) -> None:
        """End every run without a verdict, as when the machine goes down; their processes are killed."""
        self.waiting.clear()
        runs = [under_way for _, _, under_way in self.running.values()]
        for under_way in runs:
            under_way.cancel()
        await asyncio.gather(*runs, return_exceptions=True)

    def record(self) -> dict[str, Any]:
        """Return the queue as ``GET /api/queue/info`` shows it."""
        pending = [task.record() for task in self.waiting if task.ready]
        blocked = [task.record() for task in self.waiting if not task.ready]
        running = [task.record() for task, _, _ in self.running.values()]
        counts = {"worker_count": self.capacity, "pending_count": len(pending)}
        more = {"waiting_on_deps_count": len(blocked), "running_count": len(running)}
        lists = {"pending": pending or None, "waiting_on_deps": blocked or None, "running": running or None}
        return {**lists, "stats": {**counts, **more}, "paused": self.paused}
