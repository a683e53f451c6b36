"""Which of the configured CI servers builds a repository. Layer: settings."""

from __future__ import annotations

from homelab.errors import UsageError
from homelab.settings.model import CiServer, Settings
from homelab.settings.user_file import ENVIRONMENT
from homelab.settings.visible import shortened


def ci_server(settings: Settings, forge_host: str | None, wanted: str | None) -> CiServer:
    """Return the one server for a repository of ``forge_host``; ``wanted`` is a name the user gave.

    Order: ``wanted``; the server of ``HOMELAB_CI_URL``; those whose ``forges`` hold the host; the only one
    without ``forges``. Raises UsageError listing the choices otherwise.
    """
    found = ci_servers(settings, forge_host, wanted)
    if len(found) == 1:
        return found[0]
    names = ", ".join(server.name for server in found)
    raise UsageError(
        f"several CI servers may build repositories of {_named(forge_host)}: {names}",
        why="homelab does not guess where a token goes",
        fix=f"repeat with --ci {found[0].name}, or set forges in {settings.user_file}",
    )


def ci_servers(settings: Settings, forge_host: str | None, wanted: str | None) -> tuple[CiServer, ...]:
    """Return every server that builds repositories of ``forge_host``, at least one. Raises UsageError for none."""
    if wanted is not None:
        return (_wanted(settings, wanted),)
    if ENVIRONMENT in settings.ci:
        return (settings.ci[ENVIRONMENT],)
    serving = tuple(server for server in settings.ci.values() if forge_host and forge_host.lower() in server.forges)
    if serving:
        return serving
    open_to_all = tuple(server for server in settings.ci.values() if not server.forges)
    if open_to_all:
        return open_to_all
    raise _none(settings, forge_host)


def _wanted(settings: Settings, wanted: str) -> CiServer:
    if wanted in settings.ci:
        return settings.ci[wanted]
    raise UsageError(
        f"there is no CI server named {shortened(wanted)}",
        why=f"configured: {', '.join(settings.ci) or 'none'}",
        fix="homelab config show lists them",
    )


def _none(settings: Settings, forge_host: str | None) -> UsageError:
    if not settings.ci:
        return UsageError(
            "no CI server is configured",
            why=f"neither HOMELAB_CI_URL nor a [ci.<name>] section in {settings.user_file}",
            fix="export HOMELAB_CI_URL=https://ci.example.org, then: homelab doctor",
        )
    served = "; ".join(f"{server.name}: {', '.join(server.forges)}" for server in settings.ci.values())
    return UsageError(
        f"no configured CI server builds repositories of {_named(forge_host)}",
        why=f"they serve {served}",
        fix=f"add the host to forges of [ci.<name>] in {settings.user_file}, or repeat with --ci NAME",
    )


def _named(forge_host: str | None) -> str:
    return forge_host or "a local remote"
