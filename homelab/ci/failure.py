"""Why a run is red: its failing steps, and the lines of the log before the first of them ended.

Layer: ci, above the port.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from homelab.ci.excerpt import Excerpt, excerpt
from homelab.ci.follow import Place
from homelab.ci.model import Pipeline, State, Step, Workflow
from homelab.ci.port import CiRepository
from homelab.clock import Clock
from homelab.console.clean import clean
from homelab.errors import HomelabError

#: Seconds after a step's end in which its log may still be short, and the pauses before it is read again.
LATELY = 10.0
PAUSES = (0.4, 1.6)
_STOPPED = {State.FAILURE, State.ERROR, State.KILLED}


@dataclass(frozen=True, slots=True)
class Failure:
    """One failing step with the end of its log, or a failed workflow or run without one (``step`` "")."""

    number: int
    server: str
    workflow: str
    step: str
    state: str
    exit_code: int
    url: str
    #: The server's own words on it, "" where it has none.
    message: str = ""
    excerpt: tuple[str, ...] = ()
    #: How many lines of the log stand before the excerpt.
    left_out: int = 0

    def title(self) -> str:
        """Name the step and how it ended: ``build/test: exit 1``."""
        name = "/".join(part for part in (self.workflow, self.step) if part) or f"#{self.number}"
        how = f"exit {self.exit_code}" if self.exit_code else self.state
        return f"{name}: {how}" + (f", {self.message}" if self.message else "")

    def record(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        return {**asdict(self), "excerpt": list(self.excerpt)}


def failing_steps(workflow: Workflow) -> tuple[Step, ...]:
    """Return the steps that failed a failed workflow.

    Steps the server killed before they began (exit 0, no start) belong to a skipped workflow.
    """
    if workflow.state not in _STOPPED:
        return ()
    failed = tuple(step for step in workflow.steps if step.state in {State.FAILURE, State.ERROR})
    return failed or tuple(step for step in workflow.steps if step.state is State.KILLED and step.started)


def failures(
    servers: Sequence[CiRepository], runs: Sequence[Pipeline], *, log_lines: int, clock: Clock | None = None
) -> tuple[Failure, ...]:
    """Return what failed in ``runs``; each failed workflow's first failing step carries ``log_lines`` of its log.

    With a ``clock`` the log of a step that has just ended is given a moment to arrive.
    """
    by_name = {ci.name: ci for ci in servers}
    return tuple(
        failure
        for run in runs
        for failure in _of_run(_Evidence(by_name.get(run.server, servers[0]), log_lines, clock), run)
    )


def _of_run(evidence: _Evidence, run: Pipeline) -> Iterator[Failure]:
    found = False
    # Workflows that failed come before those that were only stopped because of it.
    for workflow in sorted(run.workflows, key=lambda one: one.state is State.KILLED):
        steps = failing_steps(workflow)
        for position, step in enumerate(steps):
            found = True
            yield _of_step(run, workflow, step, evidence.of(Place(run, workflow, step)) if position == 0 else Excerpt())
        if not steps and workflow.error:
            found = True
            yield _of_workflow(run, workflow)
    if not found:
        message = clean("; ".join(run.errors)) or (f"declined by {run.reviewed_by}" if run.reviewed_by else "")
        yield Failure(run.number, run.server, "", "", run.said or run.state.value, 0, run.url, message)


def _of_workflow(run: Pipeline, workflow: Workflow) -> Failure:
    url = f"{run.url}/{workflow.pid}" if workflow.pid else run.url
    return Failure(run.number, run.server, workflow.name, "", workflow.state.value, 0, url, clean(workflow.error))


def _of_step(run: Pipeline, workflow: Workflow, step: Step, found: Excerpt) -> Failure:
    guess = "where it failed is a guess: the log marks no failure" if found.guess else ""
    return Failure(
        number=run.number,
        server=run.server,
        workflow=workflow.name,
        step=step.name or found.step,
        state=step.state.value,
        exit_code=step.exit_code or found.exit_code,
        url=f"{run.url}/{step.pid}" if step.pid else step.url or run.url,
        message="; ".join(part for part in (clean(step.error), guess) if part),
        excerpt=found.lines,
        left_out=found.left_out,
    )


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Where the lines before a failure are read, and how many are wanted."""

    ci: CiRepository
    log_lines: int
    clock: Clock | None

    def of(self, place: Place) -> Excerpt:
        """Read the step's own log. One that cannot be read says so and changes no verdict."""
        if not self.log_lines:
            return Excerpt()
        try:
            return self._settled(place)
        except HomelabError as error:
            page = f"; {error.fix}" if error.fix.startswith("open ") else ""
            return Excerpt((f"(its log cannot be read: {error.what}{page})",))

    def _settled(self, place: Place) -> Excerpt:
        """Read until two readings agree: agents deliver the last lines after the end."""
        found = self._read(place)
        now = self.clock.now() + (self.ci.ahead or 0.0) if self.clock is not None else 0.0
        if self.clock is None or place.silent or not place.ended_within(LATELY, now):
            return found
        for pause in PAUSES:
            self.clock.sleep(pause)
            before, found = found, self._read(place)
            if found == before and found.lines:
                break
        return found

    def _read(self, place: Place) -> Excerpt:
        lines = self.ci.failed_log(place.run, place.workflow, place.step)
        return excerpt(lines, keep=self.log_lines, mark=self.ci.failure_mark, cleanup=self.ci.cleanup_mark)
