"""What one HTTP request asks for, read from its path and query. Layer: pure.

From apiserver ``pkg/endpoints/request/requestinfo.go``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from homelab.lab.kubernetes.kinds import Kind, find
from homelab.lab.kubernetes.selectors import Predicate, selection

_TRUE = ("true", "1", "")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for objects. ``part`` is the subresource; ``verb`` a word of RBAC."""

    verb: str
    kind: Kind
    namespace: str
    name: str
    part: str

    @property
    def resource(self) -> str:
        """``pods/log``, or ``pods``: how RBAC names it."""
        return f"{self.kind.plural}/{self.part}" if self.part else self.kind.plural


@dataclass(frozen=True, slots=True)
class Options:
    """The query of a request; durations in seconds."""

    labels: str = ""
    fields: str = ""
    version: str = ""
    version_match: str = ""
    limit: int = 0
    continuation: str = ""
    watch: bool = False
    bookmarks: bool = False
    initial_events: bool = False
    timeout: float | None = None
    dry_run: bool = False
    manager: str = ""
    force: bool = False

    def predicate(self, kind: Kind) -> Predicate:
        """Return what the selectors ask of an object; refuses with 400."""
        return selection(self.labels, self.fields, kind.plural)

    @property
    def selected_name(self) -> str:
        """The name a field selector pins, empty when it does not: RBAC by resourceNames then applies to a LIST."""
        parts = [part.split("=", 1) for part in self.fields.split(",") if "!=" not in part and "=" in part]
        return next((value.lstrip("=") for key, value in parts if key.strip() == "metadata.name"), "")


def read_options(query: Mapping[str, str]) -> Options:
    """Return the options of a query string."""

    def flag(name: str) -> bool:
        return name in query and query[name].lower() in _TRUE

    timeout = query.get("timeoutSeconds", "")
    limit = query.get("limit", "")
    return Options(
        labels=query.get("labelSelector", ""),
        fields=query.get("fieldSelector", ""),
        version=query.get("resourceVersion", ""),
        version_match=query.get("resourceVersionMatch", ""),
        limit=int(limit) if limit.isdigit() else 0,
        continuation=query.get("continue", ""),
        watch=flag("watch"),
        bookmarks=flag("allowWatchBookmarks"),
        initial_events=flag("sendInitialEvents"),
        timeout=float(timeout) if timeout.isdigit() and int(timeout) else None,
        dry_run="All" in query.get("dryRun", ""),
        manager=query.get("fieldManager", ""),
        force=flag("force"),
    )


def read_path(method: str, path: str, *, watch: bool) -> Asked | None:
    """Return what a path asks for, None when it is no path of a served kind."""
    parts = [part for part in path.split("/") if part]
    match parts:
        case ["api", version, _, *_]:
            group, rest = "", parts[2:]
        case ["apis", group, version, _, *_]:
            rest = parts[3:]
        case _:
            return None
    namespace = ""
    match rest:
        case ["namespaces", home, plural, *_] if group or plural not in ("status", "finalize"):
            namespace, rest = home, rest[2:]
    kind = find(group, version, rest[0])
    plural, name, part, *more = [*rest, "", "", ""]
    if kind is None or any(more[:1]) or (namespace and not kind.namespaced):
        return None
    if part and part not in kind.subresources:
        return None
    return Asked(_verb(method, named=bool(name), watch=watch), kind, namespace, name, part)


def _verb(method: str, *, named: bool, watch: bool) -> str:
    verb = _VERBS.get(method, "")
    if verb == "get" and not named:
        return "watch" if watch else "list"
    if verb == "delete" and not named:
        return "deletecollection"
    return verb
