"""The HTTP server: who asks, what for, and everything that is not an object. Layer: top of the lab cluster."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
from collections.abc import Callable

from aiohttp import web

from homelab.lab.kubernetes import discovery
from homelab.lab.kubernetes.admin import Admin
from homelab.lab.kubernetes.bodies import read_body
from homelab.lab.kubernetes.cluster import Cluster
from homelab.lab.kubernetes.faults import Faults
from homelab.lab.kubernetes.objects import Object, stamp
from homelab.lab.kubernetes.openapi import document, index
from homelab.lab.kubernetes.refusals import Refusal, internal_error, method_not_allowed, no_such_page
from homelab.lab.kubernetes.requests import Asked, read_options, read_path
from homelab.lab.kubernetes.resources import Resources
from homelab.lab.kubernetes.rules import EVERYTHING, Access, User, rules_review, self_review
from homelab.lab.kubernetes.version import version

_log = logging.getLogger(__name__)
_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_MAY = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
_WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_TOKEN_SECONDS = 3600.0
_MAX_BODY = 3 * 1024 * 1024


class Server:
    """Serves one cluster on loopback."""

    def __init__(self, cluster: Cluster, token: str) -> None:
        """``token`` is the administrator's."""
        self.cluster = cluster
        self.faults = Faults()
        self.access = Access({token: User("lab-admin", (EVERYTHING,))}, cluster.store)
        self.port = 0
        self._resources = Resources(cluster, self.faults)
        self._admin = Admin(cluster, self.faults, self.access)
        self._runner: web.AppRunner | None = None
        self._controllers: asyncio.Task[None] | None = None

    async def start(self, port: int = 0, *, tls: ssl.SSLContext) -> int:
        """Serve on 127.0.0.1 and run the controllers; return the port."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._controllers = asyncio.create_task(self.cluster.run())
        return self.port

    async def stop(self) -> None:
        """End watches, the controllers and the server."""
        self.faults.cut_watches()
        if self._controllers:
            self._controllers.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._controllers
        if self._runner:
            self._drop_connections(self._runner)
            await self._runner.cleanup()
            await asyncio.sleep(0)

    @staticmethod
    def _drop_connections(runner: web.AppRunner) -> None:
        """Close what clients keep open: a TLS goodbye they never answer would outlive the event loop."""
        for connection in runner.server.connections if runner.server else ():
            if connection.transport:
                connection.transport.abort()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            if request.path in ("/healthz", "/livez", "/readyz"):
                return web.Response(text="ok")
            user = self.access.user(request.headers.get("Authorization", ""))
            return await self._route(request, user)
        except Exception as error:  # noqa: BLE001 -- a defect here must look like one of a real server's
            refusal = error if isinstance(error, Refusal) else internal_error(error)
            if refusal is not error:
                _log.exception("%s %s", request.method, request.path)
            return web.Response(
                body=json.dumps(refusal.status()).encode(),
                status=refusal.code,
                content_type="application/json",
                headers=refusal.headers,
            )

    async def _route(self, request: web.Request, user: User) -> web.StreamResponse:
        if request.path.startswith("/_lab/"):
            return await self._admin.answer(request, user)
        asked = read_path(request.method, request.path, watch=read_options(request.query).watch)
        if asked is None:
            return await self._page(request, user)
        self.faults.count(asked)
        if broken := await self._broken(request, asked):
            return broken
        name = asked.name or read_options(request.query).selected_name
        self.access.check(user, asked, name)
        if asked.part == "token":
            return self._token(asked)
        return await self._resources.answer(request, asked)

    def _token(self, asked: Asked) -> web.Response:
        """Answer a TokenRequest. The token is known until the server ends: its expiry is stated, not kept."""
        if asked.verb != "create":
            raise method_not_allowed()
        self.cluster.store.get(asked.kind, asked.namespace, asked.name)
        status = {
            "token": self.access.token_of(asked.namespace, asked.name),
            "expirationTimestamp": stamp(self.cluster.store.now() + _TOKEN_SECONDS),
        }
        body = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {}, "status": status}
        return _json(body, 201)

    async def _broken(self, request: web.Request, asked: Asked) -> web.StreamResponse | None:
        fault = self.faults.take(asked)
        if fault is None:
            return None
        await asyncio.sleep(fault.delay)
        if fault.code == 0:
            if request.transport:
                request.transport.abort()
            return web.Response()
        if fault.body is not None:
            return web.Response(text=fault.body, status=fault.code, content_type="text/html")
        raise fault.refusal()

    async def _page(self, request: web.Request, user: User) -> web.StreamResponse:
        parts = [part for part in request.path.split("/") if part]
        if request.method == "POST" and request.path == _REVIEW:
            return _json(self.access.review(user, await read_body(request)), 201)
        if request.method == "POST" and request.path == _MAY:
            namespace = str(((await read_body(request)).get("spec") or {}).get("namespace") or "")
            return _json(rules_review(self.access.rules_of(user, namespace)), 201)
        if request.method == "POST" and request.path == _WHOAMI:
            return _json(self_review(user), 201)
        if request.method != "GET":
            raise no_such_page()
        body = _pages(parts)
        if body is None:
            raise no_such_page()
        return _json(body)


def _pages(parts: list[str]) -> Object | None:
    match parts:
        case ["api", wanted]:
            return discovery.resources("", wanted)
        case ["apis", group]:
            return discovery.group(group)
        case ["apis", group, wanted]:
            return discovery.resources(group, wanted)
        case ["openapi", "v3", ("api" | "apis"), *rest]:
            return document("/".join(rest[:-1]), rest[-1]) if rest else None
        case _:
            page = _FIXED.get("/".join(parts))
            return page() if page else None


def _root() -> Object:
    return {"paths": ["/api", "/api/v1", "/apis", "/healthz", "/openapi/v3", "/version"]}


_FIXED: dict[str, Callable[[], Object]] = {
    "": _root,
    "version": version,
    "api": discovery.core_versions,
    "apis": discovery.groups,
    "openapi/v3": index,
}


def _json(body: Object, code: int = 200) -> web.Response:
    return web.Response(
        body=json.dumps(body, separators=(",", ":")).encode(), status=code, content_type="application/json"
    )
