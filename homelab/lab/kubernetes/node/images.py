"""Where images come from: a registry spoken to over HTTP, or a shelf in memory. Layer: edge of the node.

Failures are worded as containerd and the kubelet word them (containerd ``core/remotes/docker/resolver.go``,
``pkg/kubelet/images/image_manager.go``).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol, TypeAlias

import aiohttp

from homelab.lab.registry.reference import Reference

_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_ACCEPT = ", ".join(_INDEXES + _MANIFESTS)
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class Image:
    """A pulled image: its manifest digest as the registry named it, its size in bytes, its labels."""

    digest: str
    size: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoImage:
    """A failed pull, in the words of the kubelet."""

    message: str


Pulled: TypeAlias = Image | NoImage
Done: TypeAlias = Callable[[Pulled], None]


class Images(Protocol):
    """Where the kubelet pulls from."""

    def pull(self, reference: Reference, done: Done) -> None:
        """Pull, and call ``done`` once with what came of it, now or later."""


def failed(reference: Reference, code: str, why: str) -> NoImage:
    """Return a failed pull with gRPC ``code``, as the container runtime reports it through the kubelet."""
    shown = f'"{reference}"'
    text = f"failed to pull and unpack image {shown}: failed to resolve reference {shown}: {why}"
    return NoImage(f"rpc error: code = {code} desc = {text}")


def not_found(reference: Reference) -> NoImage:
    """Return the failure for an image the registry does not have."""
    return failed(reference, "NotFound", f"{reference}: not found")


class Shelf:
    """Images in memory, for tests: reference text to labels; what is not on it is not found."""

    def __init__(self, images: Mapping[str, Mapping[str, str]]) -> None:
        """Offer ``images``; a digest is made up from each reference."""
        self.images = dict(images)

    def pull(self, reference: Reference, done: Done) -> None:
        """Answer at once."""
        labels = self.images.get(str(reference))
        digest = reference.digest or f"sha256:{hashlib.sha256(str(reference).encode()).hexdigest()}"
        done(not_found(reference) if labels is None else Image(digest, 1024, labels))


class RegistryImages:
    """Pulls from one registry, whatever registry a reference names; speaks plain HTTP to ``url``."""

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        """Ask ``url``; ``timeout`` seconds bound one pull."""
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None
        self._pulls: set[asyncio.Task[None]] = set()

    def pull(self, reference: Reference, done: Done) -> None:
        """Pull in a task of the running event loop."""
        task = asyncio.get_running_loop().create_task(self._pull(reference, done))
        self._pulls.add(task)
        task.add_done_callback(self._pulls.discard)

    async def close(self) -> None:
        """Give up what is under way and close connections."""
        for task in tuple(self._pulls):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._session:
            await self._session.close()

    async def _pull(self, reference: Reference, done: Done) -> None:
        try:
            done(await self._fetch(reference))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            head = f'failed to do request: Head "https://{reference.host}/v2/{reference.path}/manifests/{reference.selector}"'
            done(failed(reference, "Unavailable", f"{head}: {str(error) or type(error).__name__}"))

    async def _fetch(self, reference: Reference) -> Pulled:
        if not self._session:
            timeout = aiohttp.ClientTimeout(total=self._timeout)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
        base = f"{self._url}/v2/{reference.path}"
        async with self._session.head(f"{base}/manifests/{reference.selector}", headers={"Accept": _ACCEPT}) as answer:
            if answer.status != HTTPStatus.OK:
                return _refused(reference, answer.status)
            digest = answer.headers.get("Docker-Content-Digest", "")
            media_type = answer.headers.get("Content-Type", "")
        manifest = await self._manifest(base, digest or reference.selector)
        if media_type in _INDEXES:
            child = _for_this_platform(manifest)
            if child is None:
                return failed(reference, "NotFound", "no match for platform in manifest: not found")
            manifest = await self._manifest(base, child)
        config = await self._json(f"{base}/blobs/{manifest['config']['digest']}", {})
        size = sum(int(layer.get("size", 0)) for layer in manifest.get("layers") or []) + int(
            manifest["config"]["size"]
        )
        return Image(digest, size, (config.get("config") or {}).get("Labels") or {})

    async def _manifest(self, base: str, selector: str) -> dict[str, Any]:
        return await self._json(f"{base}/manifests/{selector}", {"Accept": _ACCEPT})

    async def _json(self, url: str, headers: dict[str, str]) -> dict[str, Any]:
        assert self._session is not None
        async with self._session.get(url, headers=headers) as answer:
            answer.raise_for_status()
            found: dict[str, Any] = json.loads(await answer.read())
            return found


def _for_this_platform(index: Mapping[str, Any]) -> str | None:
    for child in index.get("manifests") or []:
        platform = child.get("platform") or {}
        if (platform.get("os"), platform.get("architecture")) == ("linux", "amd64"):
            return str(child["digest"])
    return None


def _refused(reference: Reference, status: int) -> NoImage:
    if status == HTTPStatus.NOT_FOUND:
        return not_found(reference)
    if status in _REFUSED:
        why = (
            "pull access denied, repository does not exist or may require authorization: server message: "
            "insufficient_scope: authorization failed"
        )
        return failed(reference, "PermissionDenied" if status == HTTPStatus.FORBIDDEN else "Unknown", why)
    where = f"https://{reference.host}/v2/{reference.path}/manifests/{reference.selector}"
    return failed(reference, "Unknown", f"unexpected status from HEAD request to {where}: {status}")


class NoRegistry:
    """What a node without any registry sees: names that do not resolve."""

    def pull(self, reference: Reference, done: Done) -> None:
        """Fail at once, as a look-up of the host would."""
        head = (
            f'failed to do request: Head "https://{reference.host}/v2/{reference.path}/manifests/{reference.selector}"'
        )
        done(failed(reference, "Unavailable", f"{head}: dial tcp: lookup {reference.host}: no such host"))
