"""An image as its registry is asked for it: host, path, and a tag or a digest. Pure.

Layer: the registry package, above the reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from homelab.errors import UsageError
from homelab.registry.reference import DEFAULT_REGISTRY, Reference, parse

#: Where the default registry answers: not under the name its images have.
DOCKER_HUB = "registry-1.docker.io"
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-f]{32,}")


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its tag (or digest) at a registry."""

    host: str
    path: str
    reference: str

    @classmethod
    def parse(cls, said: str) -> Image:
        """Take ``[host[:port]/]path[:tag][@digest]`` apart; a digest decides alone. Raises UsageError."""
        found = cls.of(parse(said))
        if found is None:
            raise UsageError(
                f"{said!r} is no image",
                why="an image is [host[:port]/]path[:tag], its path in lower case",
                fix="homelab ci wait --image registry.example/team/app:{sha12}",
            )
        return found

    @classmethod
    def of(cls, reference: Reference) -> Image | None:
        """Return the image a reference names; None where no registry could have it under that name."""
        version = reference.digest or reference.tag or "latest"
        form = _DIGEST if reference.digest else _TAG
        if not _PATH.fullmatch(reference.path) or not form.fullmatch(version):
            return None
        host = DOCKER_HUB if reference.registry == DEFAULT_REGISTRY else reference.registry
        return cls(host, reference.path, version)

    def at(self, reference: str) -> Image:
        """Return the same repository's image under another tag or digest."""
        return replace(self, reference=reference)

    @property
    def shown(self) -> str:
        """As it is typed."""
        return f"{self.host}/{self.path}{'@' if ':' in self.reference else ':'}{self.reference}"

    @property
    def url(self) -> str:
        """The registry's address: https, but for this machine itself."""
        name = urlsplit(f"//{self.host}").hostname or ""
        return f"{'http' if name in {'localhost', '127.0.0.1', '::1'} else 'https'}://{self.host}"
