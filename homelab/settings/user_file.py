"""The user's ``config.toml``: which servers there are, how they are reached, where their tokens come from.

Layer: settings. Path: ``HOMELAB_CONFIG``, else ``config.toml`` in the configuration folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from homelab.errors import UsageError
from homelab.settings import form
from homelab.settings.toml_file import Document, Layer, Sourced, read, unknown
from homelab.settings.visible import shortened
from homelab.world import World

#: Woodpecker, and the Actions of Forgejo and Gitea ("actions": whichever of the two it is).
CI_KINDS = ("woodpecker", "forgejo", "gitea", "actions")
FORGE_KINDS = ("forgejo", "gitea", "github", "gitlab")
#: Kinds of CI files: Forgejo and Gitea read workflows alike.
SCHEMA_KINDS = ("woodpecker", "actions")
STRATEGIES = ("merge", "rebase", "squash", "ff-only")

#: The server that ``HOMELAB_CI_URL`` defines; a file cannot take its name.
ENVIRONMENT = "environment"

TIMEOUTS: Mapping[str, form.Check] = {
    "http": form.seconds(),
    "ci_appear": form.seconds(),
    "ci": form.seconds(),
    "deploy_reference": form.seconds(),
    "deploy": form.seconds(),
    "stable_for": form.seconds(zero=True),
    "verify": form.seconds(),
}

_SECTIONS = {
    "ci": "[ci.<name>]",
    "forge": '[forge."<git host>"]',
    "registry": '[registry."<host>"]',
    "schema": "[schema.<kind of CI file>]",
    "vault": "[vault]",
    "kubernetes": "[kubernetes]",
    "gitops": "[gitops]",
    "timeouts": "[timeouts]",
    "work": "[work]",
}


def user_file(world: World) -> Path:
    """Return the path of the user's file, whether it exists or not."""
    named = world.env.get("HOMELAB_CONFIG")
    if not named:
        return world.config_home / "config.toml"
    return world.home / named[2:] if named.startswith("~/") else world.cwd / named


def read_user_file(path: Path, *, home: Path, required: bool) -> Layer:
    """Return the file's checked values; nothing when it does not exist and is not ``required``.

    Raises ConfigError; UsageError when ``HOMELAB_CONFIG`` names nothing.
    """
    try:
        document = read(path)
    except FileNotFoundError:
        if not required:
            return {}
        raise UsageError(
            f"HOMELAB_CONFIG names {path}, which is not there",
            why="a named configuration that is missing would silently mean other servers",
            fix="unset HOMELAB_CONFIG, or create the file",
        ) from None
    return _walk(document, home)


def _walk(document: Document, home: Path) -> Layer:
    layer: dict[tuple[str, ...], Sourced] = {}
    for section, raw in document.data.items():
        if section not in _SECTIONS:
            raise document.fault((section,), unknown(section, _SECTIONS), ", ".join(_SECTIONS.values()))
        if section in ("ci", "forge", "registry", "schema"):
            for name, table in document.table((section,), raw).items():
                _checked_name(document, section, name, table)
                layer |= document.section((section, name), table, _keys(section, document.path.parent, home))
        else:
            layer |= document.section((section,), raw, _keys(section, document.path.parent, home))
    _complete(document)
    return layer


def _checked_name(document: Document, section: str, name: str, table: object) -> None:
    if not isinstance(table, dict):
        raise document.fault((section, name), "stands outside a named section", _SECTIONS[section])
    if section == "schema":
        document.checked((section, name), name, form.one_of(*SCHEMA_KINDS))
    elif section in ("forge", "registry"):
        document.checked((section, name), name, form.host if section == "forge" else form.dial)
    elif name == ENVIRONMENT or not name.strip() or shortened(name) != name:
        raise document.fault((section, name), "is no name for a server", f'a short name other than "{ENVIRONMENT}"')


def _complete(document: Document) -> None:
    for name, server in document.data.get("ci", {}).items():
        for key in ("kind", "url"):
            if key not in server:
                raise document.fault(("ci", name), f"has no {key}", f'{key} = "…" (kinds: {", ".join(CI_KINDS)})')


def _keys(section: str, folder: Path, home: Path) -> Mapping[str, form.Check]:
    """Return the keys that ``section`` may hold, each with its check."""
    ca_file = form.path_from(folder, home, exists=True)
    keys: Mapping[str, Mapping[str, form.Check]] = {
        "ci": {
            "kind": form.one_of(*CI_KINDS),
            "url": form.web_address,
            "dial": form.dial,
            "ca_file": ca_file,
            "token_env": form.texts(form.env_name),
            "token_vault": form.vault_field,
            "forges": form.texts(form.host),
        },
        "forge": {
            "kind": form.one_of(*FORGE_KINDS),
            "api": form.web_address,
            "base_path": form.text,
            "ssh_host": form.host,
            "dial": form.dial,
            "ca_file": ca_file,
            "token_env": form.texts(form.env_name),
            "token_vault": form.vault_field,
        },
        "registry": {"url": form.web_address, "dial": form.dial, "ca_file": ca_file},
        "schema": {"url": form.web_address, "dial": form.dial, "ca_file": ca_file},
        "vault": {"addr": form.web_address, "dial": form.dial, "ca_file": ca_file, "namespace": form.text},
        "kubernetes": {"kubeconfig": form.path_from(folder, home, exists=False), "context": form.text},
        "gitops": {"clone": form.path_from(folder, home, exists=False)},
        "timeouts": TIMEOUTS,
        "work": {"strategy": form.one_of(*STRATEGIES)},
    }
    return keys[section]
