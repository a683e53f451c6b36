"""Runs one job the way the servers' runners do on their host: steps in order, real processes, one log.

Sources: act_runner internal/app/run, nektos/act pkg/runner.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import tempfile
from pathlib import Path
from typing import Any

from homelab.lab.actions.board import Board, now
from homelab.lab.actions.expressions import ExpressionRefused, condition, interpolate
from homelab.lab.actions.log import JobLog
from homelab.lab.actions.records import Job, Run, Step
from homelab.lab.actions.words import Status
from homelab.lab.actions.workflow import JobDefinition, StepDefinition
from homelab.lab.woodpecker import shell

#: How long a killed group may take to leave by itself.
GRACE = 1.0
_CHECKOUT = re.compile(r"(?:https?://[^/]+/)?actions/checkout(?:@.*)?")
_NO_SUCH_ACTION = 127


class JobRun:
    """One attempt of one job. ``cancel`` may be called at any time from the server's thread."""

    def __init__(self, board: Board, run: Run, job: Job, definition: JobDefinition) -> None:
        """Take the job: it is a task from now on."""
        self.board, self.run, self.job, self.definition = board, run, job, definition
        self.repository = board.repository(run)
        self.canceled = ""
        self._failed = False
        self._process: shell.Process | None = None
        secrets = [secret.reveal() for secret in self.repository.secrets.values()]
        self.task = board.take(run, job)
        self.log = JobLog(board.store.log(self.task.id), board.config.kind, secrets)

    def cancel(self, why: str = "context canceled") -> None:
        """Ask the running step to end, kill it after a grace, and run only what is for that case."""
        self.canceled = why
        if self._process:
            self._process.signal(signal.SIGTERM)
            asyncio.get_running_loop().call_later(GRACE, self._kill)

    def _kill(self) -> None:
        if self._process:
            self._process.signal(signal.SIGKILL)

    async def finish(self) -> None:
        """Run every step, then report the job's end."""
        received = f"received task {self.task.id} of job {self.job.key}, be triggered by event: {self.run.event}"
        self.log.say(f"lab-runner(version:v1.0.0) {received}", "workflow prepared")
        deadline = self.definition.timeout * 60
        watchdog = asyncio.get_running_loop().call_later(deadline, self.cancel, "context deadline exceeded")
        try:
            with tempfile.TemporaryDirectory(dir=self.board.work, ignore_cleanup_errors=True) as folder:
                for name in ("work", "home", "tmp"):
                    (Path(folder) / name).mkdir()
                for step, definition in zip(self.job.steps, self.definition.steps, strict=True):
                    await self._step(step, definition, Path(folder))
        finally:
            watchdog.cancel()
            status = self._verdict()
            self.log.job_ended(self.job.name, status)
            self.log.close()
        self.board.set(self.run, self.job, status)

    def _verdict(self) -> Status:
        if self.canceled == "context canceled":
            return Status.CANCELLED
        return Status.FAILURE if self._failed or self.canceled else Status.SUCCESS

    async def _step(self, step: Step, definition: StepDefinition, folder: Path) -> None:
        context = self.context()
        step.first_line = step.last_line = self.log.count
        try:
            cancelled = bool(self.canceled)
            wanted = condition(definition.condition, context, failed=self._failed, cancelled=cancelled)
        except ExpressionRefused as refused:
            self.log.say(f"::error::{refused}")
            wanted, self._failed = False, True
        if not wanted:
            step.status = Status.SKIPPED
            self.board.store.save(self.run)
            return
        step.status, step.started = Status.RUNNING, now()
        self.board.store.save(self.run)
        code, canceled_before = await self._execute(definition, context, folder), self.canceled
        step.stopped, step.status = now(), Status.SUCCESS if code == 0 else Status.FAILURE
        if self.canceled and code:
            step.status = Status.CANCELLED
        ignored = definition.continue_on_error and not self.canceled
        self.log.step_ended(definition.name, step.status, code, ignored=ignored, why=canceled_before if code else "")
        self._failed = self._failed or (code != 0 and not ignored and not self.canceled)
        step.last_line = self.log.count
        self.board.store.save(self.run)

    async def _execute(self, step: StepDefinition, context: dict[str, Any], folder: Path) -> int:
        """Run the step's process to its end; return its exit code."""
        try:
            argv = self._argv(step, context)
            environment = self._environment(step, context, folder)
            cwd = folder / "work" / interpolate(step.directory, context)
            self._process = await shell.start(argv, cwd=cwd, env=environment)
        except (ExpressionRefused, OSError) as error:
            self.log.say(f"::error::{error}")
            return _NO_SUCH_ACTION
        if self.canceled:
            self._kill()
        try:
            return await self._process.finish(self.log.write)
        finally:
            self._process = None

    def _argv(self, step: StepDefinition, context: dict[str, Any]) -> list[str]:
        if step.run:
            program = "sh" if step.shell == "sh" else "bash"
            options = ["--noprofile", "--norc", "-e", "-o", "pipefail"] if step.shell == "bash" else ["-e"]
            return [program, *options, "-c", interpolate(step.run, context)]
        if not _CHECKOUT.fullmatch(step.uses):
            raise ExpressionRefused(f"this runner knows actions/checkout alone, not {step.uses}")
        depth = interpolate(step.given.get("fetch-depth", "1"), context)
        shallow = "" if depth == "0" else f"--depth={shlex.quote(depth)} "
        source, oid = shlex.quote(f"file://{self.repository.path}"), self.run.sha
        fetch = f"git fetch --quiet --no-tags {shallow}{source} +{oid}:refs/remotes/origin/fetched"
        branch = shlex.quote(self.run.branch or self.repository.default_branch)
        checkout = f"git checkout --quiet --force -B {branch} {oid}"
        return ["/bin/sh", "-e", "-c", f"git init --quiet .; {fetch}; {checkout}; git log -1 --format=%H"]

    def context(self) -> dict[str, Any]:
        """Return what expressions see."""
        repository, run = self.repository, self.run
        event = {
            "sha": run.sha,
            "ref": run.ref,
            "ref_name": run.branch,
            "ref_type": "tag" if run.ref.startswith("refs/tags/") else "branch",
            "event_name": run.event,
            "repository": repository.full_name,
            "repository_owner": repository.owner,
            "actor": run.actor,
            "run_id": run.id,
            "run_number": run.number,
            "run_attempt": run.attempt,
            "workflow": run.workflow_name,
            "job": self.job.key,
            "server_url": self.board.config.url,
            "api_url": f"{self.board.config.url}/api/v1",
        }
        needs = {job.key: {"result": job.status.value} for job in run.jobs if job.key in self.job.needs}
        secrets = {name: secret.reveal() for name, secret in repository.secrets.items()}
        plain: dict[str, Any] = {"github": event, "forgejo": event, "gitea": event, "needs": needs, "secrets": secrets}
        plain |= {"matrix": dict(self.job.matrix), "vars": {}, "runner": {"os": "Linux"}}
        return {**plain, "env": {name: interpolate(value, plain) for name, value in self.definition.env.items()}}

    def _environment(self, step: StepDefinition, context: dict[str, Any], folder: Path) -> dict[str, str]:
        """Nothing of the server's own environment but the path to programs."""
        own = {name: interpolate(value, context) for name, value in step.env.items()}
        named = {f"GITHUB_{name.upper()}": str(value) for name, value in context["github"].items()}
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "CI": "true",
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "GIT_CEILING_DIRECTORIES": str(folder),
            **self.board.config.environment,
            **named,
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(folder / "work"),
            **context["env"],
            **own,
        }
