"""Asking a Woodpecker server, and what can be changed there by call. Layer: ci, below the Woodpecker client.

Sources: woodpecker server/api/{user,repo,pipeline}.go, server/pipeline/{restart,cancel}.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from homelab.ci.model import Pipeline
from homelab.ci.woodpecker import translate
from homelab.errors import HttpStatus, NothingThere, PermissionMissing, TokenRejected, Unreachable, WrongService
from homelab.http.port import Answer, JsonHttp, Params

NO_CONTENT, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, SERVER = 204, 400, 401, 403, 404, 500
#: How many of the newest runs are looked through for one that an unanswered call may have made.
NEWEST = 10


class WoodpeckerControl:
    """One repository: its calls, and the five writes."""

    kind = "woodpecker"

    def __init__(self, http: JsonHttp, slug: str, *, name: str, second: Callable[[], JsonHttp]) -> None:
        """``slug`` is ``owner/name`` on the forge; ``second`` opens another client for a stream."""
        self.name, self.slug = name, slug
        self.budget: float | None = None
        self.http, self.second = http, second
        #: The repository's id on the server, 0 while it is not known.
        self.known_id = 0
        self._login = ""

    @property
    def ahead(self) -> float | None:
        """Seconds the server's clock is ahead of ours; None where it did not say."""
        return self.http.ahead

    @property
    def web(self) -> str:
        """The repository's page."""
        return f"{self.http.site.url.rstrip('/')}/repos/{self.known_id}"

    def activate_url(self) -> str:
        """Return the page that lists repositories to activate."""
        return f"{self.http.site.url.rstrip('/')}/repos/add"

    def login(self) -> str:
        """Return the token's user. Only this call proves a token: elsewhere a bad one reads as a guest."""
        if not self._login:
            try:
                self._login = self._user()
            except HttpStatus as error:
                if error.status not in {UNAUTHORIZED, FORBIDDEN}:
                    raise
                raise TokenRejected(
                    f"{self.name} does not accept the token",
                    why=f"GET {self.http.site.url}/api/user answered {error.status}: mistyped, revoked or another's",
                    fix=f"copy a new token from {self.http.site.url}/user#cli-and-api, then: homelab doctor",
                ) from error
        return self._login

    def _user(self) -> str:
        found = self.http.get("/api/user", budget=self.budget)
        if isinstance(found, Mapping) and isinstance(found.get("login"), str):
            return str(found["login"])
        raise self.stranger("/api/user")

    def stranger(self, path: str) -> WrongService:
        """Return the error for an answer that Woodpecker does not give: a gateway's JSON, another service's."""
        return WrongService(
            f"something else than Woodpecker answers at {self.http.site.url}",
            why=f"GET {path} gave JSON of another shape",
            fix="correct url or dial; where they are set: homelab config show",
        )

    def repo_id(self) -> int:
        """Return the repository's id on the server, looked up once. Raises NothingThere, TokenRejected."""
        return self.known_id or self._lookup()

    def _lookup(self) -> int:
        """Return the repository's id. Slashes go raw: the route is a catch-all and proxies refuse ``%2F``."""
        self.login()
        try:
            found = self.http.get(f"/api/repos/lookup/{self.slug}", budget=self.budget)
        except HttpStatus as error:
            if error.status not in {UNAUTHORIZED, NOT_FOUND}:
                raise
            if self.known_id:
                # It was there before: a token revoked meanwhile reads as a guest, who sees nothing.
                self._login = ""
                self.login()
            raise NothingThere(
                f"{self.name} has no repository {self.slug}",
                why=f"not activated there, or {self._login} has no access to it; the server does not tell which",
                fix=f"activate it on {self.activate_url()}, or ask its owner for access",
            ) from error
        if not isinstance(found, Mapping) or not isinstance(found.get("id"), int):
            raise self.stranger("/api/repos/lookup")
        self.known_id = found["id"]
        return self.known_id

    def get(self, path: str, params: Params | None = None) -> Any:
        """Fetch below the repository. On 404 the id may be stale (deleted, activated again): look up once more."""
        repo_id = self.repo_id()
        try:
            return self.http.get(f"/api/repos/{repo_id}{path}", params=params, budget=self.budget)
        except HttpStatus as error:
            if error.status != NOT_FOUND or self._lookup() == repo_id:
                raise
        return self.http.get(f"/api/repos/{self.known_id}{path}", params=params, budget=self.budget)

    def rows(self, params: Params) -> list[Pipeline]:
        """Return one page of the repository's runs, newest first."""
        found = self.get("/pipelines", params) or []
        if not isinstance(found, list) or not all(_is_run(row) for row in found):
            raise self.stranger("/pipelines")
        return [translate.pipeline(row, web=self.web, server=self.name) for row in found]

    def one(self, path: str, params: Params | None = None) -> Pipeline | None:
        """Return the run at ``path``; None where there is none."""
        try:
            found = self.get(path, params)
        except HttpStatus as error:
            if error.status != NOT_FOUND:
                raise
            return None
        if not _is_run(found):
            raise self.stranger(path)
        return translate.pipeline(found, web=self.web, server=self.name)

    def may_write(self) -> bool:
        """Say whether this token may push to the repository."""
        rights = self.get("/permissions")
        return isinstance(rights, Mapping) and bool(rights.get("push"))

    def restart(self, run: Pipeline) -> Pipeline | None:
        """Run the same commit and configuration again, under a new number. A 500 may still have made a run."""
        with self._perhaps_made(lambda made: made.parent == run.number) as late:
            answer = self._post(f"/pipelines/{run.number}", what=f"restart {run.name}", run=run)
            return self._made(answer)
        return late[0]

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

        def ours(made: Pipeline) -> bool:
            return made.event == "manual" and made.branch == branch and made.author in {"", self.login()}

        with self._perhaps_made(ours) as late:
            answer = self._post("/pipelines", what=f"trigger {branch}", body=body)
            if answer.status == NO_CONTENT and answer.headers.get("pipeline-filtered") == "true":
                return None
            made = self._made(answer)
            if made is not None:
                return made
            raise NothingThere(
                f"{self.name} could not read the configuration of {branch} from the forge",
                why="it answered without a run",
                fix=f"look at {self.web}, then trigger again",
            )
        return late[0]

    @contextmanager
    def _perhaps_made(self, ours: Callable[[Pipeline], bool]) -> Iterator[list[Pipeline]]:
        """Ask for a run, once: after a failure that may have made it, look for one that was not there before.

        Such a run is put into the list that is given, and the failure is over; else it is raised.
        """
        before = max((run.number for run in self._newest()), default=0)
        late: list[Pipeline] = []
        try:
            yield late
        except (Unreachable, NothingThere) as error:
            if isinstance(error, HttpStatus) and error.status < SERVER:
                raise
            late += [run for run in self._newest() if run.number > before and ours(run)][:1]
            if not late:
                error.details += ("looked since: no run of it is listed",)
                raise

    def _newest(self) -> list[Pipeline]:
        return self.rows({"page": 1, "perPage": NEWEST})

    def _made(self, answer: Answer) -> Pipeline | None:
        if answer.status == NO_CONTENT or not answer.body:
            return None
        return translate.pipeline(answer.json(), web=self.web, server=self.name)

    def _post(
        self, path: str, *, what: str, run: Pipeline | None = None, body: Any = None, safe: bool = False
    ) -> Answer:
        """Write. The server hides a missing push right behind 404, so the rights are asked for then."""
        repo_id = self.repo_id()
        try:
            return self.http.send("POST", f"/api/repos/{repo_id}{path}", json=body, safe_to_repeat=safe)
        except HttpStatus as error:
            if error.status not in {UNAUTHORIZED, FORBIDDEN, NOT_FOUND} or self.may_write():
                raise
            raise PermissionMissing(
                f"{self.login()} may not {what} on {self.name}",
                why=f"it needs the right to push to {self.slug}",
                fix=f"ask its owner for push access, or open {run.url if run else self.web}",
            ) from error


def _is_run(found: object) -> bool:
    return isinstance(found, Mapping) and isinstance(found.get("number"), int)
