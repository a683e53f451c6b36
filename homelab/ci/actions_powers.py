"""What a Forgejo or Gitea can be asked, read from its own API description, never from its version. Layer: ci.

Four levels: A commit statuses only, B and tasks, C and runs by commit, D and jobs with logs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homelab.errors import HttpStatus, Unreachable, WrongService
from homelab.http.port import JsonHttp

_RUNS = "/actions/runs"


@dataclass(frozen=True, slots=True)
class Powers:
    """Which calls the server has."""

    tasks: bool = False
    runs: bool = False
    jobs: bool = False
    job_logs: bool = False
    rerun: bool = False
    cancel: bool = False
    dispatch: bool = False
    workflows: bool = False

    @property
    def level(self) -> str:
        """``A`` to ``D``."""
        if self.runs:
            return "D" if self.jobs and self.job_logs else "C"
        return "B" if self.tasks else "A"


def described(description: Any) -> Powers:
    """Read the paths of a swagger 2.0 description."""
    raw = description.get("paths") if isinstance(description, Mapping) else None
    paths: set[str] = set()
    for path, methods in (raw or {}).items():
        bare = re.sub(r"\{[^}]*\}", "{}", str(path)).removeprefix("/repos/{}/{}")
        paths |= {f"{method.upper()} {bare}" for method in methods} if isinstance(methods, Mapping) else set()
    return Powers(
        tasks="GET /actions/tasks" in paths,
        runs=f"GET {_RUNS}" in paths,
        jobs=f"GET {_RUNS}/{{}}/jobs" in paths,
        job_logs="GET /actions/jobs/{}/logs" in paths,
        rerun=f"POST {_RUNS}/{{}}/rerun" in paths,
        cancel=f"POST {_RUNS}/{{}}/cancel" in paths,
        dispatch="POST /actions/workflows/{}/dispatches" in paths,
        workflows="GET /actions/workflows" in paths,
    )


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
    """Jobs cannot be tried without a run: they are taken to be there, and a 404 then teaches otherwise."""
    if _answers(http, f"{repository}{_RUNS}"):
        return Powers(tasks=True, runs=True, jobs=True, job_logs=True)
    return Powers(tasks=_answers(http, f"{repository}/actions/tasks"))


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
