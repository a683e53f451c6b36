"""Which forge stands behind a git remote: the git host is not always the forge's host.

Layer: git adapter. May ask ``ssh -G``, which evaluates the person's own ssh configuration and
reaches no network.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from homelab.git import child, environment
from homelab.git.port import RemoteUrl
from homelab.git.remote_url import ALIASES, under
from homelab.settings.model import CiServer, Forge

_SSH_CONFIG_TIMEOUT = 5.0

SshName = Callable[[str, Mapping[str, str]], str | None]


def ssh_name(host: str, env: Mapping[str, str]) -> str | None:
    """Return the ``HostName`` ssh would dial for ``host``, or None when ssh cannot say."""
    if host.startswith("-"):
        return None
    order = child.Order(
        argv=("ssh", "-G", "--", host),
        cwd=Path("/"),
        env=environment.for_commands(env),
        timeout=_SSH_CONFIG_TIMEOUT,
    )
    try:
        ended = child.run(order)
    except OSError:
        return None
    found = re.search(r"^hostname (\S+)$", ended.out, re.MULTILINE) if ended.code == 0 else None
    return found[1].lower() if found else None


def forge_host(
    remote: RemoteUrl,
    forges: Mapping[str, Forge],
    ci_servers: Mapping[str, CiServer],
    env: Mapping[str, str],
    *,
    ask_ssh: SshName = ssh_name,
) -> str | None:
    """Return the canonical host of the forge behind ``remote``, or None where there is none.

    Order: the forge configured for the git host, a configured forge with that ssh host, a host some
    CI server serves, the known aliases, and only for an ssh host nobody configured, ssh's own alias.
    The answer chooses a configured server; it never becomes the address a token is sent to.
    """
    host = remote.host
    if host is None or remote.kind in {"local", "codecommit"}:
        return None
    configured = _configured(host, forges, ci_servers)
    if configured or remote.plain_server:
        return configured
    if host in ALIASES.values() or remote.kind != "ssh":
        return host
    named = ask_ssh(host, env)
    if named is None or named == host or _is_address(named):
        return host
    named = ALIASES.get(named, named)
    return _configured(named, forges, ci_servers) or named


def forge_repository(remote: RemoteUrl, host: str | None, forges: Mapping[str, Forge]) -> RemoteUrl:
    """Return ``remote`` as its forge names it: without a configured base path, host canonical."""
    forge = forges.get(host or "") or forges.get(remote.host or "")
    return under(remote, forge.base_path) if forge else remote


def _configured(host: str, forges: Mapping[str, Forge], ci_servers: Mapping[str, CiServer]) -> str | None:
    for forge in forges.values():
        if host in {forge.host.lower(), (forge.ssh_host or "").lower()}:
            return forge.host.lower()
    served = {name.lower() for server in ci_servers.values() for name in server.forges}
    return host if host in served else None


def _is_address(name: str) -> bool:
    """Say whether ssh dials a bare address: that names a machine, not a forge."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
