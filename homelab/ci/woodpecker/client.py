"""Woodpecker over JSON: one repository of one server, as :class:`~homelab.ci.port.CiRepository`.

Facts are from the server's own source (woodpecker server/api/*.go, server/router/api.go), 3.x with
2.x names where cheap. Layer: ci, client; uses the HTTP port it is handed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from homelab.ci.model import Facts, LogLine, Pipeline, State, Step, Workflow
from homelab.ci.port import Hint
from homelab.ci.woodpecker import translate
from homelab.ci.woodpecker.control import BAD_REQUEST, FORBIDDEN, NOT_FOUND, UNAUTHORIZED, WoodpeckerControl
from homelab.ci.woodpecker.log import WoodpeckerLive, stored
from homelab.errors import HttpStatus, PermissionMissing
from homelab.http.port import JsonHttp, Params

#: Every routed response carries it (server/router/middleware/version.go); a portal's page does not.
FINGERPRINT = "x-woodpecker-version"
#: The server's own maximum; more is silently read as this (server/router/middleware/session/pagination.go).
PER_PAGE = 50
#: 1000 runs back: further than any commit one waits for.
MAX_PAGES = 20
#: Pings come every 30 s; two missed ones and the connection is dead.
STREAM_IDLE = 75.0
#: A commit may be stamped later than the server's clock when it arrives.
SKEW = 3600
#: States every 3.x knows as a filter; another word is a 400 on those that do not.
_FILTERED = {State.SUCCESS, State.FAILURE, State.KILLED, State.RUNNING, State.PENDING, State.BLOCKED, State.ERROR}
#: server/forge/common/status.go.
RUN_PAGE = re.compile(r"/repos/(?P<repo>\d{1,18})/pipeline/(?P<number>\d{1,18})(?:[/#?]|$)")


class WoodpeckerChanges:
    """The server's event stream, of which only this repository's events are ours."""

    def __init__(self, http: JsonHttp, repo_id: int) -> None:
        """``http`` is ours alone: closing it ends the stream."""
        self.http = http
        self._repo_id = repo_id

    def __iter__(self) -> Iterator[Hint]:
        """Yield a hint once open and for each event; every public repository's arrive, other ids are dropped."""
        headers = {"Accept-Encoding": "identity"}
        with self.http.stream("/api/stream/events", idle=STREAM_IDLE, headers=headers) as events:
            yield Hint(number=0)
            for event in events:
                hint = self._hint(event.data)
                if hint is not None:
                    yield hint

    def _hint(self, data: str) -> Hint | None:
        try:
            said = json.loads(data)
            if int(said["repo"]["id"]) != self._repo_id:
                return None
            return Hint(number=int(said["pipeline"]["number"]), commit=str(said["pipeline"].get("commit") or ""))
        except (ValueError, TypeError, KeyError):
            return None

    def close(self) -> None:
        """End the stream."""
        self.http.close()


class Woodpecker(WoodpeckerControl):
    """One repository on a Woodpecker server."""

    #: A push makes exactly one pipeline, holding every workflow: the set is complete when it is seen.
    settle = 0.0
    failure_mark = cleanup_mark = ""
    #: server/pipeline/create.go: spaces between the words only, or none.
    skip_words = r"\[(?i:ci *skip|skip *ci)\]"

    def owns(self, url: str) -> bool:
        """Say whether a commit status with this page is ours."""
        return self.number_at(url) > 0

    def number_at(self, url: str) -> int:
        """Read ``…/repos/{id}/pipeline/{number}``, the page a commit status names; 0 for another repository's.

        Any host is taken: the server's public name may be another than ours for it. The run it names
        is asked for here, and its commit compared.
        """
        found = RUN_PAGE.search(url)
        return int(found["number"]) if found and int(found["repo"]) == self.known_id else 0

    def facts(self) -> Facts:
        """Return the repository's settings and whether this token may push to it."""
        return translate.facts(self.get(""), url=self.web, may_write=self.may_write())

    def runs_of(self, oid: str, *, since: int = 0) -> Sequence[Pipeline]:
        """Page through the newest runs; there is no lookup by commit, so each row's own sha is compared."""
        runs: dict[int, Pipeline] = {}
        for page in range(1, MAX_PAGES + 1):
            read = self.rows({"page": page, "perPage": PER_PAGE})
            runs |= {run.number: run for run in read if run.commit == oid.lower()}
            if len(read) < PER_PAGE or min(run.created for run in read) < since - SKEW:
                break
        return [runs[number] for number in sorted(runs, reverse=True)]

    def run(self, number: int) -> Pipeline | None:
        """Return one run with its workflows; None when it vanished (filtered after it was created)."""
        return self.one(f"/pipelines/{number}")

    def latest(self, branch: str) -> Pipeline | None:
        """Return the newest push run of ``branch``: the server's ``latest`` knows pushes only."""
        return self.one("/pipelines/latest", {"branch": branch})

    def recent(
        self, limit: int, *, event: str = "", branch: str = "", state: State | None = None
    ) -> Sequence[Pipeline]:
        """Return the newest runs that fit. The filters are 3.0's; 2.x ignores them, so each row is compared."""
        asked = {"event": event, "branch": branch, "status": state.value if state in _FILTERED else ""}
        params: Params = {name: value for name, value in asked.items() if value}
        found: list[Pipeline] = []
        for page in range(1, MAX_PAGES + 1):
            try:
                read = self.rows({"page": page, "perPage": PER_PAGE, **params})
            except HttpStatus as error:
                if error.status != BAD_REQUEST or not params:
                    raise
                # A server that does not know an event or a state yet refuses it as a filter.
                return self._unfiltered(limit, event=event, branch=branch, state=state)
            found += [run for run in read if _fits(run, event=event, branch=branch, state=state)]
            if len(read) < PER_PAGE or len(found) >= limit:
                break
        return found[:limit]

    def _unfiltered(self, limit: int, *, event: str, branch: str, state: State | None) -> Sequence[Pipeline]:
        fits = (run for run in self.recent(MAX_PAGES * PER_PAGE) if _fits(run, event=event, branch=branch, state=state))
        return list(fits)[:limit]

    def log(self, pipeline: Pipeline, workflow: Workflow, step: Step, *, first: int = 0) -> Iterator[LogLine]:
        """Yield the stored log; null means none (skipped, deleted, or not arrived yet)."""
        del workflow
        path = f"/api/repos/{self.repo_id()}/logs/{pipeline.number}/{step.id}"
        try:
            yield from stored(self.http, path, first=first, budget=self.budget)
        except HttpStatus as error:
            if error.status == NOT_FOUND:
                return
            if error.status not in {UNAUTHORIZED, FORBIDDEN}:
                raise
            raise PermissionMissing(
                f"{self.name} does not show the log of {step.name}",
                why=f"GET {path} answered {error.status}",
                fix=f"open {pipeline.url}",
            ) from error

    def failed_log(self, pipeline: Pipeline, workflow: Workflow, step: Step) -> Iterator[LogLine]:
        """Yield the step's own log: it holds nothing else."""
        return self.log(pipeline, workflow, step)

    def live(self, pipeline: Pipeline, workflow: Workflow, step: Step) -> WoodpeckerLive:
        """Open the log stream of a running step, on a connection of its own."""
        del workflow
        repo_id = self.repo_id()
        return WoodpeckerLive(self.second(), f"/api/stream/logs/{repo_id}/{pipeline.number}/{step.id}")

    def changes(self) -> WoodpeckerChanges:
        """Open the server's event stream on a connection of its own."""
        return WoodpeckerChanges(self.second(), self.repo_id())


def _fits(run: Pipeline, *, event: str, branch: str, state: State | None) -> bool:
    return event in {"", run.event} and branch in {"", run.branch} and state in {None, run.state}
