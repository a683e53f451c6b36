"""Commands of Vault's own program, complete as typed."""

from __future__ import annotations

from pathlib import Path

from homelab.secrets.typed import vault_command
from homelab.settings.model import VaultServer


def test_a_command_names_every_variable_the_server_needs() -> None:
    server = VaultServer(addr="https://vault.example.org", namespace="team", ca_file=Path("/etc/my ca.pem"))
    assert vault_command(server, "login") == (
        "VAULT_ADDR=https://vault.example.org VAULT_NAMESPACE=team VAULT_CACERT='/etc/my ca.pem' vault login"
    )


def test_where_homelab_dials_the_command_says_what_must_resolve() -> None:
    server = VaultServer(addr="https://vault.example.org", dial="192.0.2.10")
    assert vault_command(server, "operator unseal") == (
        "VAULT_ADDR=https://vault.example.org vault operator unseal"
        "   (or bao; where vault.example.org resolves to its load balancer, here 192.0.2.10)"
    )


def test_without_an_address_the_program_finds_its_own() -> None:
    assert vault_command(VaultServer(), "login") == "vault login"
