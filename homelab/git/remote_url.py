"""What a git remote URL names: host, owner and repository. Pure, the same answer everywhere.

Layer: git adapter; above ``url_split``. Loads no git library.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote

from homelab.errors import UsageError
from homelab.git.port import RemoteUrl
from homelab.git.url_split import Parts, refuse, split

#: Hosts that serve ssh for a forge under another name (their own documentation names them).
ALIASES = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
    "ssh.dev.azure.com": "dev.azure.com",
}
_AWS = re.compile(r"^git-codecommit\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$")
_OWNER_AND_NAME = 2


def parse(text: str, *, windows: bool = False) -> RemoteUrl:
    """Take ``text``, as git would dial it, apart. Raises UsageError where it cannot be a repository."""
    parts = split(text, windows=windows)
    if parts.kind == "local":
        return _local(parts)
    if parts.kind == "codecommit":
        return _codecommit(text, parts, parts.repository)
    segments = _segments(text, parts)
    if parts.host and _AWS.match(parts.host):
        return _codecommit(text, parts, segments[-1])
    host, port = parts.host, parts.port
    if host in ALIASES:
        host, port = ALIASES[host], None
    if host == "dev.azure.com":
        segments = _azure(segments)
    return RemoteUrl(
        kind=parts.kind,
        host=host,
        port=port,
        owner="/".join(segments[:-1]) or None,
        name=segments[-1],
        shown=parts.shown,
        warning=_warning(parts, segments),
        plain_server=_is_plain_server(parts, segments),
    )


def under(remote: RemoteUrl, base_path: str) -> RemoteUrl:
    """Return ``remote`` without the forge's ``base_path`` at the front of its owner.

    ``https://host/gitea/o/n`` under ``gitea`` is ``o/n``. ssh remotes rarely carry it and stay.
    """
    base = base_path.strip("/")
    owner = remote.owner or ""
    if base and (owner == base or owner.startswith(base + "/")):
        return replace(remote, owner=owner[len(base) + 1 :] or None)
    return remote


def same_repository(one: RemoteUrl, other: RemoteUrl) -> bool:
    """Say whether both name one repository; forges compare owner and name without case."""
    if one.kind == "local" or other.kind == "local":
        return one.shown == other.shown
    return one.host == other.host and one.slug.casefold() == other.slug.casefold()


def _segments(text: str, parts: Parts) -> list[str]:
    raw = [segment for segment in parts.path.split("/") if segment]
    segments = [unquote(segment, errors="strict") if parts.url_form else segment for segment in raw] if raw else []
    for segment in segments:
        if segment in {".", ".."} or any(letter in segment for letter in "/?#") or not segment.isprintable():
            raise refuse(text, f"{segment!r} cannot be part of a repository's path")
    if segments:
        segments[-1] = segments[-1].removesuffix(".git")
    segments = [segment for segment in segments if segment]
    if not segments:
        raise refuse(text, "it names no repository")
    return segments


def _local(parts: Parts) -> RemoteUrl:
    segments = [segment for segment in parts.path.replace("\\", "/").split("/") if segment]
    name = segments[-1].removesuffix(".git") if segments else "/"
    return RemoteUrl(kind="local", host=None, port=None, owner=None, name=name or "/", shown=parts.shown)


def _codecommit(text: str, parts: Parts, name: str) -> RemoteUrl:
    if not name or "/" in name:
        raise refuse(text, "a CodeCommit address ends in one repository name")
    return RemoteUrl(kind="codecommit", host=parts.host, port=None, owner=None, name=name, shown=parts.shown)


def _azure(segments: list[str]) -> list[str]:
    """Drop Azure's own words: ``v3/org/project/name`` over ssh, ``org/project/_git/name`` over https."""
    if segments[0] == "v3":
        return segments[1:] or segments
    if "_git" in segments[:-1]:
        before = segments[: segments.index("_git")]
        # A project's own repository is spelled without the project.
        return [*before, segments[-1]] if len(before) >= _OWNER_AND_NAME else [*before, segments[-1], segments[-1]]
    return segments


def _is_plain_server(parts: Parts, segments: list[str]) -> bool:
    """Say whether the path is a place on a file system: ``host:/srv/git/o/n.git``."""
    return not parts.url_form and parts.path.startswith("/") and len(segments) > _OWNER_AND_NAME


def _warning(parts: Parts, segments: list[str]) -> str:
    if parts.kind == "http":
        return f"{parts.shown} is plain text: anyone between can read and change what is fetched"
    if parts.kind == "git":
        return f"{parts.shown} is read-only: git:// cannot be pushed to"
    if not parts.url_form and len(segments) > _OWNER_AND_NAME and segments[0].isdigit():
        return f"{segments[0]} is read as a folder; for a port write ssh://{parts.host}:{parts.path.lstrip('/')}"
    return ""


def require_pushable(remote: RemoteUrl) -> None:
    """Refuse a remote that git cannot push to. Raises UsageError."""
    if remote.kind == "git":
        raise UsageError(
            f"{remote.shown} cannot be pushed to",
            why="the git:// protocol has no authentication and is read-only",
            fix="git remote set-url --push <remote> <ssh or https url>",
        )
