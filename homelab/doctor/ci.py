"""Check one CI server: its address and certificate, the token, the repository and the right to push.

Layer: doctor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homelab.app import App
from homelab.doctor.clocks import DAY, clock, span
from homelab.doctor.faces import Face, face_of
from homelab.doctor.model import Finding, fail, ok, skip, warn
from homelab.errors import HomelabError, NothingThere
from homelab.http.port import JsonHttp
from homelab.http.skew import skew
from homelab.settings.model import CiServer

#: A certificate this near its end, with most of its life behind it, should have been renewed.
_SOON = 14 * DAY
_LEFT = 0.2


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
    def face(self) -> Face:
        """How this kind of server is asked."""
        return face_of(self.server, self.app.clock)

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
        site = self.face.site()
        version, answer = self.face.greeting(self.app.http(site))
        way = f" via {self.server.dial}" if self.server.dial else ""
        life = self.app.certificate_life(site)
        now = self.app.clock.now()
        certificate = f", certificate {span(life[1] - now)}" if life else ""
        yield ok(self.name, f"{self.server.url}{way}{certificate}{f', version {version}' if version else ''}")
        if life and life[1] - now < min(_SOON, _LEFT * (life[1] - life[0])):
            yield warn(
                f"{self.name}.certificate",
                f"the certificate ends in {span(life[1] - now)}",
                why="it should have been renewed by now; once it ends nothing is sent there",
                fix="look at the renewal on the server that holds it",
            )
        yield from clock(f"{self.name}.clock", self.server.name, skew(answer.headers, now) if answer else None)

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
            http = self.app.http(self.face.site(), token)
            user = self.face.user(http)
        except HomelabError as error:
            yield fail(name, error)
            yield skip(f"{self.name}.repository", "not asked without a valid token")
            return
        yield ok(name, f"{self._place()} is {user}")
        yield from self._repository(http)

    def _repository(self, http: JsonHttp) -> Iterator[Finding]:
        name = f"{self.name}.repository"
        if self.slug is None:
            yield skip(name, "not in a repository")
            return
        try:
            repository = self.face.repository(http, self.slug)
            facts = repository.facts()
        except HomelabError as error:
            yield fail(name, error)
            return
        if not facts.active:
            off = NothingThere(
                f"{facts.slug} is switched off on {self.server.name}",
                why="it is known there and no push makes a run",
                fix=f"switch it on: {repository.activate_url()}",
            )
            yield fail(name, off)
        elif facts.may_write:
            yield ok(name, f"{facts.slug}, the token may push")
        else:
            yield warn(
                name,
                f"{facts.slug}, and the token may only read",
                why="watching works; restarting and approving do not",
                fix=f"ask an owner of {facts.slug} on the forge for the right to push",
            )

    def _place(self) -> str:
        set_ = [name for name in self.server.token_env if self.app.world.env.get(name, "").strip()]
        return f"environment {set_[0]}" if set_ else f"Vault {self.server.token_vault}"
