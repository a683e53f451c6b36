"""What a Flux Kustomization or HelmRelease says of itself. Pure.

Fields: fluxcd kustomize-controller api/v1, helm-controller api/v2, source-controller api/v1.
Layer: the deploy domain, above its model.
"""

from __future__ import annotations

import re

from homelab.deploy import shape
from homelab.deploy.model import GitOps
from homelab.kube.port import Json

#: The labels each kind puts on what it applies: ``<group>/name`` and ``<group>/namespace``.
GROUPS = {"kustomize.toolkit.fluxcd.io": "kustomization", "helm.toolkit.fluxcd.io": "helmrelease"}
REQUESTED = "reconcile.fluxcd.io/requestedAt"

_MANAGERS = {"kustomization": ("kustomize-controller", "flux"), "helmrelease": ("helm-controller", "helm", "flux")}
_SOURCES = "/apis/source.toolkit.fluxcd.io/v1"
#: ``main@sha1:<commit>``, ``main/<commit>`` of old, ``sha1:<commit>``, or the commit alone.
_COMMIT = re.compile(r"(?:^|[:/])([0-9a-f]{40}(?:[0-9a-f]{24})?)$")
#: A chart from a git repository with reconcileStrategy Revision: ``1.2.3+<12 digits>``.
_CHARTS_COMMIT = re.compile(r"\+([0-9a-f]{7,40})$")


def wrote(kind: str, managers: frozenset[str]) -> bool:
    """Say whether the controller of ``kind`` is among an object's writers; without any named it may be."""
    named = {manager for manager in managers if manager}
    return not named or any(manager.startswith(_MANAGERS[kind]) for manager in named)


def read(kind: str, item: Json, skew: float = 0.0) -> GitOps:
    """Return the view of a Kustomization or a HelmRelease."""
    about, spec, status = item.get("metadata") or {}, item.get("spec") or {}, item.get("status") or {}
    stated = {condition.type: condition for condition in shape.conditions(status, skew)}
    ready, stalled = stated.get("Ready"), stated.get("Stalled")
    name, namespace = str(about.get("name") or ""), str(about.get("namespace") or "")
    commits, suspended = _commits(status), bool(spec.get("suspend"))
    is_ready = ready is not None and ready.status == "True"
    settled = is_ready and _observed(about, status) and not suspended and not looking(item)
    message = ready.message[:160] if ready else "not reconciled yet"
    at = commits[0][:12] if commits else _revision(status)
    group = next(group for group, of in GROUPS.items() if of == kind)
    return GitOps(
        kind=kind,
        namespace=namespace,
        name=name,
        summary=f"{'Ready' if is_ready else 'not Ready'}{f' at {at}' if at else ''}: {message}"
        + (", looking now" if looking(item) else "")
        + (", suspended" if suspended else ""),
        revision=_revision(status),
        settled=settled,
        stuck="is suspended" if suspended else "",
        error=f"stalled: {stalled.message[:160]}" if stalled and stalled.status == "True" else "",
        hint=f"flux {'resume' if suspended else 'reconcile'} {kind} {name} -n {namespace}"
        + ("" if suspended else " --with-source"),
        workloads=_inventory(status),
        commits=commits,
        tried=_commits_in(str(status.get("lastAttemptedRevision") or "")),
        broken=stalled is not None and stalled.status == "True",
        versions=_versions(status),
        label=f"{group}/name={name},{group}/namespace={namespace}",
        installs_in=str(spec.get("targetNamespace") or namespace),
        sources=_sources(spec, namespace),
        parent=_parent(about),
        reverts=not suspended,
    )


def looking(item: Json) -> bool:
    """Say whether it was asked to look and has not done so yet: what it says is from before."""
    asked = ((item.get("metadata") or {}).get("annotations") or {}).get(REQUESTED)
    return bool(asked) and asked != (item.get("status") or {}).get("lastHandledReconcileAt")


def _observed(about: Json, status: Json) -> bool:
    return shape.number(status.get("observedGeneration")) >= shape.number(about.get("generation"))


def _revision(status: Json) -> str:
    """Return what was applied last: of a HelmRelease the deployed release's chart version."""
    applied = str(status.get("lastAppliedRevision") or "")
    return applied or str(_deployed(status).get("chartVersion") or "")


def _commits(status: Json) -> tuple[str, ...]:
    """Return the commits applied last.

    An artifact of an OCIRepository has a digest for a revision; the commit it was made from is its origin.
    """
    said = (str(status.get(key) or "") for key in ("lastAppliedRevision", "lastAppliedOriginRevision"))
    found = [commit for text in said for commit in _commits_in(text)]
    chart = _CHARTS_COMMIT.search(str(_deployed(status).get("chartVersion") or ""))
    return tuple(dict.fromkeys([*found, *([chart[1]] if chart else [])]))


def _commits_in(revision: str) -> tuple[str, ...]:
    # ``latest@sha256:<digest>`` is an artifact's digest and no commit.
    found = None if "@sha256:" in revision and not revision.startswith("sha256") else _COMMIT.search(revision)
    return (found[1],) if found else ()


def _deployed(status: Json) -> Json:
    """Return the newest release where it is deployed: ``status.history`` has the newest first."""
    newest: Json = (status.get("history") or [{}])[0]
    return newest if newest.get("status") == "deployed" else {}


def _versions(status: Json) -> tuple[str, ...]:
    named = (str(_deployed(status).get(key) or "") for key in ("appVersion", "chartVersion"))
    return tuple(version for version in named if version)


def _sources(spec: Json, namespace: str) -> tuple[str, ...]:
    """Return the API paths of the sources, as far as the object names them."""
    chart = (spec.get("chart") or {}).get("spec") or {}
    named = [spec.get("sourceRef"), spec.get("chartRef"), chart.get("sourceRef")]
    return tuple(
        f"{_SOURCES}/namespaces/{one.get('namespace') or namespace}/{_plural(str(one.get('kind')))}/{one['name']}"
        for one in named
        if one and one.get("name")
    )


def _plural(kind: str) -> str:
    lowered = kind.lower()
    return f"{lowered[:-1]}ies" if lowered.endswith("y") else f"{lowered}s"


def _parent(about: Json) -> str:
    """Return the API path of the Kustomization that applies this object, or ""."""
    group = "kustomize.toolkit.fluxcd.io"
    labels = about.get("labels") or {}
    name, namespace = labels.get(f"{group}/name"), labels.get(f"{group}/namespace")
    return f"/apis/{group}/v1/namespaces/{namespace}/kustomizations/{name}" if name and namespace else ""


def _inventory(status: Json) -> tuple[tuple[str, str, str], ...]:
    """Return the objects of ``status.inventory``; an id is ``namespace_name_group_kind``."""
    entries = (status.get("inventory") or {}).get("entries") or []
    parts = (str(entry.get("id") or "").split("_") for entry in entries)
    return tuple((part[3].lower(), part[0], part[1]) for part in parts if len(part) == 4)  # noqa: PLR2004 -- the id's
