"""From a repository's remote to the CI that builds it, with the token bound to that server.

Layer: ci; the only module of the domain that knows the app.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from homelab.app import App
from homelab.ci.actions.client import Actions
from homelab.ci.actions.kept import KeptPowers
from homelab.ci.port import CiRepository
from homelab.ci.survey import Bring
from homelab.ci.witness import Witness
from homelab.ci.woodpecker.client import FINGERPRINT, Woodpecker
from homelab.errors import NothingThere, UsageError
from homelab.events import Notice
from homelab.forge import connect as forge
from homelab.git.forge_host import forge_host, forge_repository
from homelab.http.port import JsonHttp, Site
from homelab.settings.choose import ci_server, ci_servers
from homelab.settings.model import CiServer

#: A branch's name as a CI server may tell it, safe beside a colon-separated refspec.
BRANCH = re.compile(r"[\w][\w./+@-]*")
FETCH_TIMEOUT = 30.0
#: Seconds in which the forge's token must be found: it is wanted for a reason, not for the verdict.
TOKEN_TIMEOUT = 5.0
#: What a server's API is: Woodpecker's, or the Actions API of Forgejo and Gitea.
ACTIONS_KINDS = ("forgejo", "gitea", "actions")


def connect(app: App, *, server: str | None = None, remote: str | None = None) -> CiRepository:
    """Return the repository of ``remote`` (its push side) on the one CI server that serves its forge.

    Raises UsageError where remote or server must be named, TokenMissing where no token is found.
    """
    host, slug = _repository(app, remote)
    return _open(app, ci_server(app.settings, host, server), slug)


def connect_all(
    app: App, *, server: str | None = None, remote: str | None = None, budget: float | None = None
) -> tuple[CiRepository, ...]:
    """Return the repository on every CI server that serves its forge, or on ``server`` alone.

    ``budget`` bounds each question that is asked of them before a use case sets its own (seconds).
    Of several servers, those that do not know the repository are left out, and said. Raises as
    ``connect``, and NothingThere where none of several knows it.
    """
    host, slug = _repository(app, remote)
    servers = tuple(_open(app, one, slug) for one in ci_servers(app.settings, host, server))
    for ci in servers:
        ci.budget = min(budget, app.settings.timeouts.http) if budget is not None else None
    return servers if len(servers) == 1 else _known(app, servers)


def witness(app: App, remote: str | None = None) -> Witness:
    """Return the forge behind ``remote``; it is connected only when it is asked, and its token found soon or not."""
    return Witness(
        lambda: forge.connect(app.within(TOKEN_TIMEOUT), app.repository.remote(remote).push),
        configured=bool(app.settings.forges),
    )


def bringer(app: App, remote: str) -> Bring:
    """Return what fetches a branch of ``remote``: objects alone, no ref and no FETCH_HEAD is touched."""

    def bring(branch: str) -> None:
        if BRANCH.fullmatch(branch):
            quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--no-recurse-submodules")
            app.git.run("fetch", *quiet, "--end-of-options", remote, f"refs/heads/{branch}", timeout=FETCH_TIMEOUT)

    return bring


def _known(app: App, servers: Sequence[CiRepository]) -> tuple[CiRepository, ...]:
    known: list[CiRepository] = []
    unknown: list[NothingThere] = []
    for ci in servers:
        try:
            ci.facts()
        except NothingThere as error:
            unknown.append(error)
            app.emit(Notice(about="ci", text=f"{error.what}: left out"))
        else:
            known.append(ci)
    if not known:
        raise unknown[0]
    return tuple(known)


def _repository(app: App, remote: str | None) -> tuple[str | None, str]:
    """Return the forge host behind the remote, and ``owner/name`` there."""
    url = app.repository.remote(remote).push
    host = forge_host(url, app.settings.forges, app.settings.ci, app.world.env)
    return host, forge_repository(url, host, app.settings.forges).slug


def _open(app: App, server: CiServer, slug: str) -> CiRepository:
    if server.kind == "woodpecker":
        return _woodpecker(app, server, slug)
    if server.kind in ACTIONS_KINDS:
        return _actions(app, server, slug)
    raise UsageError(
        f"[ci.{server.name}] kind = {server.kind!r} is not a kind of CI homelab knows",
        why=f"known kinds: woodpecker, {', '.join(ACTIONS_KINDS)}",
        fix=f"edit {app.settings.user_file}, then: homelab config show",
    )


def _woodpecker(app: App, server: CiServer, slug: str) -> CiRepository:
    site = Site(server.url, dial=server.dial, ca_file=server.ca_file, name="Woodpecker", fingerprint=FINGERPRINT)
    token = app.ci_token(server)

    def client() -> JsonHttp:
        return app.http(site, token)

    return Woodpecker(client(), slug, name=server.name, second=client)


def _actions(app: App, server: CiServer, slug: str) -> CiRepository:
    name = "Gitea" if server.kind == "gitea" else "Forgejo"
    site = Site(server.url, dial=server.dial, ca_file=server.ca_file, name=name)
    kept = KeptPowers(app.world.state_home / "ci", app.clock.now)
    return Actions(app.http(site, app.ci_token(server)), slug, name=server.name, clock=app.clock, kept=kept)
