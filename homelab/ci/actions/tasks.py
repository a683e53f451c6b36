"""What tasks tell of Actions: attempts of jobs that a runner took. Pure. Layer: ci, beside the client.

Jobs that wait or are blocked are no tasks; the commit's statuses know them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from homelab.ci.actions import translate
from homelab.ci.actions.statuses import with_jobs
from homelab.ci.fields import Json
from homelab.ci.model import Pipeline, State, Workflow

#: A run as its tasks tell of it, and its jobs by name.
JobsOfRun = tuple[Pipeline, dict[str, Workflow]]


def grouped(rows: Iterable[Json], *, web: str, server: str) -> dict[int, JobsOfRun]:
    """Return tasks by run number and job: of a job's attempts the newest, which come first."""
    found: dict[int, JobsOfRun] = {}
    for raw in rows:
        made, flow = translate.task(raw, web=web, server=server)
        found.setdefault(made.number, (made, {}))[1].setdefault(flow.name, flow)
    return found


def merged(run: Pipeline | None, told: Pipeline, tasks: Mapping[str, Workflow]) -> Pipeline:
    """Return the run with the jobs of both views; ``run`` is what statuses tell of it, if anything."""
    base = run or told
    names = {flow.name for flow in base.workflows}
    flows = [_better(flow, tasks.get(flow.name)) for flow in base.workflows]
    flows += [flow for name, flow in tasks.items() if name not in names]
    base = replace(base, branch=told.branch, ref=told.ref, source=told.source, created=told.created, title=told.title)
    return with_jobs(base, flows)


def _better(flow: Workflow, task: Workflow | None) -> Workflow:
    """A status keeps the job's place in its run, a task its true state."""
    if task is None or (flow.state is State.PENDING and task.state.finished):
        # A re-run's job waits again while the task of its first attempt is still listed.
        return flow
    step = replace(flow.steps[0], state=task.state, started=task.started, finished=task.finished)
    return replace(flow, state=task.state, started=task.started, finished=task.finished, steps=(step,))
