"""Asking a Forgejo or Gitea server, and what can be changed there by call. Layer: ci, below the Actions client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from homelab.ci.actions_powers import Powers, powers
from homelab.ci.fields import Json, integer, items, text
from homelab.ci.model import Pipeline
from homelab.errors import (
    HomelabError,
    HttpStatus,
    NothingThere,
    PermissionMissing,
    PersonNeeded,
    TokenRejected,
    UsageError,
)
from homelab.http.port import Answer, JsonHttp, Params

UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
_MISSING = object()


class ActionsControl:
    """One repository: its calls, its powers, and the five writes."""

    kind = "actions"

    def __init__(self, http: JsonHttp, slug: str, *, name: str) -> None:
        """``slug`` is ``owner/name``."""
        self.name, self.slug = name, slug
        self.budget: float | None = None
        self.http = http
        self._powers: Powers | None = None
        self._repository: Json | None = None
        self._version = ""

    @property
    def web(self) -> str:
        """The repository's page."""
        return f"{self.http.site.url.rstrip('/')}/{self.slug}"

    @property
    def host(self) -> str:
        """Scheme and host: the servers give pages of jobs without them."""
        parts = urlsplit(self.http.site.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """The repository's path in the API."""
        return f"/api/v1/repos/{quote(self.slug)}"

    def forgejo(self) -> bool:
        """Say whether it is a Forgejo: its version names the Gitea level it claims. Decides no call, only words."""
        if not self._version:
            self._version = text(self.http.get("/api/v1/version", budget=self.budget), "version") or "?"
        return "+gitea-" in self._version

    def powers(self) -> Powers:
        """Return what the server can be asked; found out once."""
        if self._powers is None:
            self._powers = powers(self.http, self.path)
        return self._powers

    def learn(self, **absent: bool) -> None:
        """Correct the powers by what the server refused."""
        self._powers = replace(self.powers(), **absent)

    def repository(self) -> Json:
        """Return the repository, asked once: it proves token, scope and access before anything is concluded."""
        if self._repository is None:
            try:
                found = self.http.get(self.path, budget=self.budget)
            except HttpStatus as error:
                raise self._explained(error) from error
            self._repository = found if isinstance(found, Mapping) else {}
        return self._repository

    def get(self, path: str, params: Params | None = None, *, absent: Any = _MISSING) -> Any:
        """Fetch below the repository; ``absent`` stands in for a 404."""
        try:
            return self.http.get(f"{self.path}{path}", params=params, budget=self.budget)
        except HttpStatus as error:
            if error.status == NOT_FOUND and absent is not _MISSING:
                return absent
            if error.status == NOT_FOUND:
                raise
            raise self._explained(error) from error

    def _explained(self, error: HttpStatus) -> HomelabError:
        where = self.http.site.url
        if error.status == UNAUTHORIZED:
            return TokenRejected(
                f"{self.name} does not accept the token",
                why=f"{where} answered 401: {error.body or 'no reason'}",
                fix=f"make a token on {where}/user/settings/applications with read:repository, then: homelab doctor",
            )
        if error.status == FORBIDDEN:
            return PermissionMissing(
                f"{self.name} refuses {self.slug} to this token",
                why=error.body or "a scope or a right is missing",
                fix=f"give the token read:repository, write:repository to change things, on {where}/user/settings",
            )
        if error.status == NOT_FOUND:
            return NothingThere(
                f"{self.name} has no repository {self.slug}",
                why="it is not there, or private and this token cannot see it; the server does not tell which",
                fix=f"open {self.web}, or give the token access to it",
            )
        return error

    def restart(self, run: Pipeline) -> Pipeline | None:
        """Run it again under the same number, as a new attempt. Gitea has a call for it since 1.26, Forgejo none."""
        if not self.powers().rerun:
            raise self._by_hand("restart a run", run.url)
        self._post(f"/actions/runs/{run.id}/rerun", run.url)
        return replace(run, attempt=run.attempt + 1)

    def cancel(self, run: Pipeline) -> bool:
        """Stop it. Forgejo has a call for it since 16, Gitea none."""
        if not self.powers().cancel:
            raise self._by_hand("cancel a run", run.url)
        if run.state.finished:
            return False
        self._post(f"/actions/runs/{run.id}/cancel", run.url, safe=True)
        return True

    def approve(self, run: Pipeline) -> None:
        """Only the web page can."""
        raise self._by_hand("approve a run", run.url)

    def decline(self, run: Pipeline) -> None:
        """Only the web page can."""
        raise self._by_hand("decline a run", run.url)

    def trigger(self, branch: str, variables: Mapping[str, str], *, workflow: str = "") -> Pipeline | None:
        """Start ``workflow`` (its file's name; the only one there is) at the branch's head; its number where told.

        Gitea tells the run since 1.26 with ``return_run_details``, Forgejo with ``return_run_info``.
        """
        if not self.powers().dispatch:
            raise self._by_hand("trigger a run", f"{self.web}/actions")
        file = workflow or self._only_workflow(branch)
        body = {"ref": branch, "inputs": dict(variables), "return_run_info": True}
        path = f"/actions/workflows/{quote(file, safe='')}/dispatches"
        answer = self._post(path, f"{self.web}/actions", body=body, params={"return_run_details": "true"})
        raw = answer.json() if answer.body else {}
        number = integer(raw, "run_number", "index_in_repo", "workflow_run_id", "id")
        return self.run(number) if number else self._told_nothing(file)

    def run(self, number: int) -> Pipeline | None:
        """Return one run; the client above knows how."""
        raise NotImplementedError

    def _told_nothing(self, file: str) -> Pipeline | None:
        raise PersonNeeded(
            f"{file} was started, its run is not told",
            why="this server answers a dispatch without naming the run",
            fix=f"homelab ci list --event manual, or open {self.web}/actions",
        )

    def _only_workflow(self, branch: str) -> str:
        """Return the one workflow file of the branch. Raises UsageError that lists them."""
        for folder in (".forgejo/workflows", ".gitea/workflows", ".github/workflows"):
            found = items(self.get(f"/contents/{folder}", {"ref": branch}, absent=[]))
            names = [text(raw, "name") for raw in found if text(raw, "name").endswith((".yml", ".yaml"))]
            if len(names) == 1:
                return names[0]
            if names:
                raise UsageError(
                    "several workflows, and none is named",
                    why=f"{folder} holds {', '.join(names)}",
                    fix=f"homelab ci trigger --branch {branch} --workflow {names[0]}",
                )
        raise NothingThere(
            f"no workflow on {branch}", why="no folder for workflows holds a file", fix=f"open {self.web}/actions"
        )

    def _post(
        self, path: str, page: str, *, body: Any = None, params: Params | None = None, safe: bool = False
    ) -> Answer:
        try:
            return self.http.send("POST", f"{self.path}{path}", json=body, params=params, safe_to_repeat=safe)
        except HttpStatus as error:
            if error.status in {UNAUTHORIZED, FORBIDDEN}:
                raise self._explained(error) from error
            if error.status == NOT_FOUND:
                raise self._by_hand("do that", page) from error
            raise

    def _by_hand(self, what: str, page: str) -> PersonNeeded:
        return PersonNeeded(
            f"{self.name} has no call to {what}",
            why="its API description does not list one; only its web page can",
            fix=f"open {page}",
        )
