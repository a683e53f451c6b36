"""Request bodies: JSON, YAML and kubectl's protobuf, as objects. Layer: HTTP edge of the lab cluster."""

from __future__ import annotations

import json
from typing import Any

import yaml
from aiohttp import web

from homelab.lab.kubernetes import protobuf
from homelab.lab.kubernetes.objects import Object
from homelab.lab.kubernetes.refusals import bad_request, unsupported_media_type

_ACCEPTED = ("application/json", "application/yaml", protobuf.CONTENT_TYPE)


async def read_body(request: web.Request, *, optional: bool = False) -> Object:
    """Return the object in the body; refuses with 400 and 415. ``optional``: an empty body is an empty object."""
    raw = await request.read()
    if not raw and optional:
        return {}
    # kubectl's scale client names no type and means JSON.
    if "Content-Type" in request.headers and request.content_type not in _ACCEPTED:
        raise unsupported_media_type(request.content_type, list(_ACCEPTED))
    if request.content_type == protobuf.CONTENT_TYPE:
        return protobuf.decode(raw)
    body = decode_text(raw)
    if not isinstance(body, dict):
        raise bad_request("the object provided is unrecognized (must be of type object)")
    return body


def decode_text(raw: bytes) -> Any:
    """Return what JSON or YAML text says; refuses with 400."""
    try:
        return json.loads(raw) if raw[:1] in (b"{", b"[") else yaml.load(raw, Loader=_Loader)
    except (ValueError, yaml.YAMLError) as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: timestamps stay text."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for letter, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
