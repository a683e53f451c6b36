"""``/_lab/…``: what a test may do to the cluster that no client may. Layer: HTTP over faults and the cluster.

All are POST with a JSON body (or none) and the administrator's token; the answer is JSON.

- ``/_lab/faults`` adds a fault (fields of :class:`~homelab.lab.kubernetes.faults.Fault`); ``/_lab/mend`` ends all
- ``/_lab/deny`` ``{"verbs": […], "resources": […]}`` denies with 403; ``/_lab/allow`` ends all denials
- ``/_lab/tokens`` ``{"token": …, "user": …, "rules": [PolicyRule…]}`` lets somebody else in; roles bound to that user
  (for a service account ``system:serviceaccount:NAMESPACE:NAME``) hold as well
- ``/_lab/webhooks`` adds an admission webhook (fields of :class:`~homelab.lab.kubernetes.admission.Webhook`)
- ``/_lab/watches/cut``, ``/silence``, ``/speak``, ``/expire`` do that to open watches (silence: to new ones as well)
- ``/_lab/versions/expire`` ``{"connect": bool}`` forgets the past: older versions answer 410, in the stream or at once
- ``/_lab/controllers/freeze`` and ``/thaw`` ``{"names": […]}``; no names means all
- ``/_lab/requests`` answers how often each verb and resource was asked for, and ``{"reset": true}`` starts over
- ``/_lab/objects/replace`` ``{"group", "version", "plural", "namespace", "name"}`` puts the same object under a new uid
- ``/_lab/objects/status`` ``{…, "status": {…}}`` writes a status as a controller would
- ``/_lab/nodes/NAME`` ``{"ready": bool}``; ``/_lab/namespaces/NAME`` makes a namespace
"""

from __future__ import annotations

import json

from aiohttp import web

from homelab.lab.kubernetes.admission import Webhook
from homelab.lab.kubernetes.cluster import Cluster
from homelab.lab.kubernetes.faults import Fault, Faults, read_fields
from homelab.lab.kubernetes.kinds import Kind, find
from homelab.lab.kubernetes.node.nodes import set_ready
from homelab.lab.kubernetes.objects import Object, copy
from homelab.lab.kubernetes.refusals import Refusal, bad_request, no_such_page
from homelab.lab.kubernetes.rules import EVERYTHING, Access, User


class Admin:
    """Breaks and mends one cluster."""

    def __init__(self, cluster: Cluster, faults: Faults, access: Access) -> None:
        """Act on what the server asks before it answers."""
        self._cluster = cluster
        self._faults = faults
        self._access = access

    async def answer(self, request: web.Request, user: User) -> web.Response:
        """Do what the path says; refuses with 403 without the administrator's rules."""
        if EVERYTHING not in user.rules:
            raise Refusal(403, "Forbidden", "only the administrator may break the cluster")
        raw = await request.read()
        body = json.loads(raw) if raw else {}
        if request.method != "POST" or not isinstance(body, dict):
            raise no_such_page()
        parts = [part for part in request.path.split("/") if part][1:]
        return web.json_response(self.act(parts, body))

    def act(self, parts: list[str], body: Object) -> Object:
        """Do one thing; refuses with 400 or 404."""
        match parts:
            case ["watches", word]:
                self._watches(word)
            case ["versions", "expire"]:
                self._faults.gone_at_connect = bool(body.get("connect"))
                self._cluster.store.forget()
            case ["controllers", ("freeze" | "thaw") as word]:
                self._freeze(body.get("names") or [], frozen=word == "freeze")
            case ["objects", word]:
                return self._object(word, body)
            case ["requests"]:
                return self._requests(reset=bool(body.get("reset")))
            case ["nodes", name]:
                return set_ready(self._cluster.api, name, ready=bool(body.get("ready", True)))
            case ["namespaces", name]:
                self._cluster.ensure_namespace(name)
            case [word]:
                self._answers(word, body)
            case _:
                raise no_such_page()
        return {}

    def _answers(self, word: str, body: Object) -> None:
        match word:
            case "faults":
                self._faults.active.append(read_fields(Fault, body))
            case "deny":
                self._access.denials.append(body)
            case "allow":
                self._access.denials.clear()
            case "tokens":
                self._access.users[str(body["token"])] = User(str(body["user"]), tuple(body.get("rules") or ()))
            case "webhooks":
                self._cluster.api.admission.webhooks.append(read_fields(Webhook, body))
            case "mend":
                self._cluster.api.admission.webhooks.clear()
                self._faults.clear()
                self._access.denials.clear()
                self._freeze([], frozen=False)
            case _:
                raise no_such_page()

    def _watches(self, word: str) -> None:
        match word:
            case "cut":
                self._faults.cut_watches()
            case "silence" | "speak":
                self._faults.silence_watches(silent=word == "silence")
            case "expire":
                self._faults.expire_watches()
            case _:
                raise no_such_page()

    def _requests(self, *, reset: bool) -> Object:
        counts = dict(self._faults.counts)
        if reset:
            self._faults.counts.clear()
        return counts

    def _freeze(self, names: list[str], *, frozen: bool) -> None:
        loop = self._cluster.loop
        chosen = set(names) or set(loop.names)
        if unknown := chosen - set(loop.names):
            raise bad_request(f"no such controller: {', '.join(sorted(unknown))}; there are {', '.join(loop.names)}")
        loop.frozen = loop.frozen | chosen if frozen else loop.frozen - chosen
        loop.nudge()

    def _object(self, word: str, body: Object) -> Object:
        kind = find(str(body.get("group", "")), str(body.get("version", "v1")), str(body.get("plural")))
        if kind is None:
            raise bad_request(f"no kind {body.get('plural')!r} in {body.get('group', '')!r}")
        namespace, name = str(body.get("namespace", "")), str(body.get("name"))
        if word == "replace":
            return self._replace(kind, namespace, name)
        if word == "status":
            changed = copy(self._cluster.store.get(kind, namespace, name))
            changed["status"] = body.get("status") or {}
            return self._cluster.store.update(kind, changed)
        raise no_such_page()

    def _replace(self, kind: Kind, namespace: str, name: str) -> Object:
        store = self._cluster.store
        item = copy(store.get(kind, namespace, name))
        store.remove(kind, namespace, name)
        return self._cluster.api.create(kind, namespace, item)
