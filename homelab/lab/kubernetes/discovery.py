"""Which groups, versions and kinds there are, as clients ask before anything else. Layer: pure.

Shapes from apimachinery ``pkg/apis/meta/v1/types.go`` (APIGroupList, APIResourceList).
"""

from __future__ import annotations

from homelab.lab.kubernetes.kinds import POD, SERVED, VERBS, Kind
from homelab.lab.kubernetes.objects import Object

#: Groups whose only kind is created and answered, never kept.
_EXTRA = {"authorization.k8s.io": "v1", "authentication.k8s.io": "v1"}
_ASKED = {
    "authorization.k8s.io": {
        "selfsubjectaccessreviews": "SelfSubjectAccessReview",
        "selfsubjectrulesreviews": "SelfSubjectRulesReview",
    },
    "authentication.k8s.io": {"selfsubjectreviews": "SelfSubjectReview"},
}


def core_versions() -> Object:
    """Return the body of ``GET /api``."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups() -> Object:
    """Return the body of ``GET /apis``."""
    named = {kind.group: kind.version for kind in SERVED if kind.group} | _EXTRA
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name, named[name]) for name in named]}


def group(name: str) -> Object | None:
    """Return the body of ``GET /apis/NAME``, None for an unknown group."""
    found = next((one for one in groups()["groups"] if one["name"] == name), None)
    return None if found is None else {"kind": "APIGroup", "apiVersion": "v1", **found}


def _group(name: str, version: str) -> Object:
    served = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [served], "preferredVersion": served}


def resources(group_name: str, version: str) -> Object | None:
    """Return the body of ``GET /api/v1`` or ``/apis/GROUP/VERSION``, None when not served."""
    if _EXTRA.get(group_name) == version:
        entries = [
            {"name": name, "singularName": kind.lower(), "namespaced": False, "kind": kind, "verbs": ["create"]}
            for name, kind in _ASKED[group_name].items()
        ]
    else:
        kinds = [kind for kind in SERVED if (kind.group, kind.version) == (group_name, version)]
        if not kinds:
            return None
        entries = [entry for kind in kinds for entry in _entries(kind)]
    shown = f"{group_name}/{version}" if group_name else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": shown, "resources": entries}


def _entries(kind: Kind) -> list[Object]:
    main: Object = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(VERBS),
    }
    if kind.short:
        main["shortNames"] = list(kind.short)
    if kind.categories:
        main["categories"] = list(kind.categories)
    return [main, *(_part(kind, part) for part in kind.subresources)]


def _part(kind: Kind, part: str) -> Object:
    entry: Object = {
        "name": f"{kind.plural}/{part}",
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": ["get"] if kind == POD and part == "log" else ["get", "patch", "update"],
    }
    if part == "token":
        entry |= {"kind": "TokenRequest", "group": "authentication.k8s.io", "version": "v1", "verbs": ["create"]}
    if part == "scale":
        entry |= {"kind": "Scale", "group": "autoscaling", "version": "v1"}
    return entry
