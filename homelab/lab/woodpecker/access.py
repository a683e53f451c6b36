"""Who asks, what they may, and what they hear when they may not.

Sources: woodpecker shared/token/token.go, server/router/middleware/session/{user,repo,pagination}.go.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from homelab.lab.woodpecker.board import Board
from homelab.lab.woodpecker.config import Repository, User
from homelab.lab.woodpecker.pipelines import Pipelines, Refused
from homelab.lab.woodpecker.records import Pipeline

_UNAUTHORIZED = "User not authorized"
_PAGE = 50
#: The largest id the server's database can hold.
_MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Part:
    """What every handler works on."""

    board: Board
    pipelines: Pipelines
    hook_token: str
    lab_controls: bool


PART = web.AppKey("part", Part)


def part(request: web.Request) -> Part:
    """Return the server's parts."""
    return request.config_dict[PART]


def token_of(request: web.Request) -> str:
    """Return the first token there is. A header of another scheme than Bearer ends the search."""
    if header := request.headers.get("Authorization", ""):
        return header.removeprefix("Bearer ") if header.startswith("Bearer ") else ""
    others = (request.headers.get("X-Gitlab-Token"), request.query.get("access_token"))
    cookie = request.cookies.get("user_sess") if request.method == "GET" else None
    return next((token for token in (*others, cookie) if token), "")


def user_of(request: web.Request) -> User | None:
    """Return who asks; a bad token is nobody, not an error."""
    token = token_of(request)
    return part(request).board.config.user(token) if token else None


def need_user(request: web.Request) -> User:
    """Return who asks, or answer 401 with text."""
    user = user_of(request)
    if user is None:
        raise Refused(HTTPStatus.UNAUTHORIZED, _UNAUTHORIZED)
    return user


def need_server_admin(request: web.Request) -> User:
    """Return the server admin who asks, or answer 401 or 403 with text."""
    user = need_user(request)
    if not user.admin:
        raise Refused(HTTPStatus.FORBIDDEN, _UNAUTHORIZED)
    return user


def unseen(user: User | None) -> Refused:
    """What is not there and what may not be seen look the same: 401 to guests, 404 to users, no body."""
    return Refused(HTTPStatus.NOT_FOUND if user else HTTPStatus.UNAUTHORIZED)


def known_repository(request: web.Request) -> Repository:
    """Return the repository of the path, readable or not."""
    found = part(request).board.config.repository(number_of(request, "repo_id"))
    if found is None:
        raise unseen(user_of(request))
    return found


def need_repository(request: web.Request, right: str = "pull") -> Repository:
    """Return the repository of the path if whoever asks holds ``right`` on it.

    A missing push right is a 404 without a body, a missing admin right a 403 with text.
    """
    found, user = known_repository(request), user_of(request)
    if not found.allows(user, "pull"):
        raise unseen(user)
    if found.allows(user, right):
        return found
    if right == "admin":
        raise Refused(HTTPStatus.FORBIDDEN if user else HTTPStatus.UNAUTHORIZED, _UNAUTHORIZED)
    raise unseen(user)


def need_pipeline(request: web.Request, repository: Repository) -> Pipeline:
    """Return the pipeline of the path, by number."""
    found = part(request).board.store.pipeline(repository.id, number_of(request, "number"))
    if found is None:
        raise Refused(HTTPStatus.NOT_FOUND)
    return found


async def body_of(request: web.Request) -> dict[str, Any]:
    """Return the object in the body, whatever its type says it is; no object is a 400 without a body."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(HTTPStatus.BAD_REQUEST)
    return body


def number_of(request: web.Request, name: str) -> int:
    """Return a number of the path, or answer 400 without a body."""
    text = request.match_info[name]
    if not text.isascii() or not text.isdigit() or int(text) > _MAX_ID:
        raise Refused(HTTPStatus.BAD_REQUEST)
    return int(text)


def page_of(request: web.Request) -> tuple[int, int]:
    """Return limit and offset; whatever is not a number in range silently becomes the default."""

    def between(name: str, low: int, high: int, default: int) -> int:
        text = request.query.get(name, "")
        number = int(text) if text.isascii() and text.isdigit() else 0
        return number if low <= number <= high else default

    limit = between("perPage", 1, _PAGE, _PAGE)
    return limit, (between("page", 1, _MAX_ID // _PAGE, 1) - 1) * limit
