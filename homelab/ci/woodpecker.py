"""Woodpecker over JSON: one repository of one server, as :class:`~homelab.ci.port.CiRepository`.

Facts are from the server's own source (woodpecker server/api/*.go, server/router/api.go), 3.x with
2.x names where cheap. Layer: ci, client; uses the HTTP port it is handed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from homelab.ci import woodpecker_json as translate
from homelab.ci.model import Facts, LogLine, Pipeline, State, Step, Workflow
from homelab.ci.port import Hint
from homelab.ci.woodpecker_log import WoodpeckerLive, stored
from homelab.errors import HttpStatus, NothingThere, PermissionMissing, TokenRejected
from homelab.http.port import Answer, JsonHttp, Params

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
NO_CONTENT, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 204, 400, 401, 403, 404


class WoodpeckerChanges:
    """The server's event stream, of which only this repository's events are ours."""

    def __init__(self, http: JsonHttp, repo_id: int) -> None:
        """``http`` is ours alone: closing it ends the stream."""
        self._http = http
        self._repo_id = repo_id

    def __iter__(self) -> Iterator[Hint]:
        """Yield a hint for each event; every public repository's events arrive, other ids are dropped."""
        headers = {"Accept-Encoding": "identity"}
        with self._http.stream("/api/stream/events", idle=STREAM_IDLE, headers=headers) as events:
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
        self._http.close()


class Woodpecker:
    """One repository on a Woodpecker server."""

    kind = "woodpecker"
    #: A push makes exactly one pipeline, holding every workflow: the set is complete when it is seen.
    settle = 0.0
    failure_mark = ""
    skip_words = r"(?i)\[\s*(?:skip\s+ci|ci\s+skip)\s*\]"

    def __init__(self, http: JsonHttp, slug: str, *, name: str, second: Callable[[], JsonHttp]) -> None:
        """``slug`` is ``owner/name`` on the forge; ``second`` opens another client for a stream."""
        self.name = name
        self.budget: float | None = None
        self.slug = slug
        self._http = http
        self._second = second
        self._id = 0
        self._login = ""

    @property
    def _web(self) -> str:
        return f"{self._http.site.url.rstrip('/')}/repos/{self._id}"

    def activate_url(self) -> str:
        """Return the page that lists repositories to activate."""
        return f"{self._http.site.url.rstrip('/')}/repos/add"

    def login(self) -> str:
        """Return the token's user. Only this call proves a token: elsewhere a bad one reads as a guest."""
        if not self._login:
            try:
                self._login = str(self._http.get("/api/user", budget=self.budget).get("login") or "?")
            except HttpStatus as error:
                if error.status not in {UNAUTHORIZED, FORBIDDEN}:
                    raise
                raise TokenRejected(
                    f"{self.name} does not accept the token",
                    why=f"GET {self._http.site.url}/api/user answered {error.status}: mistyped, revoked or another's",
                    fix=f"copy a new token from {self._http.site.url}/user#cli-and-api, then: homelab doctor",
                ) from error
        return self._login

    def _lookup(self) -> int:
        """Return the repository's id. Slashes go raw: the route is a catch-all and proxies refuse ``%2F``."""
        self.login()
        try:
            found = self._http.get(f"/api/repos/lookup/{self.slug}", budget=self.budget)
        except HttpStatus as error:
            if error.status not in {UNAUTHORIZED, NOT_FOUND}:
                raise
            raise NothingThere(
                f"{self.name} has no repository {self.slug}",
                why=f"not activated there, or {self._login} has no access to it; the server does not tell which",
                fix=f"activate it on {self.activate_url()}, or ask its owner for access",
            ) from error
        self._id = int(found["id"])
        return self._id

    def _get(self, path: str, params: Params | None = None) -> Any:
        """Fetch below the repository. On 404 the id may be stale (deleted, activated again): look up once more."""
        repo_id = self._id or self._lookup()
        try:
            return self._http.get(f"/api/repos/{repo_id}{path}", params=params, budget=self.budget)
        except HttpStatus as error:
            if error.status != NOT_FOUND or self._lookup() == repo_id:
                raise
        return self._http.get(f"/api/repos/{self._id}{path}", params=params, budget=self.budget)

    def facts(self) -> Facts:
        """Return the repository's settings and whether this token may push to it."""
        raw = self._get("")
        rights = self._get("/permissions")
        may_write = isinstance(rights, Mapping) and bool(rights.get("push"))
        return translate.facts(raw, url=self._web, may_write=may_write)

    def runs_of(self, oid: str, *, since: int = 0) -> Sequence[Pipeline]:
        """Page through the newest runs; there is no lookup by commit, so each row's own sha is compared."""
        runs: dict[int, Pipeline] = {}
        for page in range(1, MAX_PAGES + 1):
            rows = self._get("/pipelines", {"page": page, "perPage": PER_PAGE}) or []
            read = [translate.pipeline(row, web=self._web, server=self.name) for row in rows]
            runs |= {run.number: run for run in read if run.commit == oid.lower()}
            if len(rows) < PER_PAGE or min(run.created for run in read) < since - SKEW:
                break
        return [runs[number] for number in sorted(runs, reverse=True)]

    def run(self, number: int) -> Pipeline | None:
        """Return one run with its workflows; None when it vanished (filtered after it was created)."""
        try:
            raw = self._get(f"/pipelines/{number}")
        except HttpStatus as error:
            if error.status != NOT_FOUND:
                raise
            return None
        return translate.pipeline(raw, web=self._web, server=self.name)

    def latest(self, branch: str) -> Pipeline | None:
        """Return the newest push run of ``branch``: the server's ``latest`` knows pushes only."""
        try:
            raw = self._get("/pipelines/latest", {"branch": branch})
        except HttpStatus as error:
            if error.status != NOT_FOUND:
                raise
            return None
        return translate.pipeline(raw, web=self._web, server=self.name)

    def recent(
        self, limit: int, *, event: str = "", branch: str = "", state: State | None = None
    ) -> Sequence[Pipeline]:
        """Return the newest runs that fit. The filters are 3.0's; 2.x ignores them, so each row is compared."""
        asked = {"event": event, "branch": branch, "status": state.value if state in _FILTERED else ""}
        found: list[Pipeline] = []
        for page in range(1, MAX_PAGES + 1):
            params = {name: value for name, value in asked.items() if value}
            rows = self._get("/pipelines", {"page": page, "perPage": PER_PAGE, **params}) or []
            read = (translate.pipeline(row, web=self._web, server=self.name) for row in rows)
            found += [run for run in read if _fits(run, event=event, branch=branch, state=state)]
            if len(rows) < PER_PAGE or len(found) >= limit:
                break
        return found[:limit]

    def log(self, pipeline: Pipeline, workflow: Workflow, step: Step, *, first: int = 0) -> Iterator[LogLine]:
        """Yield the stored log; null means none (skipped, deleted, or not arrived yet)."""
        del workflow
        path = f"/api/repos/{self._id or self._lookup()}/logs/{pipeline.number}/{step.id}"
        try:
            yield from stored(self._http, path, first=first)
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

    def live(self, pipeline: Pipeline, workflow: Workflow, step: Step) -> WoodpeckerLive:
        """Open the log stream of a running step, on a connection of its own."""
        del workflow
        repo_id = self._id or self._lookup()
        return WoodpeckerLive(self._second(), f"/api/stream/logs/{repo_id}/{pipeline.number}/{step.id}")

    def changes(self) -> WoodpeckerChanges:
        """Open the server's event stream on a connection of its own."""
        return WoodpeckerChanges(self._second(), self._id or self._lookup())

    def restart(self, run: Pipeline) -> Pipeline | None:
        """Run the same commit and configuration again, under a new number. A 500 may still have made a run."""
        answer = self._post(f"/pipelines/{run.number}", what=f"restart {run.name}", run=run)
        return self._made(answer)

    def cancel(self, run: Pipeline) -> bool:
        """Stop it; safe to repeat. The server answers before its agents have stopped."""
        try:
            self._post(f"/pipelines/{run.number}/cancel", what=f"cancel {run.name}", run=run, safe=True)
        except HttpStatus as error:
            if error.status != BAD_REQUEST:
                raise
            return False
        return True

    def approve(self, run: Pipeline) -> None:
        """Let a blocked run start; its steps get new ids."""
        self._post(f"/pipelines/{run.number}/approve", what=f"approve {run.name}", run=run)

    def decline(self, run: Pipeline) -> None:
        """Refuse a blocked run."""
        self._post(f"/pipelines/{run.number}/decline", what=f"decline {run.name}", run=run)

    def trigger(self, branch: str, variables: Mapping[str, str], *, workflow: str = "") -> Pipeline | None:
        """Start a manual run of the branch's head as the forge reports it now.

        204 with ``Pipeline-Filtered``: nothing matched. 204 without: the configuration could not be
        fetched from the forge, and a run in ``error`` was made (server/api/pipeline.go).
        """
        del workflow
        body = {"branch": branch, "variables": dict(variables)}
        answer = self._post("/pipelines", what=f"trigger {branch}", body=body)
        if answer.status == NO_CONTENT and answer.headers.get("pipeline-filtered") == "true":
            return None
        made = self._made(answer)
        if made is not None:
            return made
        newest = next(iter(self.recent(1, event="manual", branch=branch)), None)
        if newest is None:
            raise NothingThere(
                f"{self.name} could not read the configuration of {branch} from the forge",
                why="it answered without a run",
                fix=f"look at {self._web}, then trigger again",
            )
        return newest

    def _made(self, answer: Answer) -> Pipeline | None:
        if answer.status == NO_CONTENT or not answer.body:
            return None
        return translate.pipeline(answer.json(), web=self._web, server=self.name)

    def _post(
        self, path: str, *, what: str, run: Pipeline | None = None, body: Any = None, safe: bool = False
    ) -> Answer:
        """Write. The server hides a missing push right behind 404, so the rights are asked for then."""
        repo_id = self._id or self._lookup()
        try:
            return self._http.send("POST", f"/api/repos/{repo_id}{path}", json=body, safe_to_repeat=safe)
        except HttpStatus as error:
            if error.status not in {UNAUTHORIZED, FORBIDDEN, NOT_FOUND} or self.facts().may_write:
                raise
            raise PermissionMissing(
                f"{self.login()} may not {what} on {self.name}",
                why=f"it needs the right to push to {self.slug}",
                fix=f"ask its owner for push access, or open {run.url if run else self._web}",
            ) from error


def _fits(run: Pipeline, *, event: str, branch: str, state: State | None) -> bool:
    return event in {"", run.event} and branch in {"", run.branch} and state in {None, run.state}
