"""Kubernetes answers and broken connections, in our errors. Pure; layer: the Kubernetes adapter."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from homelab.errors import (
    CertificateRefused,
    HomelabError,
    HttpStatus,
    PermissionMissing,
    TokenRejected,
    Unreachable,
    WrongService,
)
from homelab.kube.port import Json

#: What a proxy, an API server at its limit, or one that restarts answers; it may pass.
MAY_PASS = frozenset({429, 500, 502, 503, 504})


def resource_of(path: str) -> tuple[str, str]:
    """Return (resource, place) of an API path: ``("pods", "namespace t")``, ``("nodes", "the cluster")``."""
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    match parts:
        case ["namespaces", namespace, resource, _, below, *_]:
            return f"{resource}/{below}", f"namespace {namespace}"
        case ["namespaces", namespace, resource, *_]:
            return resource, f"namespace {namespace}"
        case [resource, *_]:
            return resource, "the cluster"
        case _:
            return "the API", "the cluster"


def status_text(body: bytes) -> tuple[str, str]:
    """Return (reason, message) of a Status object; ("", "") where the body is something else."""
    try:
        value = json.loads(body)
    except ValueError:
        return "", ""
    if not isinstance(value, dict) or value.get("kind") != "Status":
        return "", ""
    return str(value.get("reason") or ""), str(value.get("message") or "")


def refusal(
    status: int, body: bytes, *, verb: str, path: str, server: str, retry_after: float | None = None
) -> HomelabError:
    """Return the error for an answer with ``status`` >= 300; ``retry_after`` is in seconds."""
    resource, place = resource_of(path)
    reason, message = status_text(body)
    if status < HTTPStatus.BAD_REQUEST:
        return _redirected(server, status)
    if status == HTTPStatus.UNAUTHORIZED:
        return _not_recognised(server, message)
    if status == HTTPStatus.FORBIDDEN:
        return _forbidden(server, verb, resource, place, message)
    shown = message or body[:256].decode(errors="replace").strip()
    return HttpStatus(
        f"{server} answered {status} to {verb} {resource} in {place}",
        status=status,
        body=reason or shown,
        why=shown[:256] or "the answer had no text",
        fix=f"kubectl --context {server} get --raw {path}",
        retry_after=retry_after,
    )


def _redirected(server: str, status: int) -> WrongService:
    return WrongService(
        f"{server}: the address redirects ({status}) instead of answering",
        why="a login portal or a proxy stands where the Kubernetes API should be; no credentials were sent on",
        fix="check `server:` in the kubeconfig: kubectl config view --minify",
    )


def _not_recognised(server: str, message: str) -> TokenRejected:
    return TokenRejected(
        f"{server} does not accept the kubeconfig's credentials",
        why=message or "401 Unauthorized, also after reading the credentials again",
        fix=f"log in again, then check: kubectl --context {server} auth whoami",
    )


def _forbidden(server: str, verb: str, resource: str, place: str, message: str) -> PermissionMissing:
    return PermissionMissing(
        f"{server}: not allowed to {verb} {resource} in {place}",
        why=message or "403 Forbidden",
        fix=f"homelab deploy rbac{' --change' if verb == 'patch' else ''}  # prints the Role to ask for",
    )


def retry_after(text: str | None, now: float) -> float | None:
    """Return ``Retry-After`` as seconds from ``now`` (Unix time): a number or a date; None where it is neither."""
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (ValueError, TypeError):
        return None


def not_json(server: str, body: bytes) -> WrongService:
    """Return the error for a good status without a JSON object in it."""
    start = body[:60].decode(errors="replace").strip().replace("\n", " ")
    return WrongService(
        f"{server}: the answer is not from a Kubernetes API",
        why=f"expected a JSON object, got: {start or 'nothing'}",
        fix="check `server:` in the kubeconfig: kubectl config view --minify",
    )


def bad_certificate(server: str, reason: str) -> CertificateRefused:
    """Return the error for a failed TLS handshake."""
    return CertificateRefused(
        f"{server}: the API server's certificate is refused",
        why=reason[:256],
        fix="check `certificate-authority` and `tls-server-name` in the kubeconfig; nothing was sent",
    )


def no_answer(server: str, host: str, reason: str) -> Unreachable:
    """Return the error for a server that could not be reached within the budget."""
    return Unreachable(
        f"{server}: no answer from {host}",
        why=reason[:256],
        fix=f"kubectl --context {server} get --raw /readyz",
    )


def stream_error(status: Json, *, path: str, server: str) -> HomelabError:
    """Return the error for the Status inside a watch's ERROR event."""
    code = int(status.get("code") or 0)
    if status.get("reason") in ("Expired", "Gone"):
        code = HTTPStatus.GONE
    return refusal(
        code or 500, json.dumps({"kind": "Status", **status}).encode(), verb="watch", path=path, server=server
    )
