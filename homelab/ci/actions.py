"""Forgejo's and Gitea's Actions: one repository, as :class:`~homelab.ci.port.CiRepository`, by what its server can.

Facts are from the servers' routers and swagger files (gitea 1.19–1.27, forgejo 7–16). No password is
ever used: what only the web pages can do is answered with the page. Layer: ci, client.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from homelab.ci import actions_json as translate
from homelab.ci.actions_control import ActionsControl
from homelab.ci.actions_log import ActionsLog
from homelab.ci.fields import Json, integer, items, text
from homelab.ci.model import Facts, LogLine, Pipeline, State, Step, Workflow
from homelab.clock import Clock
from homelab.errors import HttpStatus
from homelab.http.port import JsonHttp, Params

#: The servers cap a page here without an error; the default is 30.
LIMIT = 50
MAX_PAGES = 20
#: A run whose state is folded from other answers is fetched again when those are older (seconds).
FRESH = 1.0
SKEW = 3600
FORGEJO_FOLDERS = (".forgejo/workflows", ".gitea/workflows", ".github/workflows")
GITEA_FOLDERS = FORGEJO_FOLDERS[1:]
NOT_FOUND = 404


class Actions(ActionsControl):
    """One repository on a Forgejo or Gitea server."""

    #: One push makes a run a workflow, written within a moment of each other.
    settle = 3.0
    skip_words = r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]"
    failure_mark = r"exitcode '\d+': failure|❌\s+Failure|🏁\s+Job failed"

    def __init__(self, http: JsonHttp, slug: str, *, name: str, clock: Clock) -> None:
        """``slug`` is ``owner/name``."""
        super().__init__(http, slug, name=name)
        self._clock = clock
        self._log = ActionsLog(self)
        self._ids: dict[int, int] = {}
        #: Levels A and B: the runs folded from statuses and tasks of one commit, and when.
        self._folded: dict[int, Pipeline] = {}
        self._folded_at = 0.0
        self._folded_of = ""

    def facts(self) -> Facts:
        """Return what the server says of the repository. No Actions, or an archive: nothing will run."""
        raw = self.repository()
        rights = raw.get("permissions")
        return Facts(
            slug=text(raw, "full_name") or self.slug,
            url=f"{self.web}/actions",
            active=raw.get("has_actions") is not False and not raw.get("archived"),
            default_branch=text(raw, "default_branch"),
            config_paths=FORGEJO_FOLDERS if self.forgejo() else GITEA_FOLDERS,
            may_write=bool(rights.get("push")) if isinstance(rights, Mapping) else False,
        )

    def activate_url(self) -> str:
        """Return the page with the repository's units."""
        return f"{self.web}/settings"

    def runs_of(self, oid: str, *, since: int = 0) -> Sequence[Pipeline]:
        """Return the commit's runs from the best source there is; each one's own sha is compared."""
        del since
        self.repository()
        if not self.powers().runs:
            return self._fold(oid)
        found = self._page("/actions/runs", "workflow_runs", {"head_sha": oid})
        runs = [translate.run(raw, web=self.web, server=self.name) for raw in found]
        self._ids |= {run.number: run.id for run in runs}
        # A newer attempt keeps number and id, so each number is there once.
        mine = [run for run in runs if run.commit == oid.lower()]
        return sorted(mine, key=lambda run: run.number, reverse=True) + self._foreign(oid)

    def _foreign(self, oid: str) -> list[Pipeline]:
        return [run for run in self._from_statuses(oid) if run.event == "status"]

    def run(self, number: int) -> Pipeline | None:
        """Return the run with its jobs; where the server has no jobs, those that its statuses tell of."""
        if not self.powers().runs or self._folded.get(number, _NONE).event == "status":
            return self._again(number)
        run_id = self._id_of(number)
        if run_id is None:
            return None
        try:
            made = translate.run(self.get(f"/actions/runs/{run_id}"), web=self.web, server=self.name)
        except HttpStatus as error:
            if error.status != NOT_FOUND:
                raise
            return None
        return replace(made, workflows=self._jobs(made))

    def _id_of(self, number: int) -> int | None:
        """The API wants the id, people and pages say the number."""
        if number not in self._ids:
            for raw in self._page("/actions/runs", "workflow_runs", {}, pages=4):
                self._ids.setdefault(integer(raw, "run_number", "index_in_repo"), integer(raw, "id"))
                if number in self._ids:
                    break
        return self._ids.get(number)

    def _jobs(self, made: Pipeline) -> tuple[Workflow, ...]:
        if self.powers().jobs:
            try:
                return tuple(translate.job(raw) for raw in self._job_rows(made.id))
            except HttpStatus as error:
                if error.status != NOT_FOUND:
                    raise
                self.learn(jobs=False, job_logs=False)
        told = [run for run in self._from_statuses(made.commit) if run.number in {made.number, made.id}]
        return told[0].workflows if told else ()

    def _job_rows(self, run_id: int) -> list[Json]:
        """Gitea pages an object, Forgejo answers a plain array."""
        first = self.get(f"/actions/runs/{run_id}/jobs", {"limit": LIMIT, "page": 1})
        if isinstance(first, list):
            return items(first)
        return self._page(f"/actions/runs/{run_id}/jobs", "jobs", {}, first=first)

    def _page(
        self, path: str, key: str, params: Params, *, first: Json | None = None, pages: int = MAX_PAGES
    ) -> list[Json]:
        rows: list[Json] = []
        for page in range(1, pages + 1):
            asked = {**params, "limit": LIMIT, "page": page}
            body = first if first is not None and page == 1 else self.get(path, asked)
            found = items(body.get(key) if isinstance(body, Mapping) else body)
            rows += found
            if len(found) < LIMIT:
                break
        return rows

    def _fold(self, oid: str) -> list[Pipeline]:
        """Levels A and B: statuses tell which jobs there are, tasks what those that began really do."""
        runs = {run.number: run for run in self._from_statuses(oid)}
        if self.powers().tasks:
            for made, flows in self._tasks(oid).items():
                runs[made] = self._merged(runs.get(made), *flows)
        self._folded, self._folded_at, self._folded_of = runs, self._clock.monotonic(), oid
        return sorted(runs.values(), key=lambda run: run.number, reverse=True)

    def _merged(self, run: Pipeline | None, told: Pipeline, tasks: Mapping[str, Workflow]) -> Pipeline:
        base = run or told
        names = {flow.name for flow in base.workflows}
        flows = [self._better(flow, tasks.get(flow.name)) for flow in base.workflows]
        flows += [flow for name, flow in tasks.items() if name not in names]
        base = replace(
            base, branch=told.branch, ref=told.ref, source=told.source, created=told.created, title=told.title
        )
        return translate.with_jobs(base, flows)

    def _better(self, flow: Workflow, task: Workflow | None) -> Workflow:
        """A status keeps the job's place in its run, a task its true state."""
        if task is None or (flow.state is State.PENDING and task.state.finished):
            # A re-run's job waits again while the task of its first attempt is still listed.
            return flow
        step = replace(flow.steps[0], state=task.state, started=task.started, finished=task.finished)
        return replace(flow, state=task.state, started=task.started, finished=task.finished, steps=(step,))

    def _tasks(self, oid: str) -> dict[int, tuple[Pipeline, dict[str, Workflow]]]:
        """Return the commit's tasks by run number and job; of a job's attempts the newest, which come first."""
        found: dict[int, tuple[Pipeline, dict[str, Workflow]]] = {}
        for raw in self._page("/actions/tasks", "workflow_runs", {}, pages=4):
            if text(raw, "head_sha").lower() != oid:
                continue
            made, flow = translate.task(raw, web=self.web, server=self.name)
            found.setdefault(made.number, (made, {}))[1].setdefault(flow.name, flow)
        return found

    def _again(self, number: int) -> Pipeline | None:
        if self._folded_of and self._clock.monotonic() - self._folded_at > FRESH:
            self.runs_of(self._folded_of)
        return self._folded.get(number)

    def _from_statuses(self, oid: str) -> list[Pipeline]:
        """Read every page of the combined status: its own ``state`` is computed from one page alone."""
        rows: dict[str, Json] = {}
        for page in range(1, MAX_PAGES + 1):
            body = self.get(f"/commits/{oid}/status", {"limit": LIMIT, "page": page}, absent={})
            found = items(body.get("statuses"))
            for raw in found:
                kept = rows.setdefault(text(raw, "context"), raw)
                if integer(raw, "id") > integer(kept, "id"):
                    rows[text(raw, "context")] = raw
            if len(found) < LIMIT:
                break
        runs = translate.from_statuses(rows.values(), oid=oid, web=self.web, server=self.name, host=self.host)
        self._folded |= {run.number: run for run in runs if run.event == "status"}
        self._folded_of = self._folded_of or oid
        return runs

    def latest(self, branch: str) -> Pipeline | None:
        """Return the branch's newest push run."""
        return next(iter(self.recent(1, event="push", branch=branch)), None)

    def recent(
        self, limit: int, *, event: str = "", branch: str = "", state: State | None = None
    ) -> Sequence[Pipeline]:
        """Return the newest runs that fit; below level C those that tasks tell of, else none."""
        powers = self.powers()
        if not powers.runs and not powers.tasks:
            return ()
        path = "/actions/runs" if powers.runs else "/actions/tasks"
        found: dict[int, Pipeline] = {}
        for raw in self._page(path, "workflow_runs", {}, pages=2):
            run = translate.run(raw, web=self.web, server=self.name)
            fits = event in {"", run.event} and branch in {"", run.branch} and state in {None, run.state}
            if fits:
                found.setdefault(run.number, run)
        return list(found.values())[:limit]

    def log(self, pipeline: Pipeline, workflow: Workflow, step: Step, *, first: int = 0) -> Iterator[LogLine]:
        """Yield the job's log; asked again for later lines, only the rest of it is fetched."""
        return self._log.read(pipeline, step, first=first)

    def live(self, pipeline: Pipeline, workflow: Workflow, step: Step) -> None:
        """The servers stream no logs: reading again is the only way."""

    def changes(self) -> None:
        """The servers stream no events."""


_NONE = Pipeline(number=0, commit="", event="", branch="", state=State.UNKNOWN, url="")
