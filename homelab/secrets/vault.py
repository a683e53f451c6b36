"""One field out of Vault or OpenBao, KV version 1 or 2, through hvac over our own HTTP client.

So dialing, authorities, proxies and redirects follow the same rules as everywhere; hvac knows
the API, we know the wire. Each way to fail has its own sentence. Layer: secrets; loads hvac.
"""

from __future__ import annotations

from typing import Any

import hvac.exceptions  # noqa: TID253 -- this is its home, loaded by homelab.secrets.chain when Vault is asked
from hvac.api.secrets_engines import Kv  # noqa: TID253 -- likewise

from homelab.errors import HttpStatus, PermissionMissing, TokenMissing, TokenRejected, Unreachable
from homelab.http.port import JsonHttp
from homelab.secret import Secret
from homelab.secrets.adapter import HttpAdapter
from homelab.secrets.chain import Http, VaultToken
from homelab.secrets.reference import Reference
from homelab.secrets.seal import require_open, site_of, standby_only
from homelab.secrets.typed import vault_command
from homelab.settings.model import VaultServer

FORBIDDEN = 403


def read_field(reference: Reference, *, vault: VaultServer, token: VaultToken, http: Http) -> Secret:
    """Return the text at ``reference``.

    Raises PersonNeeded (sealed, not initialised), TokenRejected (expired or invalid),
    PermissionMissing, TokenMissing (no such path, no such field), Unreachable.
    """
    with_token = http(site_of(vault), token.secret)
    try:
        standby = require_open(http, vault)
        try:
            fields = _Reading(reference, vault, token, with_token).fields()
        except Unreachable as error:
            if isinstance(error, HttpStatus):
                require_open(http, vault)  # it may have been sealed meanwhile
            if standby:
                raise standby_only(vault, error) from error
            raise
        return _field(fields, reference, vault)
    finally:
        with_token.close()


class _Reading:
    """One reading of one secret."""

    def __init__(self, reference: Reference, vault: VaultServer, token: VaultToken, http: JsonHttp) -> None:
        self.reference, self.vault, self.token, self.http = reference, vault, token, http
        self.kv = Kv(HttpAdapter(http))

    def fields(self) -> dict[str, Any]:
        """Return the secret's fields."""
        try:
            mount, version = self._mount()
        except HttpStatus as error:
            if error.status != FORBIDDEN:
                raise
            return self._fields_by_trying()
        return self._fields(mount, version)

    def _mount(self) -> tuple[str, int]:
        # The call of Vault's own "kv" commands: it names the mount above a path to whoever may read below it.
        said = self.http.get(f"/v1/sys/internal/ui/mounts/{self.reference.path}")["data"]
        return str(said["path"]), int((said.get("options") or {}).get("version") or 1)

    def _fields(self, mount: str, version: int) -> dict[str, Any]:
        try:
            return self._read(mount, version)
        except hvac.exceptions.Forbidden as error:
            raise self._denied(mount, version) from error
        except hvac.exceptions.InvalidPath as error:
            raise self._nothing(mount, error) from error

    def _fields_by_trying(self) -> dict[str, Any]:
        """Read where the token may not ask for mounts: the first segment is the mount; version 2, then 1."""
        mount = self.reference.path.partition("/")[0]
        try:
            return self._read(mount, 2)
        except (hvac.exceptions.Forbidden, hvac.exceptions.InvalidPath):
            return self._fields(mount, 1)

    def _read(self, mount: str, version: int) -> dict[str, Any]:
        path, mount = self.reference.below(mount), mount.strip("/")
        if version == 1:
            said = self.kv.v1.read_secret(path, mount_point=mount)["data"]
        else:
            said = self.kv.v2.read_secret_version(path, mount_point=mount, raise_on_deleted_version=True)["data"][
                "data"
            ]
        fields: dict[str, Any] = said or {}
        return fields

    def _denied(self, mount: str, version: int) -> PermissionMissing | TokenRejected:
        policies = self._policies()
        api_path = f"{mount.strip('/')}/{'data/' if version == 2 else ''}{self.reference.below(mount)}"  # noqa: PLR2004
        if policies is None:
            return TokenRejected(
                f"the Vault token from {self.token.place} is expired or invalid",
                why=f"{self.vault.addr} does not know it",
                fix=vault_command(self.vault, "login"),
            )
        return PermissionMissing(
            f"the Vault token from {self.token.place} may not read {self.reference.path}",
            why=f"it is valid; its policies are {policies}",
            fix=vault_command(self.vault, f"token capabilities {api_path}"),
        )

    def _policies(self) -> str | None:
        """Return the token's policies in words; None when Vault does not accept it at all."""
        try:
            said = self.http.get("/v1/auth/token/lookup-self")["data"]
            return ", ".join(map(str, said.get("policies") or ())) or "none"
        except HttpStatus as error:
            if error.status != FORBIDDEN:
                raise
        # A token without the default policy may not look itself up, but this list needs a valid token alone.
        try:
            self.http.get("/v1/sys/internal/ui/mounts")
        except HttpStatus as error:
            if error.status != FORBIDDEN:
                raise
            return None
        return "hidden (no default policy)"

    def _nothing(self, mount: str, error: hvac.exceptions.InvalidPath) -> TokenMissing:
        path, mount = self.reference.below(mount), mount.strip("/")
        why = "nothing is stored at that path"
        if '"deletion_time":"2' in (error.text or ""):
            why = "its latest version was deleted"
        elif path.startswith("data/"):
            why += f"; leave data/ out: {mount}/{path.removeprefix('data/')}#{self.reference.field}"
        return TokenMissing(
            f"Vault has no secret {self.reference.path}",
            why=why,
            fix=vault_command(self.vault, f"kv put {self.reference.path} {self.reference.field}=-"),
        )


def _field(fields: dict[str, Any], reference: Reference, vault: VaultServer) -> Secret:
    value = fields.get(reference.field)
    if isinstance(value, str) and value.strip():
        return Secret(value.strip())
    there = ", ".join(sorted(fields)) or "none"
    wrong = "is empty or not text" if reference.field in fields else "is not there"
    raise TokenMissing(
        f"the field {reference.field} of Vault's {reference.path} {wrong}",
        why=f"fields there: {there}",
        fix=f"correct token_vault, or: {vault_command(vault, f'kv patch {reference.path} {reference.field}=-')}",
    )
