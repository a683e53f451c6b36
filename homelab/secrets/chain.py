"""Where a CI server's token comes from: the environment, then Vault; and what to type when from nowhere.

A token is bound to the server it was found for; nothing a repository says is read here. Layer:
secrets; loads hvac only when Vault is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from homelab.errors import TokenMissing
from homelab.http.port import JsonHttp, Site
from homelab.secret import Secret
from homelab.secrets.reference import Reference
from homelab.secrets.typed import vault_command
from homelab.settings.model import CiServer, VaultServer

Http = Callable[[Site, Secret | None], JsonHttp]

VAULT_TOKEN_FILE = ".vault-token"  # noqa: S105 -- a file's name


@dataclass(frozen=True, slots=True)
class VaultToken:
    """A token for Vault and the place it was found in, for messages."""

    secret: Secret
    place: str


@dataclass(frozen=True, slots=True)
class Looked:
    """A place that held no token, and the command that would put one there."""

    place: str
    command: str

    def __str__(self) -> str:
        """``place; command``, one line."""
        return f"{self.place}: {self.command}"


def find_token(server: CiServer, *, env: Mapping[str, str], home: Path, vault: VaultServer, http: Http) -> Secret:
    """Return the token of ``server``: the first of its environment variables that is set, else from Vault.

    Raises TokenMissing naming each place looked in; where Vault is the place, what
    :func:`homelab.secrets.vault.read_field` raises.
    """
    for name in server.token_env:
        if value := env.get(name, "").strip():
            return Secret(value)
    reference = Reference.parse(server.token_vault) if server.token_vault else None
    token = find_vault_token(env, home)
    if reference and vault.addr and token:
        from homelab.secrets.vault import read_field  # noqa: PLC0415 -- hvac costs 100 ms that most runs never need

        return read_field(reference, vault=vault, token=token, http=http)
    looked = (*_environment(server), *_vault(server, vault, token))
    raise TokenMissing(
        f"no token for {server.kind} at {server.url}",
        why=f"looked in {len(looked)} place{'s' if len(looked) > 1 else ''}, none holds one",
        fix=looked[0].command,
        details=tuple(map(str, looked)),
    )


def find_vault_token(env: Mapping[str, str], home: Path) -> VaultToken | None:
    """Return the token that Vault's own command line would use: ``VAULT_TOKEN``, then ``~/.vault-token``."""
    if value := env.get("VAULT_TOKEN", "").strip():
        return VaultToken(Secret(value), "VAULT_TOKEN")
    try:
        value = (home / VAULT_TOKEN_FILE).read_text().strip()
    except (OSError, ValueError):
        return None
    return VaultToken(Secret(value), f"~/{VAULT_TOKEN_FILE}") if value else None


def _environment(server: CiServer) -> Iterator[Looked]:
    for name in server.token_env:
        yield Looked(f"environment {name} is not set", f"export {name}=…   (a personal token from {server.url})")
    if not server.token_env:
        yield Looked(f"no token_env for {server.name}", f'add token_env = ["…"] under [ci.{server.name}]')


def _vault(server: CiServer, vault: VaultServer, token: VaultToken | None) -> Iterator[Looked]:
    if not server.token_vault:
        yield Looked("Vault, no token_vault", f'add token_vault = "mount/path#field" under [ci.{server.name}]')
        return
    if not vault.addr:
        yield Looked(f"Vault {server.token_vault}, no address", "export VAULT_ADDR=https://…")
    if token is None:
        login = vault_command(vault, "login")
        yield Looked(f"Vault {server.token_vault}, no VAULT_TOKEN and no ~/{VAULT_TOKEN_FILE}", login)
