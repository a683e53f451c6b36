"""The repository's ``.homelab.toml``: what to verify, where to land, what to wait for; never where anything goes.

A cloned repository is untrusted. Keys that would choose a host, an address, an authority, a cluster or the
source of a token are refused by name, with the place where the *user* may say it. Layer: settings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homelab.errors import ConfigError
from homelab.settings import form
from homelab.settings.image_pattern import image_match
from homelab.settings.model import DeployTarget
from homelab.settings.toml_file import Document, Layer, Sourced, read, unknown
from homelab.settings.user_file import STRATEGIES

NAME = ".homelab.toml"

#: What the deploy and ci domains know, which this layer may not import; tests compare them.
WORKLOAD_KINDS = (
    *("deployment", "statefulset", "daemonset", "job", "cronjob", "rollout"),
    *("application", "kustomization", "helmrelease"),
)
CI_EVENTS = (
    *("push", "pull_request", "pull_request_closed", "pull_request_metadata"),
    *("tag", "release", "deployment", "cron", "manual", "any"),
)

#: What only the user may say, wherever in the file it stands.
_THE_USERS = frozenset(
    {
        *(
            "forge",
            "forges",
            "vault",
            "kubernetes",
            "gitops",
            "clone",
            "timeouts",
            "server",
            "servers",
            "host",
            "hosts",
            "registry",
            "schema",
        ),
        *("url", "api", "addr", "address", "dial", "ca_file", "ca", "cacert", "insecure", "verify_tls", "namespaces"),
        *("token", "tokens", "token_env", "token_vault", "password", "secret", "secrets"),
        *("kubeconfig", "context", "ssh_host", "base_path", "remote", "env", "environment"),
    }
)
_LONGEST_COMMAND = 4096
_MOST_TARGETS = 50
_DNS_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_NAME = 253
_IMAGE = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d{1,5})?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
)


def read_repository_file(root: Path, *, user_file: Path) -> Layer:
    """Return the checked values of ``root``'s file; nothing without one. Raises ConfigError."""
    path = root / NAME
    if not path.is_symlink() and not path.exists():
        return {}
    _stays_inside(path, root)
    try:
        document = read(path)
    except FileNotFoundError:
        return {}
    layer: dict[tuple[str, ...], Sourced] = {}
    for key, raw in document.data.items():
        if key == "deploy":
            layer["deploy",] = Sourced(_targets(document, raw, user_file), document.origin((key,)))
        elif key in _SECTIONS:
            _refuse_the_users_keys(document, (key,), document.table((key,), raw), user_file)
            layer |= document.section((key,), raw, _SECTIONS[key])
        else:
            _refuse_the_users_keys(document, (), {key: raw}, user_file)
            known = (*_SECTIONS, "deploy")
            raise document.fault((key,), unknown(key, dict.fromkeys(known)), "[work], [ci], [image], [[deploy]]")
    return layer


def _stays_inside(path: Path, root: Path) -> None:
    try:
        inside = path.resolve(strict=True).is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # dangling, or a loop of links
        inside = False
    if not inside:
        raise ConfigError(path, "is a link that leaves the repository", allowed="a file inside the repository")


def _refuse_the_users_keys(
    document: Document, place: tuple[str | int, ...], table: Mapping[str, Any], user: Path
) -> None:
    for key in table:
        if key.lower().replace("-", "_") in _THE_USERS:
            raise document.fault(
                (*place, key),
                "a repository cannot choose this: servers, addresses, authorities and token sources are its user's",
                f"nothing in a repository; put it in {user}",
            )


def _targets(document: Document, raw: Any, user_file: Path) -> tuple[DeployTarget, ...]:
    if not isinstance(raw, list):
        raise document.fault(("deploy",), "is not a list", 'deploy = ["namespace/name"], or [[deploy]] tables')
    if len(raw) > _MOST_TARGETS:
        raise document.fault(("deploy",), f"names {len(raw)} workloads", f"at most {_MOST_TARGETS}")
    targets = tuple(_target(document, index, item, user_file) for index, item in enumerate(raw))
    slugs = [(target.kind, target.slug) for target in targets]
    for index, slug in enumerate(slugs):
        if slug in slugs[:index]:
            raise document.fault(("deploy", index), f"names {slug[1]} again", "each workload once")
    return targets


def _target(document: Document, index: int, raw: Any, user_file: Path) -> DeployTarget:
    place = ("deploy", index)
    if isinstance(raw, str):
        namespace, slash, name = raw.partition("/")
        if not slash:
            raise document.fault(place, "is no workload", '"namespace/name"')
        document.checked(place, namespace, _namespace)
        return DeployTarget(namespace, document.checked(place, name, _object_name))
    table = document.table(place, raw)
    _refuse_the_users_keys(document, place, table, user_file)
    for key in ("namespace", "name"):
        if key not in table:
            raise document.fault(place, f"has no {key}", ", ".join(_TARGET))
    fields = document.section(place, table, _TARGET)
    return DeployTarget(**{way[-1]: sourced.value for way, sourced in fields.items()})


def _command(raw: Any) -> str:
    """Return a command of one or more lines, trimmed; other control characters would only hide what it does."""
    if not isinstance(raw, str) or not raw.strip():
        raise form.UnfitError("is no command", 'a shell command in quotes, e.g. "make check"')
    if len(raw) > _LONGEST_COMMAND or any(unicodedata.category(char) == "Cc" and char not in "\n\t" for char in raw):
        raise form.UnfitError("is too long or holds control characters", f"at most {_LONGEST_COMMAND} plain characters")
    return raw.strip()


def branch(raw: Any) -> str:
    """Return a branch's short name, by git's own rules for references."""
    name = form.text(raw)
    parts = name.split("/")
    forbidden = any(char in name for char in " ~^:?*[\\") or ".." in name or "@{" in name or name in ("@", "HEAD")
    malformed = any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
    if forbidden or malformed or name.startswith(("-", "+", "refs/")) or name.endswith("."):
        raise form.UnfitError("is no branch name", 'a short branch name, e.g. "main"')
    return name


def _namespace(raw: Any) -> str:
    name = form.text(raw)
    if not _DNS_LABEL.fullmatch(name):
        raise form.UnfitError("is no name of a namespace", "lower-case letters, digits and -, at most 63")
    return name


def _object_name(raw: Any) -> str:
    name = form.text(raw)
    if len(name) > _LONGEST_NAME or not all(_DNS_LABEL.fullmatch(label) for label in name.split(".")):
        raise form.UnfitError("is no name of a workload", "lower-case letters, digits, - and ., at most 253")
    return name


def _image(raw: Any) -> str:
    name = form.text(raw)
    if not _IMAGE.fullmatch(name):
        raise form.UnfitError("is no image name", 'a name without tag or digest, e.g. "registry.example.org/team/app"')
    return name


_TARGET: Mapping[str, form.Check] = {
    "namespace": _namespace,
    "name": _object_name,
    "kind": form.one_of(*WORKLOAD_KINDS),
    "container": _namespace,
    "image": _image,
}

_SECTIONS: Mapping[str, Mapping[str, form.Check]] = {
    "work": {"verify": _command, "target": branch, "strategy": form.one_of(*STRATEGIES)},
    "ci": {"event": form.one_of(*CI_EVENTS)},
    "image": {"name": _image, "match": image_match},
}
