"""Everything in force: the user's file, the repository's few keys, the environment, defaults, each with its origin.

Precedence: flag (applied at the verb) > environment > repository file > user file > default. The two files
never mix: they share the one key ``[work] strategy``, nothing else. Layer: settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from homelab.settings.environment import Environment, default_token_env, servers
from homelab.settings.model import (
    CiServer,
    DeployTarget,
    Forge,
    KubernetesAccess,
    RegistryServer,
    RepositorySettings,
    SchemaSource,
    Settings,
    Timeouts,
    VaultServer,
)
from homelab.settings.repository_file import NAME, read_repository_file
from homelab.settings.toml_file import Layer, Sourced
from homelab.settings.user_file import read_user_file, user_file
from homelab.settings.values import values
from homelab.world import World

_DEFAULT = "default"


def load(world: World, repository_root: Path | None) -> Settings:
    """Return what is in force in ``world`` for the repository at ``repository_root``.

    Raises ConfigError for a file that says what cannot be, UsageError for a variable that does.
    """
    path = user_file(world)
    layer = dict(read_user_file(path, home=world.home, required=bool(world.env.get("HOMELAB_CONFIG"))))
    if repository_root is not None:
        layer |= read_repository_file(repository_root, user_file=path)
    merged = {**Environment(world.env, cwd=world.cwd, home=world.home).over(layer)}
    _default_token_sources(merged)
    return Settings(
        user_file=path,
        repository_file=repository_root / NAME if repository_root else None,
        ci=_servers(merged),
        forges=_forges(merged),
        registries=_registries(merged),
        schemas=_schemas(merged),
        vault=VaultServer(**_of(merged, "vault")),
        kubernetes=_kubernetes(merged),
        gitops_clone=_of(merged, "gitops").get("clone"),
        timeouts=Timeouts(**_of(merged, "timeouts")),
        repository=_repository(merged),
        values=values(merged, world),
    )


def _default_token_sources(merged: dict[tuple[str, ...], Sourced]) -> None:
    """One token must not be offered to two hosts: with several servers each names its own variables."""
    names = servers(merged)
    if len(names) == 1:
        variables = default_token_env(merged["ci", names[0], "kind"].value)
        merged.setdefault(("ci", names[0], "token_env"), Sourced(variables, _DEFAULT))


def _servers(merged: Layer) -> dict[str, CiServer]:
    return {name: CiServer(name=name, **_of(merged, "ci", name)) for name in servers(merged)}


def _forges(merged: Layer) -> dict[str, Forge]:
    hosts = dict.fromkeys(way[1] for way in merged if way[0] == "forge")
    return {host.lower(): Forge(host=host.lower(), **_of(merged, "forge", host)) for host in hosts}


def _registries(merged: Layer) -> dict[str, RegistryServer]:
    hosts = dict.fromkeys(way[1] for way in merged if way[0] == "registry")
    return {host.lower(): RegistryServer(host=host.lower(), **_of(merged, "registry", host)) for host in hosts}


def _schemas(merged: Layer) -> dict[str, SchemaSource]:
    kinds = dict.fromkeys(way[1] for way in merged if way[0] == "schema")
    return {kind: SchemaSource(kind=kind, **_of(merged, "schema", kind)) for kind in kinds}


def _kubernetes(merged: Layer) -> KubernetesAccess:
    said = _of(merged, "kubernetes")
    kubeconfig = said.get("kubeconfig")
    return KubernetesAccess(
        kubeconfig=kubeconfig if isinstance(kubeconfig, Path) else None,
        context=said.get("context"),
    )


def _repository(merged: Layer) -> RepositorySettings:
    work, image = _of(merged, "work"), _of(merged, "image")
    event, deploy = merged.get(("ci", "event")), merged.get(("deploy",))
    targets: Iterable[DeployTarget] = deploy.value if deploy else ()
    return RepositorySettings(
        verify=work.get("verify"),
        target=work.get("target"),
        strategy=work.get("strategy"),
        image=image.get("name"),
        image_match=image.get("match"),
        ci_event=event.value if event else None,
        deploy=tuple(targets),
    )


def _of(merged: Layer, *section: str) -> dict[str, Any]:
    """Return the values of one section by their last name."""
    return {way[-1]: sourced.value for way, sourced in merged.items() if way[:-1] == section}
