"""Who asks, what they may, what they hear when they may not, and pages.

Sources: Gitea routers/api/v1/api.go, services/context/{api,repo}.go; Forgejo likewise.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web

from homelab.lab.actions.board import Board
from homelab.lab.actions.faults import Faults
from homelab.lab.actions.runs import Runs
from homelab.lab.woodpecker.config import Repository, User

T = TypeVar("T")
_DEFAULT_PAGE = 30
NOT_FOUND = "The target couldn't be found."


@dataclass(frozen=True, slots=True)
class Part:
    """What every handler works on."""

    board: Board
    runs: Runs
    faults: Faults
    hook_token: str
    lab_controls: bool


PART = web.AppKey("part", Part)


def part(request: web.Request) -> Part:
    """Return the server's parts."""
    return request.config_dict[PART]


class Refused(Exception):
    """The server says no: a status and ``{"message", "url"}``."""

    def __init__(self, status: int, message: str) -> None:
        """Keep both for the answer."""
        super().__init__(message)
        self.status, self.message = status, message


def user_of(request: web.Request) -> User | None:
    """Return who asks: ``token X``, ``Bearer X``, or Basic with a token as password. A bad token is refused."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not given:
        return None
    if scheme.lower() == "basic":
        given = base64.b64decode(given.encode(), validate=False).decode(errors="replace").partition(":")[2]
    found = part(request).board.config.user(given) if scheme.lower() in {"token", "bearer", "basic"} else None
    if found is None:
        raise Refused(HTTPStatus.UNAUTHORIZED, "user does not exist [uid: 0, name: ]")
    return found


def need_user(request: web.Request) -> User:
    """Return who asks, or answer 401."""
    found = user_of(request)
    if found is None:
        raise Refused(HTTPStatus.UNAUTHORIZED, "token is required")
    return found


def need_repository(request: web.Request, right: str = "pull") -> Repository:
    """Return the repository of the path: 404 when it cannot be seen, 403 when ``right`` is missing."""
    who = user_of(request)
    if who is None and (right != "pull" or part(request).board.config.sign_in):
        raise Refused(HTTPStatus.UNAUTHORIZED, "token is required")
    full_name = f"{request.match_info['owner']}/{request.match_info['repo']}"
    found = part(request).board.config.repository(full_name)
    if found is None or not found.allows(who, "pull"):
        raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND)
    if part(request).faults.missing_scope:
        scope = "write:repository" if right != "pull" else "read:repository"
        said = f"token does not have at least one of required scope(s), required=[{scope}], token scope=read:user"
        raise Refused(HTTPStatus.FORBIDDEN, said)
    if not found.allows(who, right):
        raise Refused(HTTPStatus.FORBIDDEN, "user should have a permission to write to a repo")
    return found


def number_of(request: web.Request, name: str) -> int:
    """Return a number of the path; what is none is not found."""
    text = request.match_info[name]
    if not (text.isascii() and text.isdigit()):
        raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND)
    return int(text)


def page_of(request: web.Request, rows: list[T]) -> tuple[list[T], dict[str, str]]:
    """Return the page that is asked for, with the headers that tell of the rest."""

    def asked(name: str, default: int) -> int:
        text = request.query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and int(text) else default

    limit, page = min(asked("limit", _DEFAULT_PAGE), part(request).board.config.max_items), asked("page", 1)
    headers = {"X-Total-Count": str(len(rows))}
    if page * limit < len(rows):
        following = request.url.update_query(page=page + 1)
        headers["Link"] = f'<{part(request).board.config.url}{following.path_qs}>; rel="next"'
    return rows[(page - 1) * limit : page * limit], headers


def answer(value: Any, *, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> web.Response:
    """Return JSON."""
    return web.json_response(value, status=status, headers=headers)
