"""Check Vault or OpenBao: whether it answers, is unsealed, and knows the token. Layer: doctor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from homelab.app import App
from homelab.doctor.clocks import HOUR, span
from homelab.doctor.model import Finding, ok, skip, warn
from homelab.errors import HttpStatus, TokenRejected
from homelab.http.port import JsonHttp
from homelab.secrets.chain import VaultToken, find_vault_token
from homelab.secrets.seal import require_open, site_of
from homelab.secrets.typed import vault_command
from homelab.settings.model import VaultServer

_FORBIDDEN = 403


def vault(app: App, server: VaultServer) -> Iterator[Finding]:
    """Yield address and token. Raises PersonNeeded when sealed, Unreachable, TokenRejected."""
    if not server.addr:
        yield skip("vault", "none configured")
        return
    standby = require_open(app.http, server)
    way = f" via {server.dial}" if server.dial else ""
    yield ok("vault", f"{server.addr}{way}, unsealed{', a standby node' if standby else ''}")
    token = find_vault_token(app.world.env, app.world.home)
    if token is None:
        yield warn(
            "vault.token",
            "no VAULT_TOKEN and no ~/.vault-token",
            why="nothing can be read from Vault; tokens from the environment still work",
            fix=vault_command(server, "login"),
        )
    else:
        yield _standing(app.http(site_of(server), token.secret), server, token)


def _standing(http: JsonHttp, server: VaultServer, token: VaultToken) -> Finding:
    said = _looked_up(http, server, token)
    policies = ", ".join(map(str, said.get("policies") or ())) or "hidden"
    left = said.get("ttl")
    lasting = not isinstance(left, int | float) or left == 0
    says = f"{token.place}, policies {policies}" + ("" if lasting else f", {span(float(left or 0))} left")
    if lasting or float(left or 0) > HOUR:
        return ok("vault.token", says)
    return warn("vault.token", says, why="a long watch may outlive it", fix=vault_command(server, "token renew"))


def _looked_up(http: JsonHttp, server: VaultServer, token: VaultToken) -> dict[str, Any]:
    """Return what Vault says of the token; {} for a valid one that may not look itself up."""
    # The second path needs no policy, only a valid token: its 403 is the proof of a bad one.
    for path in ("/v1/auth/token/lookup-self", "/v1/sys/internal/ui/mounts"):
        try:
            said = http.get(path)
        except HttpStatus as error:
            if error.status != _FORBIDDEN:
                raise
            continue
        data = said.get("data") if isinstance(said, dict) else None
        return data if isinstance(data, dict) and path.endswith("self") else {}
    raise TokenRejected(
        f"the Vault token from {token.place} is expired or invalid",
        why=f"{server.addr} does not know it",
        fix=vault_command(server, "login"),
    )
