"""One configuration file, read and linted: steps, services, clone, when, matrix, depends_on. Pure.

Source: woodpecker pipeline/frontend/yaml/types/{workflow,container}.go, linter/linter.go, matrix/matrix.go.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from homelab.lab.woodpecker import when as conditions
from homelab.lab.woodpecker.records import Complaint
from homelab.lab.woodpecker.when import ALWAYS, ConditionError, When, strings

_STEP_KEYS = frozenset(
    [
        "name",
        "image",
        "commands",
        "entrypoint",
        "environment",
        "settings",
        "when",
        "depends_on",
        "failure",
        "detach",
        "directory",
        "pull",
        "privileged",
        "volumes",
        "dns",
        "dns_search",
        "backend_options",
        "ports",
        "group",
        "secrets",
    ]
)
_FILE_KEYS = frozenset(
    [
        "steps",
        "services",
        "clone",
        "when",
        "depends_on",
        "runs_on",
        "matrix",
        "labels",
        "skip_clone",
        "workspace",
        "variables",
        "concurrency",
    ]
)


_NO_EVENT = "Consider adding a `when` block with an `event` filter to this step or the entire workflow"
_SOME_EVENTS = "Set an event filter for all steps or the entire workflow on all items of the `when` block"


class ConfigRefused(Exception):
    """The file cannot run; carries every complaint, warnings included."""

    def __init__(self, complaints: list[Complaint]) -> None:
        """Keep the complaints for the pipeline's ``errors``."""
        super().__init__("; ".join(complaint.message for complaint in complaints))
        self.complaints = complaints


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """One step as written. ``environment`` values may be ``{"from_secret": name}``."""

    name: str
    image: str = ""
    type: str = "commands"
    commands: tuple[str, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    when: When = ALWAYS
    depends_on: tuple[str, ...] | None = None
    failure: str = "fail"
    detach: bool = False
    directory: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """One file as written, for one cell of its matrix."""

    steps: tuple[StepDefinition, ...]
    services: tuple[StepDefinition, ...] = ()
    clone: StepDefinition | None = None
    when: When = ALWAYS
    depends_on: tuple[str, ...] = ()
    runs_on: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[Complaint, ...] = ()


def load_yaml(text: str) -> Any:
    """Parse YAML the safe way. ConfigRefused for text that is not YAML."""
    import yaml

    try:
        return yaml.load(text, Loader=_loader())
    except yaml.YAMLError as error:
        raise ConfigRefused([Complaint("compiler", str(error))]) from error


def _loader() -> Any:
    """SafeLoader whose ``on`` and ``off`` stay words, as in YAML 1.2 that upstream reads."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Booleans are true and false alone."""

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def matrix_axes(text: str) -> list[dict[str, str]]:
    """Return the cells of the file's matrix; one empty cell when it has none."""
    raw = load_yaml(text)
    matrix = raw.get("matrix") if isinstance(raw, dict) else None
    if not isinstance(matrix, dict) or not matrix:
        return [{}]
    if isinstance(matrix.get("include"), list):
        cells = [cell for cell in matrix["include"] if isinstance(cell, dict)]
        return [{str(axis): str(value) for axis, value in cell.items()} for cell in cells]
    try:
        axes = {str(axis): strings(values) for axis, values in matrix.items()}
    except ConditionError as error:
        raise ConfigRefused([Complaint("compiler", f"invalid `matrix`: {error}")]) from error
    return [dict(zip(axes, cell, strict=True)) for cell in itertools.product(*axes.values())]


def parse(text: str, file: str) -> Definition:
    """Read and lint one substituted file. ConfigRefused carries everything that blocks it."""
    raw = load_yaml(text)
    reader = _Reader(file)
    definition = reader.definition(raw if isinstance(raw, dict) else {})
    if any(not complaint.is_warning for complaint in reader.complaints):
        raise ConfigRefused(reader.complaints)
    return definition


class _Reader:
    """Reads one file, collecting every complaint instead of stopping at the first."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.complaints: list[Complaint] = []

    def definition(self, raw: dict[str, Any]) -> Definition:
        """Return what the file means, as far as it can be understood; what is wrong goes to ``complaints``."""
        self._no_unknown(raw, _FILE_KEYS, "")
        steps = self._containers(raw.get("steps"), "steps")
        if not steps:
            self._lint("Invalid or missing `steps` section", "steps")
        self._dependencies_exist(steps)
        clones = self._containers(raw.get("clone"), "clone")
        runs_on = self._strings(raw, "runs_on", "runs_on")
        if runs_on:
            self._warn(
                "deprecation", "Usage of `runs_on` is deprecated, use `when.status`", f"{self.file}.runs_on", "status"
            )
        services = self._containers(raw.get("services"), "services")
        when = self._when(raw, "when")
        self._bad_habits(when, steps)
        return Definition(
            steps=steps,
            services=services,
            clone=None if raw.get("skip_clone") else clones[0] if clones else StepDefinition("clone", type="clone"),
            when=when,
            depends_on=self._strings(raw, "depends_on", "depends_on"),
            runs_on=runs_on,
            labels={key: str(value) for key, value in self._mapping(raw, "labels", "labels").items()},
            warnings=tuple(self.complaints),
        )

    def _containers(self, raw: Any, area: str) -> tuple[StepDefinition, ...]:
        """Read a list of steps, or a mapping of name to step."""
        entries = raw or []
        if isinstance(raw, dict) and all(isinstance(step, dict) for step in raw.values()):
            entries = [{"name": name, **step} for name, step in raw.items()]
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self._lint(f"`{area}` must be a list or a mapping of steps", area)
            return ()
        return tuple(self._step(entry, number, area) for number, entry in enumerate(entries, 1))

    def _step(self, raw: dict[str, Any], number: int, area: str) -> StepDefinition:
        name = str(raw.get("name") or f"step-{number}")
        where = f"{area}.{name}"
        self._no_unknown(raw, _STEP_KEYS, where)
        self._lint_step(raw, where)
        commands = self._strings(raw, "commands", where)
        kind = {"clone": "clone", "services": "service"}.get(area) or ("commands" if commands else "plugin")
        return StepDefinition(
            name=name,
            image=str(raw.get("image", "")),
            type=kind,
            commands=commands,
            environment=self._mapping(raw, "environment", where),
            settings=self._mapping(raw, "settings", where),
            when=self._when(raw, where),
            depends_on=self._strings(raw, "depends_on", where) if "depends_on" in raw else None,
            failure=str(raw.get("failure", "fail")),
            detach=bool(raw.get("detach")) or kind == "service",
            directory=str(raw.get("directory", "")),
        )

    def _lint_step(self, raw: dict[str, Any], where: str) -> None:
        if not raw.get("image"):
            self._lint("Invalid or missing image", where)
        if raw.get("settings") and raw.get("commands"):
            self._lint("Cannot configure both `commands` and `settings`", where)
        if raw.get("secrets"):
            self._lint("Use `environment` with `from_secret` instead of `secrets`", where)
        if str(raw.get("failure", "fail")) not in {"fail", "ignore", "cancel"}:
            self._lint("`failure` must be one of fail, ignore, cancel", f"{where}.failure")

    def _dependencies_exist(self, steps: tuple[StepDefinition, ...]) -> None:
        names = {step.name for step in steps}
        for step in steps:
            if set(step.depends_on or ()) - names:
                where = f"steps.{step.name}.depends_on"
                self._lint("One or more of the specified dependencies do not exist", where)

    def _when(self, raw: dict[str, Any], where: str) -> When:
        try:
            return conditions.parse(raw.get("when"))
        except ConditionError as error:
            self._lint(f"invalid `when`: {error}", where)
            return ALWAYS

    def _strings(self, raw: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
        try:
            return strings(raw.get(key))
        except ConditionError as error:
            self._lint(f"invalid `{key}`: {error}", where)
            return ()

    def _mapping(self, raw: dict[str, Any], key: str, where: str) -> dict[str, Any]:
        value = raw.get(key) or {}
        if isinstance(value, list):
            value = dict(str(entry).partition("=")[::2] for entry in value)
        if not isinstance(value, dict):
            self._lint(f"`{key}` must be a mapping", where)
            return {}
        return {str(name): given for name, given in value.items()}

    def _no_unknown(self, raw: dict[str, Any], known: frozenset[str], where: str) -> None:
        for key in sorted(set(map(str, raw)) - known):
            self._lint(f"Additional property {key} is not allowed", f"{where}.{key}".lstrip("."), warning=True)

    def _bad_habits(self, when: When, steps: tuple[StepDefinition, ...]) -> None:
        """Warn of every step that runs on any event, unless the whole workflow names its events."""
        if when.conditions and all(one.events for one in when.conditions):
            return
        for step in steps:
            open_to_all = [at for at, one in enumerate(step.when.conditions) if not one.events]
            if not step.when.conditions:
                self._warn("bad_habit", _NO_EVENT, f"steps.{step.name}", "event-filter-for-all-steps")
            elif open_to_all:
                where = f"steps.{step.name}.when[{open_to_all[0]}]"
                self._warn("bad_habit", _SOME_EVENTS, where, "event-filter-for-all-steps")

    def _warn(self, kind: str, message: str, where: str, anchor: str) -> None:
        page = "workflow-syntax" if kind == "deprecation" else "linter"
        docs = f"https://woodpecker-ci.org/docs/usage/{page}#{anchor}"
        self.complaints.append(Complaint(kind, message, is_warning=True, file=self.file, field=where, docs=docs))

    def _lint(self, message: str, where: str, *, warning: bool = False) -> None:
        self.complaints.append(Complaint("linter", message, is_warning=warning, file=self.file, field=where))
