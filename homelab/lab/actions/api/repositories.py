"""The repository as such: itself, contents, commit statuses, branches; and the server's version."""

from __future__ import annotations

import asyncio
import base64
import subprocess
from http import HTTPStatus
from typing import Any

from aiohttp import web

from homelab.lab.actions import render
from homelab.lab.actions.access import NOT_FOUND, Refused, answer, need_repository, need_user, page_of, part, user_of
from homelab.lab.actions.api.routing import API, REPO, Route
from homelab.lab.actions.store import latest
from homelab.lab.actions.words import Kind, combine
from homelab.lab.woodpecker import commit
from homelab.lab.woodpecker.config import Repository

_STATES = frozenset({"pending", "success", "error", "failure", "warning", "skipped"})


async def version(request: web.Request) -> web.Response:
    """Say the version, to anybody unless sign-in is forced."""
    config = part(request).board.config
    if config.sign_in:
        need_user(request)
    return answer({"version": config.shown_version})


async def me(request: web.Request) -> web.Response:
    """Say who asks."""
    return answer(render.user(need_user(request)))


async def show(request: web.Request) -> web.Response:
    """Return the repository."""
    found = need_repository(request)
    return answer(render.repository(found, user_of(request), part(request).board.config.url))


async def branch(request: web.Request) -> web.Response:
    """Return one branch with its head."""
    found, name = need_repository(request), request.match_info["branch"]
    oid = await _resolved(found, f"refs/heads/{name}")
    return answer({"name": name, "commit": {"id": oid}, "protected": False})


async def contents(request: web.Request) -> web.Response:
    """Return a file, or the entries of a folder, at ``ref``."""
    found, path = need_repository(request), request.match_info["path"].strip("/")
    oid = await _resolved(found, request.query.get("ref") or found.default_branch)
    listed = await asyncio.to_thread(commit.git, found.path, "ls-tree", "-z", oid, "--", path, f"{path}/")
    rows = [_entry(row) for row in listed.split("\0") if row]
    inside = [row for row in rows if row["path"] != path]
    if inside:
        return answer(inside)
    if not rows or rows[0]["type"] == "dir":
        raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND)
    text = await asyncio.to_thread(commit.git, found.path, "cat-file", "blob", rows[0]["sha"])
    return answer({**rows[0], "encoding": "base64", "content": base64.b64encode(text.encode()).decode()})


def _entry(row: str) -> dict[str, Any]:
    about, _, path = row.partition("\t")
    _, kind, sha = about.split()
    return {"name": path.rpartition("/")[2], "path": path, "sha": sha, "type": "dir" if kind == "tree" else "file"}


async def _resolved(repository: Repository, revision: str) -> str:
    """Return the commit a revision names now, or answer 404."""
    try:
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return (await asyncio.to_thread(commit.git, repository.path, *words)).strip()
    except subprocess.CalledProcessError:
        raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND) from None


async def combined(request: web.Request) -> web.Response:
    """Return the newest status of each context; the combined state is that of this page alone."""
    found, board = need_repository(request), part(request).board
    sha = await _resolved(found, request.match_info["ref"])
    rows, headers = page_of(request, latest(board.store.statuses(found.id, sha)))
    shown = [render.commit_status(row, board.config.url) for row in rows]
    if not rows and board.config.kind is Kind.FORGEJO:
        empty = {"state": "", "sha": "", "total_count": 0, "statuses": None, "repository": None}
        return answer({**empty, "commit_url": "", "url": ""}, headers=headers)
    state = combine(row.state for row in rows)
    return answer({"state": state, "sha": sha, "total_count": len(rows), "statuses": shown or None}, headers=headers)


async def statuses(request: web.Request) -> web.Response:
    """Return every row of a commit, newest first."""
    found, board = need_repository(request), part(request).board
    sha = await _resolved(found, request.match_info["ref"])
    rows, headers = page_of(request, board.store.statuses(found.id, sha))
    return answer([render.commit_status(row, board.config.url) for row in rows], headers=headers)


async def add_status(request: web.Request) -> web.Response:
    """Add a row, as another CI system does."""
    found, board, given = need_repository(request, "push"), part(request).board, await request.json()
    sha = await _resolved(found, request.match_info["ref"])
    if given.get("state") not in _STATES:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid state")
    words = {key: str(given.get(key, "")) for key in ("state", "description", "target_url")}
    context, creator = str(given.get("context") or "default"), need_user(request).login
    row = board.store.add_status(found.id, sha, context=context, creator=creator, **words)
    return answer(render.commit_status(row, board.config.url), status=HTTPStatus.CREATED)


ROUTES = [
    Route("GET", API + "/version", version),
    Route("GET", "/api/forgejo/v1/version", version, gitea=None),
    Route("GET", API + "/user", me),
    Route("GET", REPO, show),
    Route("GET", REPO + "/branches/{branch:.+}", branch),
    Route("GET", REPO + "/contents/{path:.+}", contents),
    Route("GET", REPO + "/commits/{ref}/status", combined),
    Route("GET", REPO + "/commits/{ref}/statuses", statuses),
    Route("GET", REPO + "/statuses/{ref}", statuses),
    Route("POST", REPO + "/statuses/{ref}", add_status),
]
