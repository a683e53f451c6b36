"""What the server remembers: pipelines with their workflows and steps, log lines, configuration files.

A pipeline is one aggregate: the runner changes it in place and the store saves it whole, hence the
records are mutable. Times are Unix seconds, 0 meaning not yet.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from homelab.lab.woodpecker.states import State, Trigger


@dataclass(slots=True)
class Step:
    """One step of a workflow. ``id`` is global, ``pid`` counts within the pipeline."""

    id: int
    pid: int
    ppid: int
    name: str
    type: str
    uuid: str
    state: State = State.PENDING
    exit_code: int = 0
    error: str = ""
    started: int = 0
    finished: int = 0
    #: fail, ignore or cancel: never shown to clients.
    failure: str = "fail"


@dataclass(slots=True)
class Workflow:
    """One workflow: a configuration file, or one cell of its matrix."""

    id: int
    pid: int
    name: str
    state: State = State.PENDING
    error: str = ""
    started: int = 0
    finished: int = 0
    agent_id: int = 0
    environ: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Complaint:
    """One entry of ``errors``: type is linter, deprecation, compiler, generic or bad_habit."""

    type: str
    message: str
    is_warning: bool = False
    file: str = ""
    field: str = ""
    docs: str = ""


@dataclass(slots=True, weakref_slot=True)
class Pipeline:
    """One pipeline. ``number`` counts within the repository, ``id`` is global and never reused."""

    repo_id: int
    event: Trigger
    commit: str
    branch: str
    ref: str
    id: int = 0
    number: int = 0
    status: State = State.CREATED
    parent: int = 0
    rerun_count: int = 0
    created: int = 0
    updated: int = 0
    started: int = 0
    finished: int = 0
    timestamp: int = 0
    reviewed: int = 0
    reviewed_by: str = ""
    author: str = ""
    author_email: str = ""
    sender: str = ""
    title: str = ""
    message: str = ""
    refspec: str = ""
    forge_url: str = ""
    deploy_to: str = ""
    cron: str = ""
    from_fork: bool = False
    version: str = ""
    errors: list[Complaint] = field(default_factory=list)
    cancel_info: dict[str, Any] = field(default_factory=dict)
    changed_files: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    workflows: list[Workflow] = field(default_factory=list)

    def step(self, step_id: int) -> Step | None:
        """Return the step with this global id, if it is one of ours."""
        return next((step for flow in self.workflows for step in flow.steps if step.id == step_id), None)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a step's log: ``time`` is seconds since the step began, ``line`` counts from 0."""

    id: int
    step_id: int
    line: int
    time: int
    data: bytes
    type: int = 0


@dataclass(slots=True)
class Cron:
    """A run of a branch by schedule. ``branch`` "" is the default one; ``created`` is Unix time."""

    id: int
    repo_id: int
    creator_id: int
    name: str
    schedule: str
    branch: str = ""
    created: int = 0


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One configuration file as it was at the commit."""

    name: str
    text: str


def to_json(pipeline: Pipeline) -> dict[str, Any]:
    """Return the aggregate as plain JSON for the store."""
    return asdict(pipeline)


def from_json(record: dict[str, Any]) -> Pipeline:
    """Rebuild the aggregate the store kept."""
    flows = [_workflow(flow) for flow in record["workflows"]]
    complaints = [Complaint(**complaint) for complaint in record["errors"]]
    words = {"status": State(record["status"]), "event": Trigger(record["event"])}
    return Pipeline(**{**record, **words, "workflows": flows, "errors": complaints})


def _workflow(record: dict[str, Any]) -> Workflow:
    steps = [Step(**{**step, "state": State(step["state"])}) for step in record["steps"]]
    return Workflow(**{**record, "state": State(record["state"]), "steps": steps})
