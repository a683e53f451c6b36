"""What a run waits for is said while it goes."""

from __future__ import annotations

from homelab.ci.model import State
from homelab.ci.request import CiRequest
from homelab.ci.sight import Sight
from homelab.ci.verdict import Stand, Verdict
from homelab.ci.words import Words, words
from tests.ci.fakes import OID, pipeline, step, workflow
from tests.ci.runs import FakeRuns


def waiting(**fields: object) -> Words:
    run = pipeline(3, **fields)  # type: ignore[arg-type]
    return words([FakeRuns()], CiRequest(OID), Sight(runs=(run,)), Verdict(Stand.WAITING, final=False))


def test_a_job_without_a_runner_is_said_with_its_labels() -> None:
    gpu = workflow("gpu", State.PENDING, error="waits for a runner with gpu")

    said = waiting(state=State.PENDING, workflows=(gpu,))

    assert (said.headline, said.reasons) == ("#3 pending", ("#3 gpu: waits for a runner with gpu",))


def test_a_state_nobody_knows_is_warned_of() -> None:
    said = waiting(state=State.UNKNOWN, said="melting", workflows=())

    assert said.reasons == ("#3 is 'melting', a state homelab does not know: taken for one that goes on",)


def test_a_job_that_tells_no_steps_is_named_itself() -> None:
    running = workflow("build", State.RUNNING, step("", State.RUNNING))

    assert waiting(state=State.RUNNING, workflows=(running,)).headline == "#3 running (build)"
