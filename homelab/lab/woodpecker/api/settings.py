"""``PATCH /api/repos/{id}``, ``DELETE``, ``POST /api/repos``: a repository's settings, switched off, switched on.

What is changed here outlives the server, over what its configuration file says. Source: woodpecker server/api/repo.go.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aiohttp import web

from homelab.lab.woodpecker import render
from homelab.lab.woodpecker.access import body_of, need_repository, need_user, part, unseen
from homelab.lab.woodpecker.config import Repository
from homelab.lab.woodpecker.pipelines import Refused

ROUTES = web.RouteTableDef()
#: What ``PATCH`` may change, with the words that are allowed where not any will do.
_CHANGEABLE: dict[str, tuple[str, ...]] = {
    "require_approval": ("none", "forks", "pull_requests", "all_events"),
    "visibility": ("public", "private", "internal"),
    "approval_allowed_users": (),
    "cancel_previous_pipeline_events": (),
    "config_file": (),
    "timeout": (),
    "allow_pr": (),
    "allow_deploy": (),
}


@ROUTES.patch("/api/repos/{repo_id}")
async def change(request: web.Request) -> web.Response:
    """Change settings; a word the server does not know is a 400."""
    repository = need_repository(request, "admin")
    given = await body_of(request)
    changes = {name: value for name, value in given.items() if name in _CHANGEABLE and value is not None}
    for name, value in changes.items():
        if (words := _CHANGEABLE[name]) and value not in words:
            raise Refused(HTTPStatus.BAD_REQUEST, f"Invalid {name.replace('_', '-')} setting")
    return _changed(request, repository, changes)


@ROUTES.delete("/api/repos/{repo_id}")
async def deactivate(request: web.Request) -> web.Response:
    """Switch it off: its row stays, its hooks are answered with 204, nothing runs."""
    return _changed(request, need_repository(request, "admin"), {"active": False})


@ROUTES.post("/api/repos")
async def activate(request: web.Request) -> web.Response:
    """Switch on the forge's repository ``forge_remote_id``; one that is on already is a 409 with text."""
    user, wanted = need_user(request), request.query.get("forge_remote_id", "")
    found = next((one for one in part(request).board.config.repositories if str(one.id) == wanted), None)
    if found is None or not found.allows(user, "admin"):
        raise unseen(user)
    if found.active:
        raise Refused(HTTPStatus.CONFLICT, "Repository is already active.")
    return _changed(request, found, {"active": True})


def _changed(request: web.Request, repository: Repository, changes: dict[str, Any]) -> web.Response:
    return web.json_response(render.repository(part(request).board.configure(repository.id, changes)))
