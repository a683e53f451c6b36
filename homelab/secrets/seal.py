"""Where Vault is, and whether it can answer at all: initialised, unsealed, active. Layer: secrets; loads no hvac."""

from __future__ import annotations

from typing import Any

from homelab.errors import HomelabError, HttpStatus, PersonNeeded, Unreachable
from homelab.http.port import Site
from homelab.secrets.chain import Http
from homelab.secrets.typed import vault_command
from homelab.settings.model import VaultServer

# Vault answers 429, 472, 473, 501 and 503 here for its states unless told to answer 200
# (developer.hashicorp.com/vault/api-docs/system/health).
ALWAYS_200: dict[str, str | int] = {
    "standbyok": "true",
    "perfstandbyok": "true",
    "sealedcode": 200,
    "uninitcode": 200,
    "drsecondarycode": 200,
}


def site_of(vault: VaultServer) -> Site:
    """Return Vault as a client with a token knows it, namespace included."""
    # X-Vault-Request lets a Vault agent tell a client from a tricked browser.
    headers = [("X-Vault-Request", "true")]
    if vault.namespace:
        headers.append(("X-Vault-Namespace", vault.namespace))
    return Site(
        url=vault.addr or "",
        dial=vault.dial,
        ca_file=vault.ca_file,
        name="Vault",
        token_header="X-Vault-Token",  # noqa: S106 -- a header's name
        headers=tuple(headers),
    )


def require_open(http: Http, vault: VaultServer) -> bool:
    """Return when Vault is initialised and unsealed: True where the node only stands by.

    A standby node passes requests on to the active one, if it can. Raises PersonNeeded when
    closed, Unreachable for a node that serves no secrets. Asks without token and namespace: the
    path exists in the root namespace only.
    """
    anonymous = http(Site(url=vault.addr or "", dial=vault.dial, ca_file=vault.ca_file, name="Vault"), None)
    try:
        health = anonymous.get("/v1/sys/health", params=ALWAYS_200)
    except HttpStatus:
        return False  # a proxy that hides this path; reading will tell
    finally:
        anonymous.close()
    return judge_health(health, vault)


def standby_only(vault: VaultServer, error: HomelabError) -> Unreachable:
    """Return the error for a standby node that did not pass the request on."""
    return Unreachable(
        f"Vault at {vault.addr} is a standby node and did not pass the request on",
        why=error.what,
        fix="set the vault addr (or dial) to the active node; where it is set: homelab config show",
    )


def judge_health(health: Any, vault: VaultServer) -> bool:
    """Say whether the node stands by.

    Raises when ``health``, the answer of ``/v1/sys/health``, says that no secret can be read there.
    """
    addr = vault.addr
    if not isinstance(health, dict):
        raise Unreachable(
            f"Vault at {addr} answered its health in an unknown form", why="no object", fix="homelab doctor"
        )
    if health.get("initialized") is False:
        raise PersonNeeded(
            f"Vault at {addr} is not initialised",
            why="it has no keys and holds no secrets yet",
            fix=vault_command(vault, "operator init"),
        )
    if health.get("sealed"):
        raise PersonNeeded(
            f"Vault at {addr} is sealed",
            why="its keys are not loaded; somebody who holds an unseal key must enter it",
            fix=vault_command(vault, "operator unseal"),
        )
    if health.get("replication_dr_mode") == "secondary":
        raise Unreachable(
            f"Vault at {addr} is a disaster-recovery secondary",
            why="such a node serves no secrets until it is promoted",
            fix="set the vault addr (or dial) to the primary; where it is set: homelab config show",
        )
    return bool(health.get("standby"))
