"""Asking a Forgejo or Gitea server about one repository: its calls, its pages, its powers. Layer: ci, below the client.

Facts are from the servers' routers and swagger files (gitea 1.19–1.27, forgejo 7–16).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from homelab.ci.actions.kept import KeptPowers
from homelab.ci.actions.powers import Powers, powers
from homelab.ci.fields import Json, items, text
from homelab.errors import HomelabError, HttpStatus, NothingThere, PermissionMissing, TokenRejected
from homelab.http.port import Answer, JsonHttp, Params

UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
#: The default cap of a page; it is applied without an error, and may be set lower (MAX_RESPONSE_ITEMS).
LIMIT = 50
#: Rows after which a list is no longer read: more than a commit's jobs, or the runs of months.
MAX_ROWS = 2000
_MISSING = object()
_MESSAGE = re.compile(r'"message"\s*:\s*"([^"]*)"')


class ActionsAsk:
    """One repository's calls."""

    def __init__(self, http: JsonHttp, slug: str, *, name: str, kept: KeptPowers | None = None) -> None:
        """``slug`` is ``owner/name``; ``kept`` remembers what the server can be asked."""
        self.name, self.slug, self.http = name, slug, http
        self.budget: float | None = None
        self._kept = kept
        self._powers: Powers | None = None
        self._repository: Json | None = None
        self._version: str | None = None

    @property
    def ahead(self) -> float | None:
        """Seconds the server's clock is ahead of ours; None where it did not say."""
        return self.http.ahead

    @property
    def web(self) -> str:
        """The repository's page."""
        return f"{self.http.site.url.rstrip('/')}/{self.slug}"

    @property
    def host(self) -> str:
        """Scheme and host: the servers give pages of jobs without them."""
        parts = urlsplit(self.http.site.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """The repository's path in the API."""
        return f"/api/v1/repos/{quote(self.slug)}"

    def version(self) -> str:
        """Return the server's version; "" where it does not tell. Names what was kept, and words; decides no call."""
        if self._version is None:
            try:
                self._version = text(self.http.get("/api/v1/version", budget=self.budget), "version")
            except HttpStatus:
                self._version = ""
        return self._version

    def forgejo(self) -> bool:
        """Say whether it is a Forgejo: its version names the Gitea level it claims."""
        return "+gitea-" in self.version()

    def powers(self) -> Powers:
        """Return what the server can be asked; found out once, and kept for the next time."""
        if self._powers is None:
            self.repository()
            url, version = self.http.site.url, self.version() if self._kept else ""
            kept = self._kept.load(url, version) if self._kept else None
            self._powers = kept or powers(self.http, self.path)
            if self._kept and kept is None:
                self._kept.keep(url, version, self._powers)
        return self._powers

    def learn(self, **absent: bool) -> None:
        """Correct the powers by what the server does not have; what was kept of it is wrong, then."""
        self._powers = replace(self.powers(), **absent)
        if self._kept:
            self._kept.drop(self.http.site.url)

    def lacks(self, **absent: bool) -> None:
        """Correct the powers by what the server refuses this token."""
        self._powers = replace(self.powers(), **absent)

    def repository(self) -> Json:
        """Return the repository, asked once: it proves token, scope and access before anything is concluded."""
        if self._repository is None:
            try:
                found = self.http.get(self.path, budget=self.budget)
            except HttpStatus as error:
                raise self.explained(error) from error
            self._repository = found if isinstance(found, Mapping) else {}
        return self._repository

    def get(self, path: str, params: Params | None = None, *, absent: Any = _MISSING) -> Any:
        """Fetch below the repository; ``absent`` stands in for a 404."""
        try:
            return self.http.get(f"{self.path}{path}", params=params, budget=self.budget)
        except HttpStatus as error:
            return self._absent(error, absent)

    def rows(self, path: str, key: str, params: Params | None = None, *, absent: Any = _MISSING) -> Iterator[Json]:
        """Yield the rows of every page. Only the told total or a page without rows ends them: pages may be short."""
        seen = 0
        for page in range(1, MAX_ROWS + 1):
            answer = self._page(path, {**(params or {}), "limit": LIMIT, "page": page}, absent)
            body = answer.json() if answer is not None else absent
            found = items(body.get(key) if isinstance(body, Mapping) else body)
            yield from found
            seen += len(found)
            # A plain list is the whole answer: only objects are paged here.
            if answer is None or not found or isinstance(body, list) or seen >= _total(answer):
                return

    def _page(self, path: str, params: Params, absent: Any) -> Answer | None:
        try:
            return self.http.answer(f"{self.path}{path}", params=params, budget=self.budget)
        except HttpStatus as error:
            self._absent(error, absent)
            return None

    def _absent(self, error: HttpStatus, absent: Any) -> Any:
        if error.status == NOT_FOUND and absent is not _MISSING:
            return absent
        raise error if error.status == NOT_FOUND else self.explained(error)

    def explained(self, error: HttpStatus) -> HomelabError:
        """Return what a refusal means here."""
        where = self.http.site.url
        if error.status == UNAUTHORIZED:
            return TokenRejected(
                f"{self.name} does not accept the token",
                why=f"{where} answered 401: {said(error) or 'no reason'}",
                fix=f"make a token on {where}/user/settings/applications with read:repository, then: homelab doctor",
            )
        if error.status == FORBIDDEN:
            return PermissionMissing(
                f"{self.name} refuses {self.slug} to this token",
                why=said(error) or "a scope or a right is missing",
                fix=f"give the token read:repository, write:repository to change things, on {where}/user/settings",
            )
        if error.status == NOT_FOUND:
            return NothingThere(
                f"{self.name} has no repository {self.slug}",
                why="it is not there, or private and this token cannot see it; the server does not tell which",
                fix=f"open {self.web}, or give the token access to it",
            )
        return error


def said(error: HttpStatus) -> str:
    """Return the server's own words of a refusal: errors are ``{"message", "url"}``; "" where it has none."""
    found = _MESSAGE.search(error.body)
    return found[1] if found else error.body


def _total(answer: Answer) -> int:
    """Return how many rows there are over all pages: the header's number. A body's own may be its page's alone."""
    told = answer.headers.get("x-total-count", "")
    return min(int(told), MAX_ROWS) if told.isascii() and told.isdigit() else MAX_ROWS
