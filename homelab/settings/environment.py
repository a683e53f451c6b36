"""What the environment says, laid over the user's file. Layer: settings.

A token configured for one URL never follows to another: ``HOMELAB_CI_URL`` and ``VAULT_ADDR`` take over what
the file says about a server only where both name the same scheme, host and port. ``WOODPECKER_SERVER`` is not
read, and nothing (``VAULT_SKIP_VERIFY`` neither) switches certificate checks off.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homelab.errors import UsageError
from homelab.settings import form
from homelab.settings.toml_file import Layer, Sourced
from homelab.settings.user_file import CI_KINDS, ENVIRONMENT, TIMEOUTS
from homelab.settings.visible import shortened

#: Where a token for the only CI server is looked for when the file names no variable.
DEFAULT_TOKEN_ENV = ("HOMELAB_CI_TOKEN", "WOODPECKER_TOKEN")

_TIMEOUT = "HOMELAB_TIMEOUT_"

Way = tuple[str, ...]


def default_token_env(kind: str) -> tuple[str, ...]:
    """Return where a token of the only server is looked for; one named for Woodpecker goes to no other kind."""
    return DEFAULT_TOKEN_ENV if kind == CI_KINDS[0] else DEFAULT_TOKEN_ENV[:1]


class Environment:
    """The variables, each checked when it is asked for; an empty one counts as unset."""

    def __init__(self, env: Mapping[str, str], *, cwd: Path, home: Path) -> None:
        """``cwd`` is where a relative path starts, ``home`` is ``~``."""
        self._env = env
        self._file = form.path_from(cwd, home, exists=True)

    def over(self, base: Layer) -> Layer:
        """Return ``base`` with everything the variables say laid over it. Raises UsageError."""
        merged = dict(base)
        self._ci(merged)
        self._vault(merged)
        self._timeouts(merged)
        if kubeconfig := self._env.get("KUBECONFIG"):
            # Kept as the text it is: a list of paths, which the Kubernetes client reads by itself.
            merged["kubernetes", "kubeconfig"] = Sourced(kubeconfig, "environment KUBECONFIG")
        return merged

    def _ci(self, merged: dict[Way, Sourced]) -> None:
        files = servers(merged)
        url = self._read("HOMELAB_CI_URL", form.web_address)
        said = {
            "kind": self._read("HOMELAB_CI_KIND", form.one_of(*CI_KINDS)),
            "dial": self._read("HOMELAB_CI_DIAL", form.dial),
            "ca_file": self._read("HOMELAB_CI_CA_FILE", self._file),
        }
        if url is not None:
            _same_origin_only(merged, files, url)
            _put(merged, ("ci", ENVIRONMENT), {"url": url, **said})
            kind = merged.setdefault(("ci", ENVIRONMENT, "kind"), Sourced(CI_KINDS[0], "default")).value
            _put(merged, ("ci", ENVIRONMENT), {"token_env": _first(default_token_env(kind), merged, url)})
        elif any(said.values()):
            _put(merged, ("ci", _the_only(files, said)), said)

    def _vault(self, merged: dict[Way, Sourced]) -> None:
        addr = self._read("VAULT_ADDR", form.web_address)
        if addr is not None:
            filed = merged.get(("vault", "addr"))
            if filed is None or form.origin_of(filed.value) != form.origin_of(addr.value):
                for way in [way for way in merged if way[0] == "vault"]:
                    del merged[way]
        said = {
            "addr": addr,
            "ca_file": self._read("VAULT_CACERT", self._file),
            "namespace": self._read("VAULT_NAMESPACE", form.text),
        }
        _put(merged, ("vault",), said)

    def _timeouts(self, merged: dict[Way, Sourced]) -> None:
        for name in self._env:
            if not name.startswith(_TIMEOUT):
                continue
            key = name.removeprefix(_TIMEOUT).lower()
            if key not in TIMEOUTS:
                known = [f"{_TIMEOUT}{each.upper()}" for each in TIMEOUTS]
                near = difflib.get_close_matches(name, known, n=1) or known[:1]
                raise UsageError(
                    f"{shortened(name)} is no timeout",
                    why=f"known are: {', '.join(known)}",
                    fix=f"unset {shortened(name)}; perhaps you meant {near[0]}",
                )
            _put(merged, ("timeouts",), {key: self._read(name, TIMEOUTS[key])})

    def _read(self, name: str, check: form.Check) -> Sourced | None:
        raw = self._env.get(name)
        if not raw:
            return None
        try:
            return Sourced(check(raw), f"environment {name}")
        except form.UnfitError as unfit:
            raise UsageError(
                f"environment {name}: {unfit.what}",
                why=f"allowed: {unfit.allowed}",
                fix=f"export {name}=…, or unset {name}; then: homelab config show",
            ) from None


def servers(layer: Layer) -> tuple[str, ...]:
    """Return the names of the CI servers in ``layer``, in their order."""
    return tuple(dict.fromkeys(way[1] for way in layer if way[0] == "ci" and len(way) > len(("ci", "event"))))


def _same_origin_only(merged: dict[Way, Sourced], files: tuple[str, ...], url: Sourced) -> None:
    """Start the environment's server from a file server of the same origin, if there is one."""
    for name in files:
        if form.origin_of(merged["ci", name, "url"].value) != form.origin_of(url.value):
            continue
        for way in [way for way in merged if way[:2] == ("ci", name)]:
            merged["ci", ENVIRONMENT, way[2]] = merged[way]
        return


def _first(names: tuple[str, ...], merged: Layer, url: Sourced) -> Sourced:
    """Return the variables to look in: the environment's own before those the file named for this origin."""
    filed = merged.get(("ci", ENVIRONMENT, "token_env"))
    return Sourced(tuple(dict.fromkeys((*names, *(filed.value if filed else ())))), url.origin)


def _the_only(files: tuple[str, ...], said: Mapping[str, Any]) -> str:
    if len(files) == 1:
        return files[0]
    variables = ", ".join(each.origin.removeprefix("environment ") for each in said.values() if each)
    listed = f"the user file has several: {', '.join(files)}" if files else "the user file has none"
    raise UsageError(
        f"{variables} set, and it is not clear for which CI server",
        why=listed,
        fix="export HOMELAB_CI_URL=https://… beside it, or write it into the user file",
    )


def _put(merged: dict[Way, Sourced], way: Way, said: Mapping[str, Sourced | None]) -> None:
    merged.update({(*way, key): sourced for key, sourced in said.items() if sourced is not None})
