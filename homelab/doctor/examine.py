"""``doctor``: every part of the loop, from git to the cluster. Layer: doctor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from homelab.app import App
from homelab.doctor import local
from homelab.doctor.ci import CiCheck
from homelab.doctor.kubernetes import kubernetes
from homelab.doctor.model import Diagnosis, Finding, diagnosis, fail
from homelab.doctor.remote import remote_answers
from homelab.doctor.rounds import Check, rounds
from homelab.doctor.vault import vault
from homelab.errors import HomelabError, UsageError
from homelab.git.forge_host import forge_host, forge_repository
from homelab.git.port import Remote
from homelab.settings.choose import ci_servers
from homelab.settings.model import Settings

T = TypeVar("T")

#: Seconds, at most: one fetch with its retries, and everything together.
FETCH, EVERYTHING = 8.0, 30.0


def examine(app: App) -> Diagnosis:
    """Look at everything and return all findings; a part that is broken, or hangs, stops no other."""
    settings = _try(lambda: app.settings)
    if isinstance(settings, HomelabError):
        hurried = app  # nothing far is asked, and this error must not vanish under our own budget
    else:
        app.load_adapters()
        hurried = app.within(min(FETCH, settings.timeouts.http))
    return diagnosis(rounds(tuple(_checks(hurried)), limit=EVERYTHING, world=app.world, emit=app.emit))


def _checks(app: App) -> Iterator[Check]:
    yield Check("git", lambda: local.git(app))
    settings = _try(lambda: app.settings)
    repository = _try(lambda: app.repository)
    remote = _try(lambda: app.repository.remote(None)) if not isinstance(repository, HomelabError) else repository
    if isinstance(settings, HomelabError):
        yield _failed("configuration", settings)
    else:
        yield Check("configuration", lambda: local.configuration(app, settings))
    if isinstance(remote, HomelabError):
        yield _failed("repository", remote)
    else:
        yield Check("repository", lambda: local.repository(app.repository, remote))
        yield Check("remote", lambda: remote_answers(app.git, remote))
    if not isinstance(settings, HomelabError):
        yield from _far(app, settings, None if isinstance(remote, HomelabError) else remote)
        if not isinstance(repository, HomelabError):
            yield Check("trust", lambda: local.trust(app, settings))


def _far(app: App, settings: Settings, remote: Remote | None) -> Iterator[Check]:
    """Yield the servers' checks. The repository's forge chooses the CI servers; without one all are looked at."""
    host = forge_host(remote.push, settings.forges, settings.ci, app.world.env) if remote else None
    slug = forge_repository(remote.push, host, settings.forges).slug if remote else None
    try:
        servers = ci_servers(settings, host, None) if remote or not settings.ci else tuple(settings.ci.values())
    except UsageError as error:
        yield _failed("ci", error)
    else:
        for server in servers:
            check = CiCheck(app, server, slug)
            yield Check(check.name, check.look)
    yield Check("vault", lambda: vault(app, settings.vault))
    yield Check("kubernetes", lambda: kubernetes(app, settings))


def _try(look: Callable[[], T]) -> T | HomelabError:
    try:
        return look()
    except HomelabError as error:
        return error


def _failed(name: str, error: HomelabError) -> Check:
    def look() -> Iterator[Finding]:
        yield fail(name, error)

    return Check(name, look)
