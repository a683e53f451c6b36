"""Vault's own commands as a person types them for the configured server. Pure. Layer: secrets."""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

from homelab.settings.model import VaultServer


def vault_command(vault: VaultServer, words: str) -> str:
    """Return ``vault <words>`` with the variables it needs; OpenBao's ``bao`` takes the same.

    Vault's program cannot dial another address than the URL's: where homelab does, that is said.
    """
    said = {"VAULT_ADDR": vault.addr, "VAULT_NAMESPACE": vault.namespace, "VAULT_CACERT": vault.ca_file}
    variables = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in said.items() if value)
    command = f"{variables} vault {words}".strip()
    if not vault.dial:
        return command
    host = urlsplit(vault.addr or "").hostname
    return f"{command}   (or bao; where {host} resolves to its load balancer, here {vault.dial})"
