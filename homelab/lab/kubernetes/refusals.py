"""What the API server says when it does not do what was asked: Status objects with their HTTP codes.

Layer: vocabulary of the lab cluster. Shapes and texts follow apimachinery ``pkg/api/errors/errors.go``.
"""

from __future__ import annotations

from typing import Any

from homelab.lab.kubernetes.kinds import Kind
from homelab.lab.kubernetes.objects import Object


class Refusal(Exception):
    """An answer of class 4xx or 5xx, as a Status object."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        """Keep the parts of the Status; ``headers`` may be filled by who raises it."""
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}
        self.headers: dict[str, str] = {}

    def status(self) -> Object:
        """Return the Status object of this refusal."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.details:
            body["details"] = self.details
        return body


def _target(kind: Kind, name: str) -> Object:
    return {"name": name, "kind": kind.plural, **({"group": kind.group} if kind.group else {})}


def not_found(kind: Kind, name: str) -> Refusal:
    """404: no such object."""
    return Refusal(404, "NotFound", f'{kind.qualified} "{name}" not found', _target(kind, name))


def no_such_page() -> Refusal:
    """404: no such path or kind."""
    return Refusal(404, "NotFound", "the server could not find the requested resource")


def already_exists(kind: Kind, name: str) -> Refusal:
    """409: the name is taken."""
    return Refusal(409, "AlreadyExists", f'{kind.qualified} "{name}" already exists', _target(kind, name))


def conflict(kind: Kind, name: str, why: str = "") -> Refusal:
    """409: the object moved on since it was read."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    return Refusal(
        409, "Conflict", f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}', _target(kind, name)
    )


def invalid(kind: Kind, name: str, causes: list[tuple[str, str, str]]) -> Refusal:
    """422: each cause is (reason, field, message)."""
    lines = [f"{field}: {message}" for _, field, message in causes]
    text = lines[0] if len(lines) == 1 else "[" + ", ".join(lines) + "]"
    details = {
        "name": name,
        "kind": kind.kind,
        "causes": [{"reason": reason, "message": message, "field": field} for reason, field, message in causes],
        **({"group": kind.group} if kind.group else {}),
    }
    qualified = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    return Refusal(422, "Invalid", f'{qualified} "{name}" is invalid: {text}', details)


def bad_request(message: str) -> Refusal:
    """400: the request itself makes no sense."""
    return Refusal(400, "BadRequest", message)


def forbidden(kind: Kind, name: str, why: str) -> Refusal:
    """403: known, and not allowed."""
    shown = f'"{name}" ' if name else ""
    return Refusal(403, "Forbidden", f"{kind.qualified} {shown}is forbidden: {why}", _target(kind, name))


def unauthorized() -> Refusal:
    """401: nobody we know."""
    return Refusal(401, "Unauthorized", "Unauthorized")


def gone(message: str) -> Refusal:
    """410: the asked resourceVersion is older than what is remembered."""
    return Refusal(410, "Expired", message)


def unsupported_media_type(content_type: str, accepted: list[str]) -> Refusal:
    """415: a patch in a format the kind does not take."""
    why = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return Refusal(415, "UnsupportedMediaType", why, {"causes": [{"message": content_type}]})


def internal_error(error: Exception) -> Refusal:
    """500: a defect of the lab."""
    return Refusal(500, "InternalError", f"Internal error occurred: {error!r}")


def method_not_allowed() -> Refusal:
    """405: the path exists, the method does not."""
    return Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def too_many_requests(retry_after: int) -> Refusal:
    """429, with how many seconds to stay away."""
    message = "the server has received too many requests and has asked us to try again later"
    refusal = Refusal(429, "TooManyRequests", message, {"retryAfterSeconds": retry_after})
    refusal.headers["Retry-After"] = str(retry_after)
    return refusal
