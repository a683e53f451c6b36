"""Check one CI server: its address and certificate, the token, the repository and the right to push.

Layer: doctor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homelab.app import App
from homelab.ci.woodpecker import FINGERPRINT, Woodpecker
from homelab.doctor.clocks import DAY, clock, skew, span
from homelab.doctor.model import Finding, fail, ok, skip, warn
from homelab.errors import HomelabError, HttpStatus, NothingThere, WrongService
from homelab.http.port import Answer, JsonHttp, Site
from homelab.settings.model import CiServer

#: A certificate this near its end, with most of its life behind it, should have been renewed.
_SOON = 14 * DAY
_LEFT = 0.2
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class CiCheck:
    """One server, and the repository it should know; ``slug`` None: outside a repository."""

    app: App
    server: CiServer
    slug: str | None

    @property
    def name(self) -> str:
        """``ci.<server>``."""
        return f"ci.{self.server.name}"

    @property
    def site(self) -> Site:
        """The server as the HTTP client knows it."""
        server = self.server
        return Site(server.url, dial=server.dial, ca_file=server.ca_file, name="Woodpecker", fingerprint=FINGERPRINT)

    def look(self) -> Iterator[Finding]:
        """Yield address, token and repository; what needs something that failed is skipped."""
        try:
            yield from self._address()
        except HomelabError as error:
            yield fail(self.name, error)
            yield from self._token_alone()
        else:
            yield from self._token_and_repository()

    def _address(self) -> Iterator[Finding]:
        answer = self._greeting(self.app.http(self.site))
        way = f" via {self.server.dial}" if self.server.dial else ""
        life = self.app.certificate_life(self.site)
        now = self.app.clock.now()
        certificate = f", certificate {span(life[1] - now)}" if life else ""
        version = answer.headers.get(FINGERPRINT) if answer else None
        yield ok(self.name, f"{self.server.url}{way}{certificate}{f', version {version}' if version else ''}")
        if life and life[1] - now < min(_SOON, _LEFT * (life[1] - life[0])):
            yield warn(
                f"{self.name}.certificate",
                f"the certificate ends in {span(life[1] - now)}",
                why="it should have been renewed by now; once it ends nothing is sent there",
                fix="look at the renewal on the server that holds it",
            )
        yield from clock(f"{self.name}.clock", self.server.name, skew(answer.headers, now) if answer else None)

    def _greeting(self, http: JsonHttp) -> Answer | None:
        """Return an answer that is Woodpecker's own, asked without the token; None where only its 401 proves it."""
        try:
            return http.fetch("/version")
        except (HttpStatus, WrongService):
            # A proxy may pass the API alone; a guest's 401 with the server's own header proves it too.
            try:
                return http.fetch("/api/user")
            except HttpStatus as error:
                if error.status != _UNAUTHORIZED:
                    raise
                return None

    def _token_alone(self) -> Iterator[Finding]:
        name = f"{self.name}.token"
        try:
            self.app.ci_token(self.server)
        except HomelabError as error:
            yield fail(name, error)
        else:
            yield skip(name, f"found in {self._place()}; not tried, the server does not answer")

    def _token_and_repository(self) -> Iterator[Finding]:
        name = f"{self.name}.token"
        try:
            token = self.app.ci_token(self.server)
            client = Woodpecker(
                self.app.http(self.site, token),
                self.slug or "",
                name=self.server.name,
                second=lambda: self.app.http(self.site, token),
            )
            login = client.login()
        except HomelabError as error:
            yield fail(name, error)
            yield skip(f"{self.name}.repository", "not asked without a valid token")
            return
        yield ok(name, f"{self._place()} is {login}")
        yield from self._repository(client, login)

    def _repository(self, client: Woodpecker, login: str) -> Iterator[Finding]:
        name = f"{self.name}.repository"
        if self.slug is None:
            yield skip(name, "not in a repository")
            return
        try:
            facts = client.facts()
        except HomelabError as error:
            yield fail(name, error)
            return
        if not facts.active:
            gone = NothingThere(
                f"{facts.slug} is switched off on {self.server.name}",
                why="it was activated once and is not now: no push makes a pipeline",
                fix=f"activate it on {client.activate_url()}",
            )
            yield fail(name, gone)
        elif facts.may_write:
            yield ok(name, f"{facts.slug}, {login} may push")
        else:
            yield warn(
                name,
                f"{facts.slug}, and {login} may only read",
                why="watching works; restarting and approving pipelines do not",
                fix=f"ask an owner of {facts.slug} on the forge for the right to push",
            )

    def _place(self) -> str:
        set_ = [name for name in self.server.token_env if self.app.world.env.get(name, "").strip()]
        return f"environment {set_[0]}" if set_ else f"Vault {self.server.token_vault}"
