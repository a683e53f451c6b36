"""From configuration files and a pipeline to what will run: workflows with steps in stages. Pure.

The same files and the same pipeline always give the same plan, so a restarted server makes it again.
Source: woodpecker pipeline/frontend/builder/builder.go, yaml/compiler/{compiler,dag}.go, server/pipeline/items.go.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from homelab.lab.woodpecker import definition
from homelab.lab.woodpecker.config import Config, Repository
from homelab.lab.woodpecker.definition import ConfigRefused, Definition, StepDefinition
from homelab.lab.woodpecker.environment import pipeline_variables
from homelab.lab.woodpecker.records import Complaint, ConfigFile, Pipeline
from homelab.lab.woodpecker.substitution import substitute
from homelab.lab.woodpecker.when import Facts


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step that will run. ``masked`` are secret values that must not reach a log."""

    pid: int
    name: str
    type: str
    image: str
    commands: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    masked: tuple[str, ...] = field(repr=False)
    on_success: bool
    on_failure: bool
    failure: str
    detach: bool
    directory: str
    settings: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class WorkflowPlan:
    """One workflow that will run: stages in order, the steps of a stage together."""

    pid: int
    name: str
    axis: Mapping[str, str]
    stages: tuple[tuple[StepPlan, ...], ...]
    depends_on: tuple[str, ...]
    runs_on: tuple[str, ...]
    labels: Mapping[str, str]

    @property
    def steps(self) -> list[StepPlan]:
        """All steps, by pid."""
        return [step for stage in self.stages for step in stage]

    def should_run(self, dependencies: Sequence[str]) -> bool:
        """Judge by the states of the workflows it depends on. Source: woodpecker server/model/task.go."""
        after_failure = "failure" in self.runs_on
        after_success = not self.runs_on or "success" in self.runs_on
        if after_failure and after_success:
            return True
        if after_success:
            return all(state == "success" for state in dependencies)
        return after_failure and all(state != "success" for state in dependencies)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything one pipeline will run; no workflow means that it was filtered out."""

    workflows: tuple[WorkflowPlan, ...]
    warnings: tuple[Complaint, ...] = ()


def make_plan(config: Config, repository: Repository, pipeline: Pipeline, files: Sequence[ConfigFile]) -> Plan:
    """Build the plan. ConfigRefused when a file cannot run."""
    builder = _Builder(config, repository, pipeline)
    kept = [item for file in sorted(files, key=lambda file: file.name) for item in builder.read(file)]
    kept = _with_dependencies(kept)
    pid, flows = len(kept), []
    for number, (name, axis, read) in enumerate(kept, 1):
        stages = builder.stages(read, axis, first_pid=pid + 1, workflow=(name, number))
        pid += sum(len(stage) for stage in stages)
        runs_on = read.runs_on
        if read.when.on_failure(builder.facts, whole_workflow=True):
            runs_on = tuple(dict.fromkeys((*runs_on, "failure", "success")))
        flows.append(WorkflowPlan(number, name, axis, stages, read.depends_on, runs_on, read.labels))
    warnings = dict.fromkeys(warning for _, _, read in kept for warning in read.warnings)
    return Plan(tuple(flows), tuple(warnings))


def workflow_name(path: str) -> str:
    """Name a workflow after its file: ``.woodpecker/build.yaml`` is ``build``."""
    return posixpath.basename(path).removesuffix(".yaml").removesuffix(".yml").removeprefix(".")


_Kept = tuple[str, dict[str, str], Definition]


def _with_dependencies(kept: list[_Kept]) -> list[_Kept]:
    """Drop workflows that depend on one that is not there, until nothing changes."""
    names = {name for name, _, _ in kept}
    left = [item for item in kept if set(item[2].depends_on) <= names]
    return left if len(left) == len(kept) else _with_dependencies(left)


class _Builder:
    """Holds what every workflow of one pipeline shares."""

    def __init__(self, config: Config, repository: Repository, pipeline: Pipeline) -> None:
        self.repository, self.pipeline = repository, pipeline
        self.variables = pipeline_variables(config, repository, pipeline)
        self.outer = {**config.environment, **pipeline.variables}
        self.facts = Facts(
            event=pipeline.event,
            branch=pipeline.branch,
            ref=pipeline.ref,
            repo=repository.full_name,
            message=pipeline.message,
            cron=pipeline.cron,
            instance=self.variables["CI_SYSTEM_HOST"],
            changed_files=tuple(pipeline.changed_files),
        )

    def read(self, file: ConfigFile) -> list[_Kept]:
        """Return the file's workflows that this pipeline runs, one for each cell of its matrix."""
        kept: list[_Kept] = []
        for axis in definition.matrix_axes(file.text):
            text = substitute(file.text, {**self.outer, **self.variables, **axis})
            name = workflow_name(file.name)
            read = definition.parse(text, name)
            if read.when.match(self.facts, whole_workflow=True) and self._steps(read, axis):
                kept.append((name, axis, read))
        return kept

    def _steps(self, read: Definition, axis: dict[str, str]) -> list[StepDefinition]:
        facts = replace(self.facts, matrix=axis)
        return [step for step in read.steps if step.when.match(facts)]

    def stages(
        self, read: Definition, axis: dict[str, str], *, first_pid: int, workflow: tuple[str, int]
    ) -> tuple[tuple[StepPlan, ...], ...]:
        """Return clone, services, then the steps: by level of depends_on, or one after another."""
        facts = replace(self.facts, matrix=axis)
        services = [service for service in read.services if service.when.match(facts)]
        levels = [[read.clone] if read.clone else [], services, *_levels(self._steps(read, axis))]
        stages, pid = [], first_pid
        extra = {"CI_WORKFLOW_NAME": workflow[0], "CI_WORKFLOW_NUMBER": str(workflow[1]), **axis}
        for level in filter(None, levels):
            stages.append(tuple(self._plan(step, pid + at, facts, extra) for at, step in enumerate(level)))
            pid += len(level)
        return tuple(stages)

    def _plan(self, step: StepDefinition, pid: int, facts: Facts, extra: Mapping[str, str]) -> StepPlan:
        masked: list[str] = []
        own = {name: self._value(value, step, masked) for name, value in step.environment.items()}
        named = {"CI_STEP_NAME": step.name, "CI_STEP_NUMBER": str(pid), "CI_STEP_TYPE": step.type}
        url = {"CI_STEP_URL": f"{self.variables['CI_PIPELINE_URL']}/{pid}"}
        return StepPlan(
            pid=pid,
            name=step.name,
            type=step.type,
            image=step.image,
            commands=step.commands,
            environment={**self.outer, **extra, **self.variables, **named, **url, **own},
            masked=tuple(masked),
            on_success=step.when.on_success(facts),
            on_failure=step.when.on_failure(facts),
            failure=step.failure,
            detach=step.detach,
            directory=step.directory,
            settings={name: self._value(value, step, masked) for name, value in step.settings.items()},
        )

    def _value(self, value: Any, step: StepDefinition, masked: list[str]) -> str:
        """Return a variable's text, taking a secret from the server's own store."""
        if not isinstance(value, dict) or set(value) != {"from_secret"}:
            return _text(value)
        secret = self.repository.secrets.get(str(value["from_secret"]))
        if secret is None:
            raise ConfigRefused([Complaint("compiler", f'secret "{value["from_secret"]}" not found', field=step.name)])
        masked.append(secret.reveal())
        return secret.reveal()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _levels(steps: list[StepDefinition]) -> list[list[StepDefinition]]:
    """Order by depends_on as soon as one step has it; a dependency that was filtered out is met."""
    if all(step.depends_on is None for step in steps):
        return [[step] for step in steps]
    names, done, levels, left = {step.name for step in steps}, set[str](), list[list[StepDefinition]](), steps
    while left:
        level = [step for step in left if set(step.depends_on or ()) & names <= done]
        if not level:
            cycle = " -> ".join(step.name for step in left)
            raise ConfigRefused([Complaint("compiler", f"cycle detected: {cycle}")])
        levels.append(level)
        done |= {step.name for step in level}
        left = [step for step in left if step.name not in done]
    return levels
