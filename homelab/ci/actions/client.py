"""Forgejo's and Gitea's Actions: one repository, as :class:`~homelab.ci.port.CiRepository`, by what its server can.

No password is ever used: what only the web pages can do is answered with the page. Layer: ci, client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from homelab.ci.actions import translate
from homelab.ci.actions.ask import LIMIT, NOT_FOUND
from homelab.ci.actions.control import ActionsControl
from homelab.ci.actions.kept import KeptPowers
from homelab.ci.actions.log import ActionsLog
from homelab.ci.actions.statuses import Told, told
from homelab.ci.actions.tasks import JobsOfRun, grouped, merged
from homelab.ci.fields import Json, integer, text
from homelab.ci.model import Facts, LogLine, Pipeline, State, Step, Workflow
from homelab.clock import Clock
from homelab.errors import CredentialsError, HomelabError, HttpStatus, NothingThere
from homelab.http.port import JsonHttp

#: A run whose state is folded from other answers is fetched again when those are older (seconds).
FRESH = 1.0
#: Rows of a list of runs or tasks that are looked through for what fits; one of Forgejo's may hold 100 kB.
LOOKED_THROUGH = 500
#: Tasks that are read for each run that is to be listed.
JOBS_A_RUN = 5
#: A commit may be stamped later than the server's clock when it arrives.
SKEW = 3600
FORGEJO_FOLDERS = (".forgejo/workflows", ".gitea/workflows", ".github/workflows")
GITEA_FOLDERS = FORGEJO_FOLDERS[1:]
#: Our events that are exactly one of theirs.
_ASKED_EVENTS = {"push": "push", "tag": "push", "cron": "schedule", "manual": "workflow_dispatch"}


class Actions(ActionsControl):
    """One repository on a Forgejo or Gitea server."""

    #: One push makes a run a workflow, written within a moment of each other.
    settle = 3.0
    skip_words = r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]"
    failure_mark = r"exitcode '\d+': failure|❌\s+Failure|⚙️ \[runner\]: |^context (?:canceled|deadline exceeded)$"
    cleanup_mark = r"^⭐ Run Post |^Cleaning up (?:services|container|network)|🏁\s+Job "

    def __init__(self, http: JsonHttp, slug: str, *, name: str, clock: Clock, kept: KeptPowers | None = None) -> None:
        """``slug`` is ``owner/name``; ``kept`` remembers what the server can be asked."""
        super().__init__(http, slug, name=name, kept=kept)
        self._clock = clock
        self._log = ActionsLog(self)
        self._ids: dict[int, int] = {}
        #: The earliest time that the runs of a commit were asked for since.
        self._since: dict[str, int] = {}
        #: Runs folded from statuses and tasks of one commit, and when.
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
        oid = oid.lower()
        self._since = {oid: min(since, self._since.get(oid, since))}
        rows = self._listed(oid) if self.powers().runs else None
        if rows is None:
            return self._fold(oid)
        runs = {run.number: run for run in map(self._run, rows) if run.commit == oid}
        seen = self._told(oid)
        self._folded_of, self._folded_at = oid, self._clock.monotonic()
        others = [self._target(seen.runs[number]) for number in seen.targets if number not in runs]
        self._folded = {run.number: run for run in (*others, *seen.foreign)}
        return _newest_first([*runs.values(), *others]) + list(seen.foreign)

    def _listed(self, oid: str) -> list[Json] | None:
        """Return the commit's rows; None where this token, or this server after all, gives no list of runs.

        Gitea 1.25 gives it to owners alone (fixed in 1.26), and to nobody without a token.
        """
        try:
            return list(self.rows("/actions/runs", "workflow_runs", {"head_sha": oid}))
        except (CredentialsError, HttpStatus) as error:
            self._without_runs(error)
            return None

    def _without_runs(self, error: HomelabError) -> None:
        """Go on by statuses and tasks. Raises ``error`` where it says nothing about the list of runs."""
        if isinstance(error, CredentialsError):
            self.lacks(runs=False, jobs=False, job_logs=False)
        elif isinstance(error, HttpStatus) and error.status == NOT_FOUND:
            self.learn(runs=False, jobs=False)
        else:
            raise error

    def _run(self, raw: Json) -> Pipeline:
        made = translate.run(raw, web=self.web, server=self.name)
        self._ids[made.number] = made.id
        return made

    def _target(self, run: Pipeline) -> Pipeline:
        """Return a run that only statuses tell of; their links hold its number, since Gitea 1.26 its id."""
        raw = self.get(f"/actions/runs/{run.number}", absent={})
        by_id = text(raw, "event").startswith("pull_request") and text(raw, "html_url").endswith(f"/runs/{run.number}")
        return replace(run, number=integer(raw, "run_number", "index_in_repo")) if by_id else run

    def run(self, number: int) -> Pipeline | None:
        """Return the run with its jobs; where the server has no jobs, those that its statuses and tasks tell of."""
        if number in self._folded or not self.powers().runs:
            return self._again(number)
        run_id = self._id_of(number)
        return self.run_by_id(run_id) if run_id is not None else None

    def run_by_id(self, run_id: int) -> Pipeline | None:
        """Return the run with this id, and its jobs."""
        raw = self.get(f"/actions/runs/{run_id}", absent=None)
        return self._with_jobs(self._run(raw)) if isinstance(raw, Mapping) else None

    def _id_of(self, number: int) -> int | None:
        """The API wants the id, people and pages say the number. Forgejo can be asked for it, Gitea only listed."""
        if number not in self._ids:
            rows = islice(self.rows("/actions/runs", "workflow_runs", {"run_number": number}), LOOKED_THROUGH)
            next((raw for raw in rows if self._run(raw).number == number), None)
        return self._ids.get(number)

    def _with_jobs(self, made: Pipeline) -> Pipeline:
        rows = self._job_rows(made.id) if self.powers().jobs else None
        if rows is None:
            return replace(made, workflows=self._told_jobs(made))
        flows = tuple(translate.job(raw) for raw in rows)
        made = replace(made, workflows=flows, attempt=max([made.attempt, *map(translate.attempt, rows)]))
        if made.state.finished and any(_moving(flow.state) for flow in flows):
            # A re-run began between the two answers: what the run's says is of the attempt before.
            return replace(made, state=State.RUNNING, said=State.RUNNING.value, finished=0)
        if made.state.failing and not flows:
            return replace(made, errors=("it has no job: its workflow file is probably not valid",))
        return made

    def _job_rows(self, run_id: int) -> list[Json] | None:
        """Return the jobs' rows; None where the server has no such call after all, or refuses it."""
        try:
            return list(self.rows(f"/actions/runs/{run_id}/jobs", "jobs"))
        except CredentialsError:
            self.lacks(jobs=False, job_logs=False)
        except HttpStatus as error:
            if error.status != NOT_FOUND:
                raise
            self.learn(jobs=False, job_logs=False)
        return None

    def _told_jobs(self, made: Pipeline) -> tuple[Workflow, ...]:
        """Return the jobs that statuses tell of, with their tasks' states; a schedule has tasks alone."""
        seen = self._told(made.commit).runs
        base = seen.get(made.number) or (seen.get(made.id) if made.id not in self._ids else None)
        tasks = self._tasks(made.commit).get(made.number) if self.powers().tasks else None
        if tasks is None:
            return base.workflows if base is not None else ()
        return merged(base, *tasks).workflows

    def _fold(self, oid: str) -> list[Pipeline]:
        """Levels A and B: statuses tell which jobs there are, tasks what those that began really do."""
        seen = self._told(oid)
        runs = dict(seen.runs)
        if self.powers().tasks:
            for number, (made, flows) in self._tasks(oid).items():
                runs[number] = merged(runs.get(number), made, flows)
        self._folded = runs | {run.number: run for run in seen.foreign}
        self._folded_at, self._folded_of = self._clock.monotonic(), oid
        return _newest_first(runs.values()) + list(seen.foreign)

    def _tasks(self, oid: str) -> dict[int, JobsOfRun]:
        """Return the commit's tasks by run number and job. Newest come first: one older than the push is the last."""
        since, rows = self._since.get(oid, 0) - SKEW, []
        for raw in islice(self.rows("/actions/tasks", "workflow_runs"), LOOKED_THROUGH):
            if translate.stamp(raw, "created_at") < since:
                break
            rows += [raw] if text(raw, "head_sha").lower() == oid else []
        return grouped(rows, web=self.web, server=self.name)

    def _again(self, number: int) -> Pipeline | None:
        if self._folded_of and self._clock.monotonic() - self._folded_at > FRESH:
            self.runs_of(self._folded_of)
        if number not in self._folded and not self.powers().runs and self.powers().tasks:
            rows = islice(self.rows("/actions/tasks", "workflow_runs"), LOOKED_THROUGH)
            mine = next((raw for raw in rows if integer(raw, "run_number") == number), {})
            if mine:
                self.runs_of(text(mine, "head_sha"))
        return self._folded.get(number)

    def _told(self, oid: str) -> Told:
        """Read every page of the combined status: its own ``state`` is computed from one page alone."""
        rows = self.rows(f"/commits/{oid}/status", "statuses", absent={})
        return told(rows, oid=oid, web=self.web, server=self.name, host=self.host)

    def latest(self, branch: str) -> Pipeline | None:
        """Return the branch's newest push run; None where the server gives no list of runs."""
        powers = self.powers()
        return next(iter(self.recent(1, event="push", branch=branch)), None) if powers.runs or powers.tasks else None

    def recent(
        self, limit: int, *, event: str = "", branch: str = "", state: State | None = None
    ) -> Sequence[Pipeline]:
        """Return the newest runs that fit. Raises NothingThere where the server gives no list of any kind."""
        if not self.powers().runs and not self.powers().tasks:
            raise NothingThere(
                f"{self.name} gives no list of runs by call",
                why="its API description has none (Forgejo has one from 8, Gitea from 1.23)",
                fix=f"open {self.web}/actions",
            )
        try:
            return self._recent(limit, event, branch, state)
        except (CredentialsError, HttpStatus) as error:
            if not self.powers().runs:
                raise
            self._without_runs(error)
            return self.recent(limit, event=event, branch=branch, state=state)

    def _recent(self, limit: int, event: str, branch: str, state: State | None) -> Sequence[Pipeline]:
        rows = self._recent_runs(event) if self.powers().runs else self._recent_tasks(limit)
        fitting = (
            run
            for run in rows
            if event in {"", run.event} and branch in {"", run.branch} and state in {None, run.state}
        )
        return list(islice(fitting, limit))

    def _recent_runs(self, event: str) -> Iterator[Pipeline]:
        asked = {"event": _ASKED_EVENTS[event]} if event in _ASKED_EVENTS else {}
        return map(self._run, islice(self.rows("/actions/runs", "workflow_runs", asked), LOOKED_THROUGH))

    def _recent_tasks(self, limit: int) -> Iterator[Pipeline]:
        """Yield the runs that tasks tell of. A task is one job that began; the statuses know the others."""
        most = min(max(limit * JOBS_A_RUN, LIMIT), LOOKED_THROUGH)
        told: dict[str, Told] = {}
        rows = islice(self.rows("/actions/tasks", "workflow_runs"), most)
        for number, (made, flows) in grouped(rows, web=self.web, server=self.name).items():
            seen = told.get(made.commit) or told.setdefault(made.commit, self._told(made.commit))
            yield merged(seen.runs.get(number), made, flows)

    def log(self, pipeline: Pipeline, workflow: Workflow, step: Step, *, first: int = 0) -> Iterator[LogLine]:
        """Yield the job's log; asked again for later lines, only the rest of it is fetched."""
        return self._log.read(pipeline, workflow, step, first=first)

    def failed_log(self, pipeline: Pipeline, workflow: Workflow, step: Step) -> Iterator[LogLine]:
        """Yield the failing step's log where the server gives one step's, else the job's."""
        return self._log.failed(pipeline, workflow, step, mark=self.failure_mark)

    def live(self, pipeline: Pipeline, workflow: Workflow, step: Step) -> None:
        """The servers stream no logs: reading again is the only way."""

    def changes(self) -> None:
        """The servers stream no events."""


def _moving(state: State) -> bool:
    return not state.finished and state is not State.UNKNOWN


def _newest_first(runs: Iterable[Pipeline]) -> list[Pipeline]:
    return sorted(runs, key=lambda run: run.number, reverse=True)
