"""One workflow file, read: what sets it off, its jobs, their steps. Pure.

Sources: Gitea modules/actions/workflows.go, modules/actions/jobparser; Forgejo likewise.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from homelab.lab.woodpecker.definition import ConfigRefused, load_yaml
from homelab.lab.woodpecker.when import fits

#: Words in a message that ask for no run, unless the server is told others.
SKIP_WORDS = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")


class WorkflowRefused(Exception):
    """The file is no workflow; the text says why."""


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """One step: ``run`` commands, or ``uses`` an action."""

    name: str
    run: str = ""
    uses: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    shell: str = ""
    directory: str = ""
    condition: str = ""
    continue_on_error: bool = False


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """One job, for one cell of its matrix."""

    key: str
    name: str
    steps: tuple[StepDefinition, ...]
    needs: tuple[str, ...] = ()
    runs_on: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    matrix: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    timeout: float = 360.0


@dataclass(frozen=True, slots=True)
class WorkflowDefinition:
    """One file. ``on`` maps an event to its filters."""

    file: str
    name: str
    on: Mapping[str, Mapping[str, Any]]
    jobs: tuple[JobDefinition, ...]
    #: Whether a newer push of the same ref cancels an unfinished run, as it does unless the file says otherwise.
    cancel_in_progress: bool = True


@dataclass(frozen=True, slots=True)
class Cause:
    """What happened: the event, where, and which files it changed."""

    event: str
    ref: str
    branch: str = ""
    changed_files: tuple[str, ...] = ()


def parse(text: str, path: str) -> WorkflowDefinition:
    """Read one file. WorkflowRefused says what is wrong with it."""
    try:
        raw = load_yaml(text)
    except ConfigRefused as error:
        raise WorkflowRefused(str(error)) from error
    if not isinstance(raw, dict) or not isinstance(raw.get("jobs"), dict) or not raw["jobs"]:
        raise WorkflowRefused("there are no jobs")
    file = posixpath.basename(path)
    common = _words(raw.get("env"))
    jobs = tuple(job for key, one in raw["jobs"].items() for job in _jobs(str(key), one, common))
    keys = {job.key for job in jobs}
    for job in jobs:
        if missing := set(job.needs) - keys:
            raise WorkflowRefused(f"job {job.key} needs {', '.join(sorted(missing))}, which is not there")
    concurrency = raw.get("concurrency")
    cancel = concurrency.get("cancel-in-progress", False) if isinstance(concurrency, dict) else concurrency is None
    return WorkflowDefinition(file, str(raw.get("name") or file), _events(raw.get("on")), jobs, bool(cancel))


def _events(raw: Any) -> dict[str, dict[str, Any]]:
    if isinstance(raw, str):
        return {raw: {}}
    if isinstance(raw, list):
        return {str(event): {} for event in raw}
    if isinstance(raw, dict):
        return {str(event): filters if isinstance(filters, dict) else {} for event, filters in raw.items()}
    raise WorkflowRefused("`on` names no event")


def _jobs(key: str, raw: Any, common: Mapping[str, str]) -> list[JobDefinition]:
    if not isinstance(raw, dict) or not isinstance(raw.get("steps"), list):
        raise WorkflowRefused(f"job {key} has no steps")
    steps = tuple(_step(key, number, step) for number, step in enumerate(raw["steps"]))
    cells = _cells((raw.get("strategy") or {}).get("matrix") if isinstance(raw.get("strategy"), dict) else None)
    name = str(raw.get("name") or key)
    return [
        JobDefinition(
            key=key,
            name=name if not cell else f"{name} ({', '.join(cell.values())})",
            steps=steps,
            needs=_list(raw.get("needs")),
            runs_on=_list(raw.get("runs-on")),
            env={**common, **_words(raw.get("env"))},
            matrix=cell,
            condition=str(raw.get("if", "")),
            timeout=float(raw.get("timeout-minutes", 360)),
        )
        for cell in cells
    ]


def _step(key: str, number: int, raw: Any) -> StepDefinition:
    if not isinstance(raw, dict) or not ({"run", "uses"} & set(raw)):
        raise WorkflowRefused(f"step {number} of job {key} neither runs commands nor uses an action")
    run, uses = str(raw.get("run", "")), str(raw.get("uses", ""))
    return StepDefinition(
        name=str(raw.get("name") or (f"Run {run.splitlines()[0]}" if run else f"Run {uses}")),
        run=run,
        uses=uses,
        given=_words(raw.get("with")),
        env=_words(raw.get("env")),
        shell=str(raw.get("shell", "")),
        directory=str(raw.get("working-directory", "")),
        condition=str(raw.get("if", "")),
        continue_on_error=bool(raw.get("continue-on-error", False)),
    )


def _cells(matrix: Any) -> list[dict[str, str]]:
    if not isinstance(matrix, dict):
        return [{}]
    axes = {str(axis): _list(values) for axis, values in matrix.items() if axis not in {"include", "exclude"}}
    cells = [dict(zip(axes, cell, strict=True)) for cell in itertools.product(*axes.values())] if axes else []
    extra = [_words(cell) for cell in matrix.get("include") or ()]
    return [*cells, *extra] or [{}]


def _list(raw: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in raw) if isinstance(raw, list) else (str(raw),) if raw is not None else ()


def _words(raw: Any) -> dict[str, str]:
    from homelab.lab.actions.expressions import spoken

    return {str(name): spoken(value) for name, value in raw.items()} if isinstance(raw, dict) else {}


def wants(on: Mapping[str, Mapping[str, Any]], cause: Cause) -> bool:
    """Return whether an event sets the file off."""
    filters = on.get(cause.event)
    if filters is None:
        return False
    if cause.event != "push":
        return _passes(filters, "branches", cause.branch)
    if cause.ref.startswith("refs/tags/"):
        named = "tags" in filters or "tags-ignore" in filters
        branches_only = not named and ("branches" in filters or "branches-ignore" in filters)
        return not branches_only and _passes(filters, "tags", cause.ref.removeprefix("refs/tags/"))
    if ("tags" in filters or "tags-ignore" in filters) and not {"branches", "branches-ignore"} & set(filters):
        return False
    return _passes(filters, "branches", cause.branch) and _touches(filters, cause.changed_files)


def _passes(filters: Mapping[str, Any], key: str, word: str) -> bool:
    """Judge ``branches``/``tags`` and their ``-ignore``; a later pattern overrules, ``!`` takes back."""
    if f"{key}-ignore" in filters and matches(_list(filters[f"{key}-ignore"]), word):
        return False
    return key not in filters or matches(_list(filters[key]), word)


def _touches(filters: Mapping[str, Any], files: Sequence[str]) -> bool:
    if "paths-ignore" in filters and files and all(matches(_list(filters["paths-ignore"]), file) for file in files):
        return False
    return "paths" not in filters or any(matches(_list(filters["paths"]), file) for file in files)


def matches(patterns: Sequence[str], word: str) -> bool:
    """Match a list of globs from first to last."""
    found = False
    for pattern in patterns:
        if fits(pattern.removeprefix("!"), word):
            found = not pattern.startswith("!")
    return found


def asks_to_skip(message: str) -> bool:
    """Return whether the message holds one of the words that ask for no run."""
    return re.search("|".join(map(re.escape, SKIP_WORDS)), message) is not None
