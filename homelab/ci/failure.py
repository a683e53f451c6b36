"""Why a run is red: its failing steps, and the lines of the log before the first of them ended.

Layer: ci, above the port.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from homelab.ci.model import LogLine, Pipeline, State, Step, Workflow
from homelab.ci.port import CiRepository
from homelab.console.clean import clean
from homelab.errors import HomelabError

#: Longer lines are cut: a reader wants the message, not the minified file in it.
LINE_LIMIT = 500
_STOPPED = {State.FAILURE, State.ERROR, State.KILLED}


@dataclass(frozen=True, slots=True)
class Failure:
    """One failing step with the end of its log, or a failed workflow or run without one (``step`` "")."""

    number: int
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


def failures(ci: CiRepository, runs: Sequence[Pipeline], *, log_lines: int) -> tuple[Failure, ...]:
    """Return what failed in ``runs``; each failed workflow's first failing step carries its last ``log_lines``."""
    return tuple(failure for run in runs for failure in _of_run(ci, run, log_lines))


def _of_run(ci: CiRepository, run: Pipeline, log_lines: int) -> Iterator[Failure]:
    found = False
    # Workflows that failed come before those that were only stopped because of it.
    for workflow in sorted(run.workflows, key=lambda one: one.state is State.KILLED):
        steps = failing_steps(workflow)
        for position, step in enumerate(steps):
            found = True
            yield _of_step(ci, run, workflow, step, log_lines if position == 0 else 0)
        if not steps and workflow.error:
            found = True
            yield _of_workflow(run, workflow)
    if not found:
        message = clean("; ".join(run.errors)) or (f"declined by {run.reviewed_by}" if run.reviewed_by else "")
        yield Failure(run.number, "", "", run.said or run.state.value, 0, run.url, message)


def _of_workflow(run: Pipeline, workflow: Workflow) -> Failure:
    url = f"{run.url}/{workflow.pid}" if workflow.pid else run.url
    return Failure(run.number, workflow.name, "", workflow.state.value, 0, url, clean(workflow.error))


def _of_step(ci: CiRepository, run: Pipeline, workflow: Workflow, step: Step, log_lines: int) -> Failure:
    excerpt, left_out = _excerpt(ci, run, workflow, step, log_lines) if log_lines else ((), 0)
    return Failure(
        number=run.number,
        workflow=workflow.name,
        step=step.name,
        state=step.state.value,
        exit_code=step.exit_code,
        url=f"{run.url}/{step.pid}" if step.pid else run.url,
        message=clean(step.error),
        excerpt=excerpt,
        left_out=left_out,
    )


def _excerpt(
    ci: CiRepository, run: Pipeline, workflow: Workflow, step: Step, log_lines: int
) -> tuple[tuple[str, ...], int]:
    """Return the last lines of the step's own log. A log that cannot be read says so and changes no verdict."""
    total = 0
    tail: deque[LogLine] = deque(maxlen=log_lines)
    try:
        for line in ci.log(run, workflow, step):
            total += 1
            tail.append(line)
    except HomelabError as error:
        return (f"(its log cannot be read: {error.what})",), 0
    return tuple(clean(line.text)[:LINE_LIMIT] for line in tail), total - len(tail)
