"""What an answer means: the service's own, a portal's page, a proxy's page, or none. Pure. Layer: http.

A server that marks its answers (``Site.fingerprint``; Woodpecker sends X-WOODPECKER-VERSION with
every one, server/router/middleware/header/header.go) lets us tell its 401 from a portal's.
"""

from __future__ import annotations

import json
import re
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from homelab.errors import HomelabError, HttpStatus, Unreachable, WrongService
from homelab.http.ask import Ask
from homelab.http.port import Answer
from homelab.http.retry import Passing

#: Answered by something in between while the server restarts or is overloaded.
GATEWAY = {502, 503, 504}
SLOW_DOWN = {408, 429}
#: Woodpecker answers these for everything while its database is busy (server/store: every failed read is "not found").
MAY_BE_TROUBLE = {401, 404}
TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
LOGIN = re.compile(
    rb"type=[\"']?password|authelia|authentik|keycloak|oauth2?[-_/]|/login\b|sign[ -]?in|log[ -]?in\b|single sign",
    re.IGNORECASE,
)
DOCTOR = "homelab doctor"


def judge(ask: Ask, answer: Answer, *, wants_json: bool, answered_before: bool, now: float) -> None:
    """Return when ``answer`` is usable; raise its meaning otherwise: a final error, or Passing.

    ``answered_before``: this kind of path was answered well earlier, so a 401 or 404 may be trouble.
    ``now`` is Unix time, for a Retry-After that names a date.
    """
    if answer.status >= HTTPStatus.BAD_REQUEST:
        _judge_refusal(ask, answer, answered_before=answered_before, now=now)
    elif answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise _status(ask, answer)
    elif _is_page(answer):
        _judge_page(ask, answer, wants_json=wants_json)
    elif wants_json and not _is_json(answer):
        said = (
            f"a body that is not JSON ({ask.clean(_type(answer), 60) or 'no content type'})"
            if answer.body
            else "an empty body"
        )
        what = f"{ask.name} answered {answer.status} with {said}"
        raise Passing(Unreachable(what, why=f"asked: {ask.shown}", fix=DOCTOR), f"{answer.status} with {said}")


def sent_elsewhere(ask: Ask, target: str) -> WrongService:
    """Return the error for a redirect that leaves the origin. ``target`` is scheme, host and path, no query."""
    return WrongService(
        f"{ask.name} at {ask.where} redirects to {ask.clean(target)}",
        why="probably a login portal in front of it; the redirect was not followed and no token went there",
        fix="let the portal pass requests with a token, or set dial to the server behind it; then: homelab doctor",
    )


def redirected_write(ask: Ask, target: str) -> WrongService:
    """Return the error for a write that was answered by a redirect."""
    return WrongService(
        f"{ask.name} answered {ask.shown} with a redirect to {ask.clean(target)}",
        why="a write is never redirected: it would arrive as something else",
        fix="correct the url of the server; where it is set: homelab config show",
    )


def _judge_refusal(ask: Ask, answer: Answer, *, answered_before: bool, now: float) -> None:
    status = answer.status
    foreign = _is_foreign(ask, answer)
    error = (
        _proxy_page(ask, answer)
        if foreign and status in GATEWAY
        else _foreign(ask, answer)
        if foreign
        else _status(ask, answer)
    )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in SLOW_DOWN:
        reason = f"{status} from a proxy" if foreign and status in GATEWAY else f"answered {status}"
        if ask.writes and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            error.why += "; the request was sent and may have taken effect"
        raise Passing(error, reason, after=retry_after(answer, now))
    if answered_before and (foreign or status in MAY_BE_TROUBLE):
        raise Passing(error, f"answered {status}, was well before", few=True)
    raise error


def _judge_page(ask: Ask, answer: Answer, *, wants_json: bool) -> None:
    if _is_foreign(ask, answer):
        error = _foreign(ask, answer)
        raise Passing(error, "a web page instead of an answer", few=True)
    if not wants_json:
        return
    what = f"{ask.name} does not know {ask.shown}: it answered a web page"
    why = "another version of the server, or a wrong path in its url"
    raise Passing(WrongService(what, why=why, fix=DOCTOR), "a web page instead of JSON", few=True)


def retry_after(answer: Answer, now: float) -> float | None:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110 §10.2.3: a number or a date), or None."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        return max(parsedate_to_datetime(said).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def _is_foreign(ask: Ask, answer: Answer) -> bool:
    if ask.site.fingerprint:
        return ask.site.fingerprint.lower() not in answer.headers
    return _is_page(answer)


def _is_page(answer: Answer) -> bool:
    return "html" in _type(answer) or answer.body[:256].lstrip()[:9].lower() in {b"<!doctype", b"<html>"}


def _is_json(answer: Answer) -> bool:
    try:
        json.loads(answer.body)
    except (ValueError, RecursionError):
        return False
    return True


def _type(answer: Answer) -> str:
    return answer.headers.get("content-type", "").lower()


def _foreign(ask: Ask, answer: Answer) -> HomelabError:
    title = _title(ask, answer)
    page = f" a page titled “{title}”" if title else ""
    if answer.status == HTTPStatus.OK and LOGIN.search(answer.body[:65536]):
        return WrongService(
            f"a login page answers instead of {ask.name} at {ask.where}",
            why=f"a portal stands in front of it:{page or ' it wants a person to log in'}",
            fix="let the portal pass requests with a token, or set dial to the server behind it; then: homelab doctor",
        )
    why = f"{ask.shown} gave {answer.status}{' and' + page if page else ''}"
    if ask.site.fingerprint:
        why += f", without {ask.name}'s {ask.site.fingerprint} header"
    what = f"something else than {ask.name} answers at {ask.where}"
    return WrongService(what, why=why, fix="correct url or dial; where they are set: homelab config show")


def _proxy_page(ask: Ask, answer: Answer) -> HttpStatus:
    return HttpStatus(
        f"the proxy in front of {ask.name} answered {_named(answer.status)}",
        status=answer.status,
        body=ask.clean(_title(ask, answer)),
        why=f"{ask.where} is up, the server behind it does not answer",
        fix=f"look at {ask.name} itself and its proxy; then: homelab doctor",
    )


def _status(ask: Ask, answer: Answer) -> HttpStatus:
    body = "" if _is_page(answer) else ask.clean(answer.body[:4096].decode(errors="replace"))
    return HttpStatus(
        f"{ask.name} answered {_named(answer.status)} to {ask.shown}",
        status=answer.status,
        body=body,
        why=body or "it gave no reason",
        fix=DOCTOR,
        challenge=answer.headers.get("www-authenticate", ""),
    )


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _title(ask: Ask, answer: Answer) -> str:
    found = TITLE.search(answer.body[:65536])
    return ask.clean(found[1].decode(errors="replace"), 80) if found else ""
