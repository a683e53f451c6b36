"""What can be changed on a Forgejo or Gitea by call: the five writes. Layer: ci, below the Actions client."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from homelab.ci.actions.ask import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, ActionsAsk, said
from homelab.ci.fields import integer, items, text
from homelab.ci.model import Pipeline, State
from homelab.errors import HomelabError, HttpStatus, NothingThere, PersonNeeded, Unreachable, UsageError
from homelab.http.port import Answer, Params

BAD_REQUEST, CONFLICT, UNPROCESSABLE, SERVER = 400, 409, 422, 500


class ActionsControl(ActionsAsk):
    """One repository's runs, changed."""

    kind = "actions"

    def owns(self, url: str) -> bool:
        """Say whether a commit status with this page is ours: the server gives pages of jobs without a host."""
        return f"/{self.slug}/actions/runs/".lower() in url.lower()

    def number_at(self, url: str) -> int:
        """No status of another CI points here: the server's own are its runs already."""
        del url
        return 0

    def restart(self, run: Pipeline) -> Pipeline | None:
        """Run it again under the same number, as a new attempt. Gitea has a call for it since 1.26, Forgejo none."""
        if not self.powers().rerun:
            raise self._by_hand("restart a run", run.url)
        try:
            self._post(f"/actions/runs/{run.id}/rerun")
        except Unreachable as error:
            now = self.run_by_id(run.id) if _perhaps_done(error) else None
            if now is None or (now.attempt <= run.attempt and now.state.finished):
                raise self._absent_call(error, "restart a run", run.url, rerun=False) from error
            return now
        return replace(run, attempt=run.attempt + 1)

    def cancel(self, run: Pipeline) -> bool:
        """Stop it. Forgejo has a call for it since 16, Gitea none."""
        if not self.powers().cancel:
            raise self._by_hand("cancel a run", run.url)
        if run.state.finished:
            return False
        try:
            self._post(f"/actions/runs/{run.id}/cancel", safe=True)
        except HttpStatus as error:
            if error.status in {BAD_REQUEST, CONFLICT}:
                return False
            raise self._absent_call(error, "cancel a run", run.url, cancel=False) from error
        return True

    def approve(self, run: Pipeline) -> None:
        """Only the web page can."""
        raise self._by_hand("approve a run", run.url)

    def decline(self, run: Pipeline) -> None:
        """Only the web page can."""
        raise self._by_hand("decline a run", run.url)

    def trigger(self, branch: str, variables: Mapping[str, str], *, workflow: str = "") -> Pipeline | None:
        """Start ``workflow`` (its file's name; the only one there is) at the branch's head.

        Gitea tells the run since 1.26 with ``return_run_details``, Forgejo with ``return_run_info``; where none
        is told the run has the number 0.
        """
        if not self.powers().dispatch:
            raise self._by_hand("trigger a run", f"{self.web}/actions")
        file = workflow or self._only_workflow(branch)
        body = {"ref": branch, "inputs": dict(variables), "return_run_info": True}
        path = f"/actions/workflows/{quote(file, safe='')}/dispatches"
        before = self._newest_manual(branch)
        try:
            answer = self._post(path, body=body, params={"return_run_details": "true"})
        except Unreachable as error:
            made = self._newest_manual(branch) if _perhaps_done(error) else None
            if made is None or (before is not None and made.number <= before.number):
                raise self._not_started(error, file, branch) from error
            return made
        run_id = integer(_object(answer), "workflow_run_id", "id")
        return (self.run_by_id(run_id) if run_id else None) or Pipeline(
            number=0,
            commit="",
            event="manual",
            branch=branch,
            state=State.PENDING,
            url=f"{self.web}/actions",
            server=self.name,
            title=file,
        )

    def run_by_id(self, run_id: int) -> Pipeline | None:
        """Return one run; the client above knows how."""
        raise NotImplementedError

    def recent(
        self, limit: int, *, event: str = "", branch: str = "", state: State | None = None
    ) -> Sequence[Pipeline]:
        """Return the newest runs that fit; the client above knows how."""
        raise NotImplementedError

    def _newest_manual(self, branch: str) -> Pipeline | None:
        """Return the newest run made by hand: a dispatch whose answer is lost is found by it."""
        try:
            return next(iter(self.recent(1, event="manual", branch=branch)), None) if self.powers().runs else None
        except HomelabError:
            return None

    def _not_started(self, error: Unreachable, file: str, branch: str) -> Exception:
        if not isinstance(error, HttpStatus):
            return error
        if error.status == NOT_FOUND and self.powers().tried:
            return self._absent_call(error, "trigger a run", f"{self.web}/actions", dispatch=False)
        if error.status == NOT_FOUND:
            return NothingThere(
                f"{self.name} has no workflow {file} to start on {branch}",
                why=said(error) or "it answered 404: no such file or branch, or the file has no workflow_dispatch",
                fix=f"open {self.web}/actions",
            )
        if error.status in {BAD_REQUEST, UNPROCESSABLE}:
            return UsageError(
                f"{self.name} does not start {file} on {branch}",
                why=said(error) or f"it answered {error.status}",
                fix="homelab ci trigger --var NAME=VALUE   (the inputs of its workflow_dispatch)",
            )
        return error

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
                    fix=shlex.join(["homelab", "ci", "trigger", "--branch", branch, "--workflow", names[0]]),
                )
        raise NothingThere(
            f"no workflow on {branch}", why="no folder for workflows holds a file", fix=f"open {self.web}/actions"
        )

    def _post(self, path: str, *, body: Any = None, params: Params | None = None, safe: bool = False) -> Answer:
        try:
            return self.http.send("POST", f"{self.path}{path}", json=body, params=params, safe_to_repeat=safe)
        except HttpStatus as error:
            if error.status in {UNAUTHORIZED, FORBIDDEN}:
                raise self.explained(error) from error
            raise

    def _absent_call(self, error: Unreachable, what: str, page: str, **absent: bool) -> Exception:
        """A 404 to a call that was to be there: it is not, whatever was kept or guessed."""
        if not isinstance(error, HttpStatus) or error.status != NOT_FOUND:
            return error
        self.learn(**absent)
        return self._by_hand(what, page)

    def _by_hand(self, what: str, page: str) -> PersonNeeded:
        return PersonNeeded(
            f"{self.name} has no call to {what}",
            why="its API does not have one; only its web page can, and nothing was changed",
            fix=f"open {page}",
        )


def _perhaps_done(error: Unreachable) -> bool:
    """Say whether a write that failed so may have taken effect: its answer was lost, or the server broke over it."""
    return not isinstance(error, HttpStatus) or error.status >= SERVER


def _object(answer: Answer) -> Mapping[str, Any]:
    try:
        found = answer.json() if answer.body else {}
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}
