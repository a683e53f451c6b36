"""From two looks at one run to the events between them. Pure but for ``emit``. Layer: ci."""

from __future__ import annotations

from homelab.ci.events import PipelineChanged, PipelineSeen, StepChanged
from homelab.ci.model import Pipeline, State
from homelab.events import Emit


def tell(emit: Emit, run: Pipeline, before: Pipeline | None) -> None:
    """Emit what is new in ``run`` since ``before``; None: it was never seen."""
    if before is None:
        emit(_seen(run))
    elif before.state is not run.state:
        emit(_changed(run, before))
    known = (
        {(workflow.id, step.id): step.state for workflow in before.workflows for step in workflow.steps}
        if before
        else {}
    )
    for workflow in run.workflows:
        for step in workflow.steps:
            was = known.get((workflow.id, step.id), State.PENDING)
            if step.state is not was:
                emit(
                    StepChanged(
                        server=run.server,
                        number=run.number,
                        workflow=workflow.name,
                        step=step.name,
                        state=step.state.value,
                        exit_code=step.exit_code,
                    )
                )


def _seen(run: Pipeline) -> PipelineSeen:
    return PipelineSeen(
        server=run.server,
        number=run.number,
        commit=run.commit,
        event=run.event,
        branch=run.branch,
        state=run.said or run.state.value,
        url=run.url,
        usual=run.usual,
    )


def _changed(run: Pipeline, before: Pipeline) -> PipelineChanged:
    return PipelineChanged(
        server=run.server,
        number=run.number,
        commit=run.commit,
        state=run.said or run.state.value,
        was=before.said or before.state.value,
        url=run.url,
    )
