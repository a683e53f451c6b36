"""Image references in their parts. Layer: pure, standard library only.

Grammar: distribution ``reference/regexp.go``: ``[host[:port]/]path[:tag][@digest]``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d+)?")


@dataclass(frozen=True, slots=True)
class Reference:
    """Where an image is and which one. ``tag`` is ``latest`` when neither tag nor digest was named."""

    host: str
    path: str
    tag: str
    digest: str

    @property
    def name(self) -> str:
        """Host and path: what the image is called without saying which."""
        return f"{self.host}/{self.path}"

    @property
    def selector(self) -> str:
        """The last part of a manifest's path: the digest if there is one, else the tag."""
        return self.digest or self.tag

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def parse(text: str) -> Reference | None:
    """Return the parts of a reference, None when it is not one."""
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        return None
    last = rest.rfind("/")
    colon = rest.rfind(":")
    rest, tag = (rest[:colon], rest[colon + 1 :]) if colon > last else (rest, "")
    if (colon > last and not _TAG.fullmatch(tag)) or not rest:
        return None
    host, path = _split_host(rest)
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(path):
        return None
    return Reference(host, path, tag or ("" if digest else "latest"), digest)


def _split_host(rest: str) -> tuple[str, str]:
    first, slash, others = rest.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first, others
    return "docker.io", rest if slash else f"library/{rest}"
