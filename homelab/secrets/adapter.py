"""hvac's transport over our HTTP client: hvac builds paths and reads answers, we carry them. Layer: secrets."""

from __future__ import annotations

import json
from typing import Any

import hvac.adapters  # noqa: TID253 -- this is its home, loaded by homelab.secrets.vault
import hvac.exceptions  # noqa: TID253 -- likewise

from homelab.errors import HttpStatus
from homelab.http.port import JsonHttp

ANSWERED_BY_CALLER = range(400, 500)


class HttpAdapter(hvac.adapters.Adapter):  # type: ignore[misc] # hvac ships no types
    """An ``hvac.adapters.Adapter`` without requests. ``http`` carries token and namespace already."""

    def __init__(self, http: JsonHttp) -> None:
        """Not the base class's: that one opens a requests session, with its own rules for TLS and proxies."""
        self._http = http
        self.base_uri = http.site.url
        self.token = None
        self.namespace = None

    def request(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        raise_exception: bool = True,  # noqa: FBT001, FBT002 -- hvac's signature
        **options: Any,
    ) -> Any:
        """Return the decoded answer. Raises hvac's exception for a 4xx, ours for everything else."""
        del headers, raise_exception
        params = dict(options.get("params") or {})
        if method.lower() == "list":
            method, params = "get", {**params, "list": "true"}
        try:
            if method.lower() == "get":
                return self._http.get(url, params=params or None)
            answer = self._http.send(method.upper(), url, params=params or None, json=options.get("json"))
            return answer.json() if answer.body else None
        except HttpStatus as error:
            if error.status not in ANSWERED_BY_CALLER:
                raise
            raise hvac.exceptions.VaultError.from_status(
                error.status, method=method, url=url, errors=_errors(error.body), text=error.body
            ) from error

    def get_login_token(self, response: Any) -> str:
        """Return the token of a login's answer."""
        return str(response["auth"]["client_token"])


def _errors(body: str) -> list[str] | None:
    try:
        return [str(error) for error in json.loads(body)["errors"]]
    except (ValueError, KeyError, TypeError):
        return None
