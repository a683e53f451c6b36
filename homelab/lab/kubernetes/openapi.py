"""As much OpenAPI v3 as kubectl asks for: which kinds exist and that writes validate fields. Layer: pure.

kubectl looks for the ``fieldValidation`` parameter of a kind's PATCH before it trusts the server with validation
(cli-runtime ``pkg/resource/query_param_verifier_v3.go``).
"""

from __future__ import annotations

from homelab.lab.kubernetes.kinds import SERVED, Kind
from homelab.lab.kubernetes.objects import Object

_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation", "force")
]


def index() -> Object:
    """Return the body of ``GET /openapi/v3``."""
    roots = {_root(kind) for kind in SERVED}
    return {"paths": {root: {"serverRelativeURL": f"/openapi/v3/{root}?hash=lab"} for root in sorted(roots)}}


def document(group: str, version: str) -> Object | None:
    """Return the description of one group version, None when not served."""
    kinds = [kind for kind in SERVED if (kind.group, kind.version) == (group, version)]
    if not kinds:
        return None
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "lab"},
        "paths": {_path(kind): _operations(kind) for kind in kinds},
        "components": {"schemas": {_schema_name(kind): _schema(kind) for kind in kinds}},
    }


def _root(kind: Kind) -> str:
    return f"apis/{kind.group_version}" if kind.group else f"api/{kind.version}"


def _path(kind: Kind) -> str:
    inside = "/namespaces/{namespace}" if kind.namespaced else ""
    return f"/{_root(kind)}{inside}/{kind.plural}/{{name}}"


def _marked(kind: Kind) -> Object:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _operations(kind: Kind) -> Object:
    answers = {"200": {"description": "OK"}}
    return {
        "get": {"x-kubernetes-action": "get", "x-kubernetes-group-version-kind": _marked(kind), "responses": answers},
        "patch": {
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": _marked(kind),
            "parameters": _PARAMETERS,
            "responses": answers,
        },
    }


def _schema_name(kind: Kind) -> str:
    return f"{kind.group or 'core'}.{kind.version}.{kind.kind}"


def _schema(kind: Kind) -> Object:
    return {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "x-kubernetes-group-version-kind": [_marked(kind)],
    }
