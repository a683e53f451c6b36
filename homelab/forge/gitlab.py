"""GitLab's API: commit statuses and merge requests. Layer: forge."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from homelab.errors import HttpStatus
from homelab.forge.model import CommitStatus, Request
from homelab.forge.paged import LIMIT, rows
from homelab.forge.pulls import EXISTS
from homelab.forge.statuses import newest
from homelab.git.port import RemoteUrl
from homelab.http.port import JsonHttp


class GitLab:
    """One project on a GitLab; implements :class:`~homelab.forge.port.Forge`."""

    def __init__(self, http: JsonHttp, repository: RemoteUrl) -> None:
        """``http`` talks to ``…/api/v4``, with the token."""
        self._http = http
        self._path = f"/projects/{quote(repository.slug, safe='')}"

    def statuses(self, oid: str, *, budget: float | None = None) -> Sequence[CommitStatus]:
        """``GET /projects/{path}/repository/commits/{sha}/statuses``: GitLab's own jobs are among them."""
        path = f"{self._path}/repository/commits/{oid}/statuses"
        return newest(rows(self._http, path, {"per_page": LIMIT}, budget=budget))

    def open_request(self, request: Request) -> str:
        """``POST /projects/{path}/merge_requests``."""
        path = f"{self._path}/merge_requests"
        words = {"source_branch": request.branch, "target_branch": request.target, "title": request.title}
        try:
            return str(self._http.send("POST", path, json={**words, "description": request.body}).json()["web_url"])
        except HttpStatus as error:
            if error.status not in EXISTS:
                raise
            params = {"state": "opened", "source_branch": request.branch, "target_branch": request.target}
            found = self._http.get(path, params=params)
            if not found:
                raise
            return str(found[0]["web_url"])
