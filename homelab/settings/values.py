"""Every effective value with its origin, as ``config show`` prints it. No secret is ever among them.

Layer: settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from homelab.settings.environment import servers
from homelab.settings.model import DeployTarget, Timeouts, Value
from homelab.settings.toml_file import Layer, Sourced, dotted
from homelab.world import World

_NOTHING = "(none)"

#: What a missing key means, in words: shown with the origin ``default``.
_MEANS: Mapping[tuple[str, ...], str] = {
    ("vault", "addr"): "(no Vault)",
    ("kubernetes", "kubeconfig"): "(as kubectl: ~/.kube/config)",
    ("kubernetes", "context"): "(the current one)",
    ("gitops", "clone"): _NOTHING,
    ("work", "verify"): _NOTHING,
    ("work", "target"): "(the remote's default branch)",
    ("work", "strategy"): "merge",
    ("ci", "event"): "push",
    ("image", "name"): "(any)",
    ("image", "match"): "(any tag that holds the commit)",
    ("deploy",): _NOTHING,
}


def values(merged: Layer, world: World) -> tuple[Value, ...]:
    """Return every effective value, section by section."""
    return tuple(_rows(merged, world))


def _rows(merged: Layer, world: World) -> Iterator[Value]:
    for name in servers(merged):
        yield from _server(merged, name, world.env)
    if not servers(merged):
        yield Value("ci", "(no server)", "default")
    for named in ("forge", "registry", "schema"):
        yield from (_configured(way, sourced, world.env) for way, sourced in merged.items() if way[0] == named)
    vault = {way: means for way, means in _MEANS.items() if way[0] == "vault"}
    yield from _section(merged, ("vault",), vault)
    if ("vault", "addr") in merged:
        yield _vault_token(world)
    yield from _section(merged, ("kubernetes",), _MEANS)
    yield from _section(merged, ("gitops",), _MEANS)
    timeouts: Mapping[tuple[str, ...], str] = {
        ("timeouts", field.name): _shown(field.default) for field in fields(Timeouts)
    }
    yield from _section(merged, ("timeouts",), timeouts)
    for section in (("work",), ("ci", "event"), ("image",), ("deploy",)):
        yield from _section(merged, section, _MEANS)


def _section(merged: Layer, section: tuple[str, ...], means: Mapping[tuple[str, ...], str]) -> Iterator[Value]:
    ways = dict.fromkeys(way for way in (*means, *merged) if way[: len(section)] == section)
    for way in ways:
        sourced = merged.get(way)
        shown, origin = (_shown(sourced.value), sourced.origin) if sourced else (means[way], "default")
        yield Value(dotted(way), shown, origin)


def _server(merged: Layer, name: str, env: Mapping[str, str]) -> Iterator[Value]:
    for way, sourced in merged.items():
        if way[:2] == ("ci", name):
            yield _configured(way, sourced, env)
    if ("ci", name, "token_env") not in merged and ("ci", name, "token_vault") not in merged:
        unnamed = "(none: with several servers each names its own token_env or token_vault)"
        yield Value(dotted(("ci", name, "token_env")), unnamed, "default")


def _configured(way: tuple[str, ...], sourced: Sourced, env: Mapping[str, str]) -> Value:
    shown = _variables(sourced.value, env) if way[-1] == "token_env" else _shown(sourced.value)
    return Value(dotted(way), shown, sourced.origin)


def _variables(names: tuple[str, ...], env: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({'set' if env.get(name, '').strip() else 'not set'})" for name in names) or _NOTHING


def _vault_token(world: World) -> Value:
    if world.env.get("VAULT_TOKEN", "").strip():
        return Value("vault.token", "VAULT_TOKEN (set)", "environment VAULT_TOKEN")
    path = world.home / ".vault-token"
    return Value("vault.token", f"{path} ({'there' if path.is_file() else 'not there'})", "default")


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}s"
    if isinstance(value, tuple):
        return ", ".join(_shown(item) for item in value) or _NOTHING
    if isinstance(value, DeployTarget):
        extras = [part for part in (value.container, value.image) if part]
        return f"{value.kind} {value.slug}" + (f" ({', '.join(extras)})" if extras else "")
    return str(value) if isinstance(value, str | Path) else repr(value)
