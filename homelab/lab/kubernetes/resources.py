"""Requests for objects: read, list, watch, create, change, delete, scale, logs. Layer: HTTP over the API."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from homelab.lab.kubernetes.api import Edit
from homelab.lab.kubernetes.apply import applied
from homelab.lab.kubernetes.bodies import decode_text, read_body
from homelab.lab.kubernetes.cluster import Cluster
from homelab.lab.kubernetes.faults import Faults
from homelab.lab.kubernetes.kinds import POD, Kind
from homelab.lab.kubernetes.logs import find_run, read_log_request, stream
from homelab.lab.kubernetes.objects import Object, copy, name_of, namespace_of
from homelab.lab.kubernetes.ownership import Writer, updated
from homelab.lab.kubernetes.patches import json_patch, merge_patch, strategic_patch
from homelab.lab.kubernetes.refusals import Refusal, bad_request, method_not_allowed, unsupported_media_type
from homelab.lab.kubernetes.requests import Asked, Options, read_options
from homelab.lab.kubernetes.shapes import listed, scale_of, shown
from homelab.lab.kubernetes.store import storage_kind
from homelab.lab.kubernetes.tables import render_table, wants_table
from homelab.lab.kubernetes.watch import Watch

_JSON_PATCH = "application/json-patch+json"
_MERGE = "application/merge-patch+json"
_STRATEGIC = "application/strategic-merge-patch+json"
_APPLY = "application/apply-patch+yaml"


class Resources:
    """Answers requests about objects of one cluster."""

    def __init__(self, cluster: Cluster, faults: Faults) -> None:
        """Serve ``cluster``; open watches are known to ``faults``."""
        self._cluster = cluster
        self._api = cluster.api
        self._store = cluster.store
        self._faults = faults

    async def answer(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        """Answer one request; refuses with a Status."""
        options = read_options(request.query)
        if asked.part == "log":
            return await self._log(request, asked)
        if asked.verb == "watch":
            return await self._watch(request, asked, options)
        if asked.verb == "list":
            return self._list(request, asked, options)
        found, code = await self._one(request, asked, options)
        return self._render(request, asked.kind, found, code)

    async def _one(self, request: web.Request, asked: Asked, options: Options) -> tuple[Object, int]:
        kind = storage_kind(asked.kind)
        writer = Writer(options.manager or _agent(request), "Update", asked.part)
        match asked.verb:
            case "get":
                found = self._store.get(kind, asked.namespace, asked.name)
                return (scale_of(found) if asked.part == "scale" else shown(asked.kind, found)), 200
            case "create" if not asked.name:
                body = await read_body(request)
                body.setdefault("metadata", {})
                owned = updated({"metadata": {}}, body, writer, self._store.now())
                return self._api.create(kind, asked.namespace, owned, dry_run=options.dry_run), 201
            case "update":
                body = await read_body(request)
                return self._replace(asked, body, options, writer), 200
            case "patch":
                return await self._patch(request, asked, options, writer)
            case "delete":
                return self._delete(asked, await read_body(request, optional=True), options), 200
            case "deletecollection":
                return self._delete_all(asked, options), 200
            case _:
                raise method_not_allowed()

    # -- reading

    def _list(self, request: web.Request, asked: Asked, options: Options) -> web.Response:
        wanted = options.predicate(asked.kind)
        items = [item for item in self._store.list(storage_kind(asked.kind), asked.namespace) if wanted(item)]
        start = int(options.continuation) if options.continuation.isdigit() else 0
        page = items[start : start + options.limit] if options.limit else items[start:]
        if wants_table(request.headers.get("Accept", "")):
            body = render_table(asked.kind, page, self._store.now(), version=self._store.version)
        else:
            body = listed(asked.kind, page, self._store.version)
        left = len(items) - start - len(page)
        if left:
            body["metadata"] |= {"continue": str(start + len(page)), "remainingItemCount": left}
        return _json(body)

    def _render(self, request: web.Request, kind: Kind, found: Object, code: int) -> web.Response:
        is_object = found.get("kind") == kind.kind and "metadata" in found
        if request.method == "GET" and is_object and wants_table(request.headers.get("Accept", "")):
            return _json(render_table(kind, [found], self._store.now(), version=0))
        return _json(found, code)

    async def _watch(self, request: web.Request, asked: Asked, options: Options) -> web.StreamResponse:
        table = wants_table(request.headers.get("Accept", ""))
        first = [True]

        def render(item: Object) -> Object:
            if not table:
                return shown(asked.kind, item)
            headed, first[0] = first[0], False
            return render_table(asked.kind, [item], self._store.now(), version=0, headed=headed)

        try:
            watch = Watch(self._store, asked.kind, asked.namespace, options, render)
        except Refusal as refusal:
            if refusal.reason != "Expired" or self._faults.gone_at_connect:
                raise
            event = json.dumps({"type": "ERROR", "object": refusal.status()}).encode() + b"\n"
            return await _stream(request, "application/json", _only(event))
        watch.silenced = self._faults.silent
        self._faults.watches.add(watch)
        try:
            return await _stream(request, "application/json", watch.lines())
        finally:
            watch.close()
            self._faults.watches.discard(watch)

    async def _log(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        if request.method != "GET":
            raise method_not_allowed()
        pod = self._store.get(POD, asked.namespace, asked.name)
        wanted = read_log_request(request.query, self._store.now())
        container, run = find_run(self._cluster.kubelet, pod, wanted)
        return await _stream(request, "text/plain", stream(container, run, wanted))

    # -- writing

    def _replace(self, asked: Asked, body: Object, options: Options, writer: Writer) -> Object:
        if asked.part == "scale":
            return self._scale(asked, body, options, writer)
        return self._change(asked, lambda _: body, options, writer)

    def _change(self, asked: Asked, edit: Edit, options: Options, writer: Writer) -> Object:
        """Change an object and note who owns what changed."""
        kind, now = storage_kind(asked.kind), self._store.now()
        before = self._store.get(kind, asked.namespace, asked.name)

        def noted(item: Object) -> Object:
            after = edit(item)
            after.setdefault("metadata", {})
            return updated(before, after, writer, now)

        part = "" if asked.part == "scale" else asked.part
        return self._api.change(kind, asked.namespace, asked.name, noted, part=part, dry_run=options.dry_run)

    def _scale(self, asked: Asked, scale: Object, options: Options, writer: Writer) -> Object:
        claimed = (scale.get("metadata") or {}).get("resourceVersion")

        def edit(item: Object) -> Object:
            item["spec"]["replicas"] = int((scale.get("spec") or {}).get("replicas") or 0)
            if claimed:
                item["metadata"]["resourceVersion"] = claimed
            return item

        return scale_of(self._change(asked, edit, options, writer))

    async def _patch(self, request: web.Request, asked: Asked, options: Options, writer: Writer) -> tuple[Object, int]:
        content_type = request.content_type
        raw = await request.read()
        if content_type == _APPLY:
            return self._apply(asked, decode_text(raw), options)
        if asked.part == "scale":
            current = scale_of(self._store.get(asked.kind, asked.namespace, asked.name))
            return self._scale(asked, _edit(asked.kind, content_type, decode_text(raw))(current), options, writer), 200
        return self._change(asked, _edit(asked.kind, content_type, decode_text(raw)), options, writer), 200

    def _apply(self, asked: Asked, intent: Any, options: Options) -> tuple[Object, int]:
        if not options.manager:
            raise bad_request(
                "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required for apply patch"
            )
        now = self._store.now()
        known = self._store.find(asked.kind, asked.namespace, asked.name)

        def edit(item: Object) -> Object:
            return applied(item, intent, manager=options.manager, force=options.force, now=now, part=asked.part)

        if known is None:
            empty = {"apiVersion": asked.kind.group_version, "kind": asked.kind.kind, "metadata": {"name": asked.name}}
            body = edit(empty)
            return self._api.create(asked.kind, asked.namespace, body, dry_run=options.dry_run), 201
        changed = self._api.change(
            asked.kind, asked.namespace, asked.name, edit, part=asked.part, dry_run=options.dry_run
        )
        return changed, 200

    def _delete(self, asked: Asked, body: Object, options: Options) -> Object:
        kind = storage_kind(asked.kind)
        if options.dry_run or body.get("dryRun"):
            return self._store.get(kind, asked.namespace, asked.name)
        item = self._api.delete(
            kind,
            asked.namespace,
            asked.name,
            policy=body.get("propagationPolicy") or "Background",
            grace=body.get("gracePeriodSeconds"),
            preconditions=body.get("preconditions"),
        )
        if self._store.find(kind, asked.namespace, asked.name):
            return shown(asked.kind, item)
        details = {"name": asked.name, "kind": kind.plural, "uid": item["metadata"]["uid"]}
        if kind.group:
            details["group"] = kind.group
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    def _delete_all(self, asked: Asked, options: Options) -> Object:
        kind, wanted = storage_kind(asked.kind), options.predicate(asked.kind)
        items = [item for item in self._store.list(kind, asked.namespace) if wanted(item)]
        for item in items:
            self._api.delete(kind, namespace_of(item), name_of(item))
        return listed(asked.kind, items, self._store.version)


def _edit(kind: Kind, content_type: str, patch: Any) -> Edit:
    if content_type == _JSON_PATCH:
        return lambda item: json_patch(item, patch)
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: expected an object")
    if content_type == _MERGE:
        return lambda item: copy(merge_patch(item, patch))
    if content_type == _STRATEGIC and not kind.custom:
        return lambda item: copy(strategic_patch(item, patch))
    accepted = [_JSON_PATCH, _MERGE, *([] if kind.custom else [_STRATEGIC]), _APPLY]
    raise unsupported_media_type(content_type, accepted)


def _agent(request: web.Request) -> str:
    """Return the writer's name when it gave none: the program before the slash of its User-Agent."""
    return request.headers.get("User-Agent", "").partition("/")[0] or "unknown"


def _json(body: Object, code: int = 200) -> web.Response:
    return web.Response(
        body=json.dumps(body, separators=(",", ":")).encode(), status=code, content_type="application/json"
    )


async def _only(line: bytes) -> AsyncIterator[bytes]:
    yield line


async def _stream(request: web.Request, content_type: str, pieces: AsyncIterator[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": content_type})
    await response.prepare(request)
    with contextlib.suppress(ConnectionResetError, asyncio.CancelledError):
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    return response
