"""Runs one workflow the way an agent with the local backend does: a fresh folder, stages in order, real processes.

Sources: woodpecker agent/runner.go, pipeline/runtime/{workflow,step}.go, pipeline/backend/local.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import sys
import tempfile
from pathlib import Path
from time import monotonic, time

from homelab.lab.woodpecker import shell
from homelab.lab.woodpecker.board import Board
from homelab.lab.woodpecker.config import Repository
from homelab.lab.woodpecker.plan import StepPlan, WorkflowPlan
from homelab.lab.woodpecker.records import LogLine, Pipeline, Step, Workflow
from homelab.lab.woodpecker.states import State

#: How long a killed group may take to leave by itself.
GRACE = 1.0
_MASK = b"********"
_MIN_SECRET = 3


class WorkflowRun:
    """One run of one workflow. ``cancel`` may be called at any time from the server's thread."""

    def __init__(
        self, board: Board, repository: Repository, pipeline: Pipeline, workflow: Workflow, plan: WorkflowPlan
    ) -> None:
        """Prepare; nothing starts before :meth:`run`."""
        self.board, self.repository = board, repository
        self.pipeline, self.workflow, self.plan = pipeline, workflow, plan
        self.canceled = False
        self._failed = False
        self._processes: set[shell.Process] = set()
        self._detached: set[asyncio.Task[None]] = set()
        self._steps = {step.pid: step for step in workflow.steps}

    def cancel(self) -> None:
        """Ask every process to end; those that do not are killed after a grace."""
        self.canceled = True
        self._signal(signal.SIGTERM)
        asyncio.get_running_loop().call_later(GRACE, self._signal, signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes:
            process.signal(number)

    async def run(self) -> None:
        """Run all stages in a fresh folder, then report the workflow's end."""
        self.board.workflow_began(self.pipeline, self.workflow)
        watchdog = asyncio.get_running_loop().call_later(self.repository.timeout * 60, self.cancel)
        error = ""
        try:
            with tempfile.TemporaryDirectory(dir=self.board.work, ignore_cleanup_errors=True) as folder:
                await self._stages(Path(folder))
        except OSError as failure:
            error = f"workspace could not be prepared: {failure.strerror}"
        finally:
            watchdog.cancel()
        self.board.workflow_ended(self.pipeline, self.workflow, error=error, canceled=self.canceled)

    async def _stages(self, folder: Path) -> None:
        for name in ("src", "home", "tmp"):
            (folder / name).mkdir()
        try:
            for stage in self.plan.stages:
                if self.canceled:
                    return
                failed = await asyncio.gather(*(self._step(plan, folder) for plan in stage))
                self._failed = self._failed or any(failed)
        finally:
            for task in self._detached:
                task.cancel()
            await asyncio.gather(*self._detached, return_exceptions=True)

    async def _step(self, plan: StepPlan, folder: Path) -> bool:
        """Run or skip one step; return whether it makes the following ones skip."""
        step = self._steps[plan.pid]
        if not (plan.on_failure if self._failed else plan.on_success):
            self.board.step_skipped(self.pipeline, step)
            return False
        self.board.step_began(self.pipeline, step)
        if plan.detach:
            task = asyncio.create_task(self._detach(plan, step, folder))
            self._detached.add(task)
            return False
        await self._execute(plan, step, folder)
        if step.state is State.FAILURE and plan.failure == "cancel":
            self.board.cancel_from_step(self.pipeline, step.name)
        return step.state is not State.SUCCESS and plan.failure != "ignore"

    async def _detach(self, plan: StepPlan, step: Step, folder: Path) -> None:
        """A service: ended with the workflow, which makes it a success there."""
        with contextlib.suppress(asyncio.CancelledError):
            await self._execute(plan, step, folder)

    async def _execute(self, plan: StepPlan, step: Step, folder: Path) -> None:
        """Run the step's process to its end and report it."""
        writer = _LogWriter(self.board, step, plan.masked)
        try:
            cwd = folder / "src" / plan.directory
            process = await shell.start(self._argv(plan), cwd=cwd, env=self._environment(plan, folder))
        except OSError as failure:
            self.board.step_ended(
                self.pipeline, step, 126, error=f"{failure.filename or plan.image}: {failure.strerror}"
            )
            return
        self._processes.add(process)
        if self.canceled:
            process.signal(signal.SIGKILL)
        try:
            code = await process.finish(writer)
        finally:
            self._processes.discard(process)
        self.board.step_ended(self.pipeline, step, code, killed=self.canceled)

    def _argv(self, plan: StepPlan) -> list[str]:
        if plan.type == "clone" and not plan.commands:
            return ["/bin/sh", "-c", shell.script(self._clone(plan))]
        if plan.commands:
            name = plan.image.rpartition("/")[2]
            return ["bash" if name == "bash" else "/bin/sh", "-c", shell.script(plan.commands)]
        return [plan.image]

    def _clone(self, plan: StepPlan) -> list[str]:
        """What the clone plugin does, with its setting ``depth`` (0 for everything)."""
        depth = plan.settings.get("depth", "1")
        shallow = "" if depth == "0" else f"--depth={shlex.quote(depth)} "
        oid = self.pipeline.commit
        return [
            f"git init -q -b {shlex.quote(self.pipeline.branch or self.repository.default_branch)}",
            f"git remote add origin {shlex.quote(f'file://{self.repository.path}')}",
            f"git fetch --no-tags {shallow}--quiet origin +{oid}:",
            f"git reset --hard -q {oid}",
        ]

    def _environment(self, plan: StepPlan, folder: Path) -> dict[str, str]:
        """Nothing of the server's own environment but the path to programs."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "GIT_CEILING_DIRECTORIES": str(folder),
            **{f"PLUGIN_{name.upper()}": value for name, value in plan.settings.items()},
            **plan.environment,
            "CI_WORKSPACE": str(folder / "src"),
            "CI_SYSTEM_PLATFORM": f"{sys.platform}/{os.uname().machine}",
            "CI_PIPELINE_STATUS": "failure" if self._failed else "success",
            "CI_STEP_STARTED": str(int(time())),
        }


class _LogWriter:
    """Numbers, times and masks a step's lines."""

    def __init__(self, board: Board, step: Step, masked: tuple[str, ...]) -> None:
        self.board, self.step = board, step
        self.masked = [line.encode() for secret in masked for line in secret.splitlines() if len(line) > _MIN_SECRET]
        self.began = monotonic()
        self.count = 0

    def __call__(self, lines: list[bytes]) -> None:
        second = int(monotonic() - self.began)
        entries = [
            LogLine(0, self.step.id, self.count + at, second, self._hidden(line)) for at, line in enumerate(lines)
        ]
        self.count += len(lines)
        self.board.log(self.step, entries)

    def _hidden(self, line: bytes) -> bytes:
        for secret in self.masked:
            line = line.replace(secret, _MASK)
        return line
