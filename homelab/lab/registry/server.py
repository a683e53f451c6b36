"""The registry's HTTP API. Layer: top of the lab registry.

Endpoints end-1 to end-11 of the OCI distribution specification 1.1, less referrers (clients then fall back to tags).
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from aiohttp import web

from homelab.lab.registry.problems import (
    Problem,
    manifest_blob_unknown,
    manifest_invalid,
    name_unknown,
    unsupported,
    upload_out_of_order,
)
from homelab.lab.registry.storage import Storage
from homelab.lab.registry.tokens import Tokens

_Answer: TypeAlias = Callable[[web.Request, re.Match[str]], Awaitable[web.Response]]

_NAME = r"(?P<name>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
_MAX_BODY = 512 * 1024 * 1024
_VERSION = {"Docker-Distribution-API-Version": "registry/2.0"}


class Registry:
    """Serves one storage; ``users`` (name to password) may be empty: then no one is asked for a token."""

    def __init__(self, storage: Storage, users: dict[str, str] | None = None) -> None:
        """Keep what is pushed in ``storage``."""
        self._storage = storage
        self._tokens = Tokens(users or {}, "registry.homelab.test")
        self._routes: list[tuple[re.Pattern[str], dict[str, _Answer]]] = [
            (re.compile(r"/v2/_catalog"), {"GET": self._catalog}),
            (re.compile(rf"/v2/{_NAME}/blobs/uploads/?"), {"POST": self._start_upload}),
            (
                re.compile(rf"/v2/{_NAME}/blobs/uploads/(?P<upload>[^/]+)"),
                {
                    "GET": self._upload_state,
                    "PATCH": self._append,
                    "PUT": self._finish_upload,
                    "DELETE": self._drop_upload,
                },
            ),
            (
                re.compile(rf"/v2/{_NAME}/blobs/(?P<digest>[^/]+)"),
                {"GET": self._blob, "HEAD": self._blob, "DELETE": self._delete_blob},
            ),
            (
                re.compile(rf"/v2/{_NAME}/manifests/(?P<selector>[^/]+)"),
                {
                    "GET": self._manifest,
                    "HEAD": self._manifest,
                    "PUT": self._put_manifest,
                    "DELETE": self._delete_manifest,
                },
            ),
            (re.compile(rf"/v2/{_NAME}/tags/list"), {"GET": self._tags}),
        ]

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            return await self._route(request)
        except Problem as problem:
            headers = _VERSION | problem.headers
            body = json.dumps(problem.body()).encode()
            return web.Response(body=body, status=problem.status, headers=headers, content_type="application/json")

    async def _route(self, request: web.Request) -> web.Response:
        authorization = request.headers.get("Authorization", "")
        if request.path == "/token":
            return web.json_response(self._tokens.issue(authorization, request.query.get("scope", "")))
        realm = f"{request.scheme}://{request.host}/token"
        if request.path in ("/v2", "/v2/"):
            self._tokens.check(authorization, realm, "", "")
            return web.json_response({}, headers=_VERSION)
        for pattern, methods in self._routes:
            if found := pattern.fullmatch(request.path):
                action = "pull" if request.method in ("GET", "HEAD") else "push"
                self._tokens.check(authorization, realm, found.groupdict().get("name", ""), action)
                answer = methods.get(request.method)
                if answer is None:
                    raise unsupported()
                return await answer(request, found)
        raise Problem(404, "NAME_INVALID", "no such path")

    # -- blobs

    async def _blob(self, request: web.Request, found: re.Match[str]) -> web.Response:
        content = self._storage.blob(found["digest"])
        headers = _VERSION | {"Docker-Content-Digest": found["digest"], "ETag": f'"{found["digest"]}"'}
        return _content(request, content, "application/octet-stream", headers)

    async def _delete_blob(self, _: web.Request, found: re.Match[str]) -> web.Response:
        self._storage.delete_blob(found["digest"])
        return web.Response(status=202, headers=_VERSION)

    async def _start_upload(self, request: web.Request, found: re.Match[str]) -> web.Response:
        mount, digest = request.query.get("mount", ""), request.query.get("digest", "")
        if mount and self._storage.has_blob(mount):
            return self._created(found["name"], "blobs", mount)
        if digest:
            self._storage.put_blob(await request.read(), digest)
            return self._created(found["name"], "blobs", digest)
        return self._accepted(found["name"], self._storage.start_upload(), 0)

    async def _upload_state(self, _: web.Request, found: re.Match[str]) -> web.Response:
        size = self._storage.upload_size(found["upload"])
        return self._accepted(found["name"], found["upload"], size, status=204)

    async def _append(self, request: web.Request, found: re.Match[str]) -> web.Response:
        size = self._storage.upload_size(found["upload"])
        start = request.headers.get("Content-Range", f"{size}-").split("-", maxsplit=1)[0]
        if start != str(size):
            raise upload_out_of_order(size)
        size = self._storage.append(found["upload"], await request.read())
        return self._accepted(found["name"], found["upload"], size)

    async def _finish_upload(self, request: web.Request, found: re.Match[str]) -> web.Response:
        self._storage.append(found["upload"], await request.read())
        digest = request.query.get("digest", "")
        self._storage.finish_upload(found["upload"], digest)
        return self._created(found["name"], "blobs", digest)

    async def _drop_upload(self, _: web.Request, found: re.Match[str]) -> web.Response:
        self._storage.drop_upload(found["upload"])
        return web.Response(status=204, headers=_VERSION)

    @staticmethod
    def _accepted(name: str, upload: str, size: int, *, status: int = 202) -> web.Response:
        headers = {
            "Location": f"/v2/{name}/blobs/uploads/{upload}",
            "Range": f"0-{max(0, size - 1)}",
            "Docker-Upload-UUID": upload,
        }
        return web.Response(status=status, headers=_VERSION | headers)

    @staticmethod
    def _created(name: str, kind: str, digest: str) -> web.Response:
        headers = {"Location": f"/v2/{name}/{kind}/{digest}", "Docker-Content-Digest": digest}
        return web.Response(status=201, headers=_VERSION | headers)

    # -- manifests

    async def _manifest(self, request: web.Request, found: re.Match[str]) -> web.Response:
        kept = self._storage.manifest(found["name"], found["selector"])
        headers = _VERSION | {"Docker-Content-Digest": kept.digest, "ETag": f'"{kept.digest}"'}
        return _content(request, kept.content, kept.media_type, headers)

    async def _put_manifest(self, request: web.Request, found: re.Match[str]) -> web.Response:
        content = await request.read()
        media_type = _checked(content, request.content_type, self._storage)
        digest = self._storage.put_manifest(found["name"], found["selector"], media_type, content)
        return self._created(found["name"], "manifests", digest)

    async def _delete_manifest(self, _: web.Request, found: re.Match[str]) -> web.Response:
        self._storage.delete_manifest(found["name"], found["selector"])
        return web.Response(status=202, headers=_VERSION)

    async def _tags(self, request: web.Request, found: re.Match[str]) -> web.Response:
        name, last = found["name"], request.query.get("last", "")
        tags = self._storage.tags(name)
        if tags is None:
            raise name_unknown(name)
        tags = [tag for tag in tags if tag > last]
        most = request.query.get("n", "")
        headers = dict(_VERSION)
        if most.isdigit() and int(most) < len(tags):
            tags = tags[: int(most)]
            after = tags[-1] if tags else last
            headers["Link"] = f'</v2/{name}/tags/list?n={most}&last={after}>; rel="next"'
        return web.json_response({"name": name, "tags": tags}, headers=headers)

    async def _catalog(self, _: web.Request, __: re.Match[str]) -> web.Response:
        return web.json_response({"repositories": self._storage.repositories()}, headers=_VERSION)


def _content(request: web.Request, content: bytes, media_type: str, headers: dict[str, str]) -> web.Response:
    headers = headers | {"Content-Type": media_type}
    if request.method == "HEAD":
        return web.Response(headers=headers | {"Content-Length": str(len(content))})
    return web.Response(body=content, headers=headers)


def _checked(content: bytes, content_type: str, storage: Storage) -> str:
    """Return the media type of a manifest; refuses what is none, or names content that is not there."""
    try:
        manifest: Any = json.loads(content)
    except ValueError as error:
        raise manifest_invalid(str(error)) from error
    if not isinstance(manifest, dict) or manifest.get("schemaVersion") != 2:  # noqa: PLR2004 -- the format's version
        raise manifest_invalid("schemaVersion is not 2")
    parts = [manifest.get("config"), *(manifest.get("layers") or []), *(manifest.get("manifests") or [])]
    for part in parts:
        if part and not storage.has_blob(str(part.get("digest"))):
            raise manifest_blob_unknown(str(part.get("digest")))
    return str(manifest.get("mediaType") or content_type)
