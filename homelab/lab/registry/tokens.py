"""Bearer tokens for a registry with users: who may ask for one, and for what. Layer: state of the lab registry.

From distribution ``docs/spec/auth/token.md``: a 401 names the realm, the realm trades Basic credentials for a token.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Mapping

from homelab.lab.registry.problems import Problem, unauthorized

LIFETIME = 300


class Tokens:
    """Issues and checks tokens for ``users`` (name to password)."""

    def __init__(self, users: Mapping[str, str], service: str) -> None:
        """No users means that everybody may do everything."""
        self._users = users
        self._service = service
        self._issued: dict[str, tuple[float, str]] = {}

    def check(self, authorization: str, realm: str, repository: str, action: str) -> None:
        """Refuse with 401 and a challenge unless the token covers ``action`` (pull, push) on ``repository``."""
        if not self._users:
            return
        scope = f"repository:{repository}:{action}" if repository else ""
        scheme, _, token = authorization.partition(" ")
        until, granted = self._issued.get(token, (0.0, ""))
        if scheme.lower() == "bearer" and until > time.monotonic() and self._covers(granted, repository, action):
            return
        asked = f',scope="repository:{repository}:{"pull,push" if action == "push" else action}"' if scope else ""
        raise unauthorized(f'Bearer realm="{realm}",service="{self._service}"{asked}')

    def issue(self, authorization: str, scope: str) -> dict[str, object]:
        """Return a token for the scope; refuses with 401 what is not a known user's name and password."""
        scheme, _, encoded = authorization.partition(" ")
        name, _, password = _decoded(encoded).partition(":") if scheme.lower() == "basic" else ("", "", "")
        known = self._users.get(name)
        if known is None or not hmac.compare_digest(known.encode(), password.encode()):
            raise Problem(401, "UNAUTHORIZED", "authentication required")
        token = secrets.token_urlsafe(24)
        self._issued[token] = (time.monotonic() + LIFETIME, scope)
        return {"token": token, "access_token": token, "expires_in": LIFETIME}

    @staticmethod
    def _covers(granted: str, repository: str, action: str) -> bool:
        if not repository:
            return True
        kind, _, rest = granted.partition(":")
        name, _, actions = rest.rpartition(":")
        return (kind, name) == ("repository", repository) and action in actions.split(",")


def _decoded(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return ""
