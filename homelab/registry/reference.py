"""Image references, taken apart and completed. Pure.

The grammar is the one of distribution/reference, with its habit of completing short names.
Layer: a leaf of the registry package.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_REGISTRY = "docker.io"
_COMMIT = re.compile(r"(?<![0-9a-f])([0-9a-f]{12})(?:[0-9a-f]{28}|[0-9a-f]{52})(?![0-9a-f])")
ALIASES = frozenset({"index.docker.io", "registry-1.docker.io", "docker.io"})


@dataclass(frozen=True, slots=True)
class Reference:
    """An image reference, completed: ``registry`` is lower-case, ``path`` exact; tag and digest may be ""."""

    registry: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """``registry/path``: what the reference names without saying which version."""
        return f"{self.registry}/{self.path}"

    @property
    def version(self) -> str:
        """The short text a person tells versions apart by: of a commit in a tag 12 digits."""
        if self.tag:
            tag = _COMMIT.sub(r"\1", self.tag)
            return tag if not self.digest else f"{tag}@{self.digest[:19]}"
        return self.digest[:19] if self.digest else "latest"


def parse(text: str) -> Reference:
    """Take a reference apart. A registry is a first component with ``.`` or ``:``, ``localhost`` or ``[v6]``."""
    name, _, digest = text.strip().partition("@")
    start = name.rfind("/") + 1
    colon = name.find(":", start)
    if start == 0 and name.startswith("["):
        colon = -1
    name, tag = (name, "") if colon < 0 else (name[:colon], name[colon + 1 :])
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first.startswith("[")):
        registry, path = first.lower(), rest
    else:
        registry, path = DEFAULT_REGISTRY, name
    if registry in ALIASES:
        registry = DEFAULT_REGISTRY
        path = path if "/" in path else f"library/{path}"
    return Reference(registry, path, tag, digest.lower())


def same_repository(one: str, other: str) -> bool:
    """Say whether two references name the same image repository, whatever their versions."""
    return parse(one).repository == parse(other).repository
