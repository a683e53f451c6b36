"""From a repository's remote to the CI that builds it, with the token bound to that server.

Layer: ci; the only module of the domain that knows the app.
"""

from __future__ import annotations

from homelab.app import App
from homelab.ci.port import CiRepository
from homelab.ci.woodpecker import FINGERPRINT, Woodpecker
from homelab.errors import UsageError
from homelab.git.forge_host import forge_host, forge_repository
from homelab.http.port import JsonHttp, Site
from homelab.settings.choose import ci_server
from homelab.settings.model import CiServer


def connect(app: App, *, server: str | None = None, remote: str | None = None) -> CiRepository:
    """Return the repository of ``remote`` (its push side) on the CI server that serves its forge.

    Raises UsageError where remote or server must be named, TokenMissing where no token is found.
    """
    url = app.repository.remote(remote).push
    settings = app.settings
    host = forge_host(url, settings.forges, settings.ci, app.world.env)
    return _open(app, ci_server(settings, host, server), forge_repository(url, host, settings.forges).slug)


def _open(app: App, server: CiServer, slug: str) -> CiRepository:
    if server.kind != "woodpecker":
        raise UsageError(
            f"[ci.{server.name}] kind = {server.kind!r} is not a kind of CI homelab knows",
            why="known kinds: woodpecker",
            fix=f"edit {app.settings.user_file}, then: homelab config show",
        )
    site = Site(server.url, dial=server.dial, ca_file=server.ca_file, name="Woodpecker", fingerprint=FINGERPRINT)
    token = app.ci_token(server)

    def client() -> JsonHttp:
        return app.http(site, token)

    return Woodpecker(client(), slug, name=server.name, second=client)
