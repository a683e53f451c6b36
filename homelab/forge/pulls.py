"""GitHub, Gitea and Forgejo: their APIs agree on commit statuses and pull requests but for words. Layer: forge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from homelab.errors import HttpStatus
from homelab.forge.model import CommitStatus, Request
from homelab.forge.paged import LIMIT, rows
from homelab.forge.statuses import newest
from homelab.git.port import RemoteUrl
from homelab.http.port import JsonHttp

#: Answered where the request is open already: by Gitea and Forgejo, by GitHub.
EXISTS = (409, 422)


class Pulls:
    """One repository on a GitHub, Gitea or Forgejo; implements :class:`~homelab.forge.port.Forge`."""

    def __init__(self, http: JsonHttp, repository: RemoteUrl, kind: str) -> None:
        """``http`` talks to the API's base URL, with the token."""
        self._http, self._repository, self._kind = http, repository, kind
        self._path = f"/repos/{quote(repository.slug)}"

    def statuses(self, oid: str, *, budget: float | None = None) -> Sequence[CommitStatus]:
        """Return the newest status of each context.

        The combined ``state`` is computed from the returned page alone (gitea routers/api/v1/repo/status.go),
        so each context is read. No status at all is ``statuses: null``.
        """
        size = "per_page" if self._kind == "github" else "limit"
        return newest(
            rows(self._http, f"{self._path}/commits/{oid}/status", {size: LIMIT}, key="statuses", budget=budget)
        )

    def open_request(self, request: Request) -> str:
        """``POST /repos/{owner}/{name}/pulls``."""
        words = {"base": request.target, "head": request.branch, "title": request.title, "body": request.body}
        try:
            return str(self._http.send("POST", f"{self._path}/pulls", json=words).json()["html_url"])
        except HttpStatus as error:
            if error.status not in EXISTS:
                raise
            found = self._open_pull(request)
            if found is None:
                raise
            return str(found["html_url"])

    def _open_pull(self, request: Request) -> dict[str, Any] | None:
        params = {"state": "open", "base": request.target}
        if self._kind == "github":
            params["head"] = f"{(self._repository.owner or '').split('/')[0]}:{request.branch}"
        pulls: list[dict[str, Any]] = self._http.get(f"{self._path}/pulls", params=params)
        return next((pull for pull in pulls if pull["head"]["ref"] == request.branch), None)
