"""What the registry answers when it does not do what was asked. Layer: vocabulary of the lab registry.

Codes from the OCI distribution specification, "Error Codes".
"""

from __future__ import annotations

from typing import Any


class Problem(Exception):
    """An error answer: HTTP status, code, message, detail."""

    def __init__(self, status: int, code: str, message: str, detail: Any = None) -> None:
        """Keep the parts; ``headers`` may be filled by who raises it."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail
        self.headers: dict[str, str] = {}

    def body(self) -> dict[str, Any]:
        """Return the JSON of this problem."""
        entry = {"code": self.code, "message": self.message}
        return {"errors": [entry | ({"detail": self.detail} if self.detail else {})]}


def blob_unknown(digest: str) -> Problem:
    """404: no such blob."""
    return Problem(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest})


def digest_invalid(digest: str) -> Problem:
    """400: the content is not what its digest says."""
    return Problem(400, "DIGEST_INVALID", "provided digest did not match uploaded content", {"digest": digest})


def manifest_unknown(repository: str, selector: str) -> Problem:
    """404: no such tag or digest."""
    return Problem(404, "MANIFEST_UNKNOWN", "manifest unknown", {"name": repository, "reference": selector})


def manifest_invalid(why: str) -> Problem:
    """400: not a manifest."""
    return Problem(400, "MANIFEST_INVALID", f"manifest invalid: {why}")


def manifest_blob_unknown(digest: str) -> Problem:
    """404: the manifest names content that was never pushed."""
    return Problem(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest})


def name_unknown(repository: str) -> Problem:
    """404: no such repository."""
    return Problem(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": repository})


def upload_unknown(name: str) -> Problem:
    """404: no such upload."""
    return Problem(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", {"uuid": name})


def upload_out_of_order(size: int) -> Problem:
    """416: a chunk does not begin where the last one ended."""
    problem = Problem(416, "BLOB_UPLOAD_INVALID", "chunk is out of order")
    problem.headers["Range"] = f"0-{max(0, size - 1)}"
    return problem


def unsupported() -> Problem:
    """405: not a thing this registry does."""
    return Problem(405, "UNSUPPORTED", "the operation is unsupported")


def unauthorized(challenge: str) -> Problem:
    """401: a token is needed, and where to get one."""
    problem = Problem(401, "UNAUTHORIZED", "authentication required")
    problem.headers["WWW-Authenticate"] = challenge
    return problem
