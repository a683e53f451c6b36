"""What a Forgejo or Gitea can be asked, read from its own API description, never from its version. Layer: ci.

Four levels: A commit statuses only, B and tasks, C and runs by commit, D and jobs with logs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from homelab.errors import HttpStatus, Unreachable, WrongService
from homelab.http.port import JsonHttp

_RUNS = "/actions/runs"
_JOB_LOG = "/actions/jobs/{}/logs"


@dataclass(frozen=True, slots=True)
class Powers:
    """Which calls the server has."""

    tasks: bool = False
    runs: bool = False
    jobs: bool = False
    job_logs: bool = False
    #: The log call takes ``step`` and ``attempt``.
    log_steps: bool = False
    log_attempts: bool = False
    rerun: bool = False
    cancel: bool = False
    dispatch: bool = False
    #: Found out by trying, for want of a description: what was not tried is taken to be there.
    tried: bool = False

    @property
    def level(self) -> str:
        """``A`` to ``D``."""
        if self.runs:
            return "D" if self.jobs and self.job_logs else "C"
        return "B" if self.tasks else "A"


def described(description: Any) -> Powers:
    """Read the paths of a swagger 2.0 description."""
    raw = description.get("paths") if isinstance(description, Mapping) else None
    calls: dict[str, frozenset[str]] = {}
    for path, methods in (raw or {}).items():
        bare = re.sub(r"\{[^}]*\}", "{}", str(path)).removeprefix("/repos/{}/{}")
        for method, operation in methods.items() if isinstance(methods, Mapping) else ():
            calls[f"{method.upper()} {bare}"] = _parameters(operation)
    log = calls.get(f"GET {_JOB_LOG}", frozenset())
    return Powers(
        tasks="GET /actions/tasks" in calls,
        runs=f"GET {_RUNS}" in calls,
        jobs=f"GET {_RUNS}/{{}}/jobs" in calls,
        job_logs=f"GET {_JOB_LOG}" in calls,
        log_steps="step" in log,
        log_attempts="attempt" in log,
        rerun=f"POST {_RUNS}/{{}}/rerun" in calls,
        cancel=f"POST {_RUNS}/{{}}/cancel" in calls,
        dispatch="POST /actions/workflows/{}/dispatches" in calls,
    )


def _parameters(operation: Any) -> frozenset[str]:
    rows = operation.get("parameters") if isinstance(operation, Mapping) else None
    named = rows if isinstance(rows, Sequence) else ()
    return frozenset(str(row.get("name")) for row in named if isinstance(row, Mapping) and row.get("in") == "query")


def powers(http: JsonHttp, repository: str) -> Powers:
    """Ask the server; where its description is switched off, try what matters. ``repository`` is its API path."""
    try:
        found = described(http.get("/swagger.v1.json"))
        if found != Powers():
            return found
    except (HttpStatus, WrongService):
        pass
    return _tried(http, repository)


def _tried(http: JsonHttp, repository: str) -> Powers:
    """Jobs and writes cannot be tried without a run: they are taken to be there, and a 404 then teaches otherwise."""
    guessed = Powers(job_logs=True, rerun=True, cancel=True, dispatch=True, tried=True)
    if _answers(http, f"{repository}{_RUNS}"):
        return replace(guessed, tasks=True, runs=True, jobs=True)
    return replace(guessed, tasks=_answers(http, f"{repository}/actions/tasks"), job_logs=False)


def _answers(http: JsonHttp, path: str) -> bool:
    try:
        http.get(path, params={"limit": 1})
    except HttpStatus as error:
        if error.status >= 500:  # noqa: PLR2004 -- the server's own trouble says nothing about its calls
            raise
        return False
    except Unreachable:
        raise
    return True
