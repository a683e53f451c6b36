"""Who owns a workload's template, and what Argo CD and Flux say about what they apply. Pure.

Revisions here are commits of the GitOps repository; image tags are commits of the app's. The two are
never compared. Fields: argo-cd pkg/apis/application/v1alpha1, fluxcd kustomize and helm APIs.
Layer: the deploy domain, above its model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from homelab.deploy import shape
from homelab.deploy.model import Condition, GitOps, Workload
from homelab.kube.port import Json

ARGO_NAMESPACE = "argocd"
TRACKING = "argocd.argoproj.io/tracking-id"
ARGO_INSTANCE = "argocd.argoproj.io/instance"
INSTANCE = "app.kubernetes.io/instance"
HELM_RELEASE, HELM_NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
APIS = {
    "application": ("/apis/argoproj.io/v1alpha1", "applications"),
    "kustomization": ("/apis/kustomize.toolkit.fluxcd.io/v1", "kustomizations"),
    "helmrelease": ("/apis/helm.toolkit.fluxcd.io/v2", "helmreleases"),
}
IN_CLUSTER = frozenset({"https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local"})
_REVISION = re.compile(r"([0-9a-f]{7,64})$")


@dataclass(frozen=True, slots=True)
class Owner:
    """Who makes the template what it is. ``kind`` is in :data:`APIS` where it can be asked, else ""."""

    tool: str
    kind: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def shown(self) -> str:
        """``Argo CD (argocd/shop)``, ``kubectl-set``."""
        return f"{self.tool} ({self.namespace}/{self.name})" if self.name else self.tool

    @property
    def reverts(self) -> bool:
        """Say whether it puts a template changed by hand back."""
        return self.kind in APIS

    @property
    def path(self) -> str:
        """Return the API path of the owning object."""
        api, plural = APIS[self.kind]
        return f"{api}/namespaces/{self.namespace}/{plural}/{self.name}"


def owner_of(workload: Workload) -> Owner | None:
    """Return who owns the template: a GitOps tool by its marks, Helm, else who wrote it last."""
    labels, annotations = workload.labels, workload.annotations
    tracked = annotations.get(TRACKING, "").partition(":")[0] or labels.get(ARGO_INSTANCE, "")
    if not tracked and "argocd" in workload.writer:
        tracked = labels.get(INSTANCE, "")
    if tracked:
        space, _, name = tracked.rpartition("_")
        return Owner("Argo CD", "application", space or ARGO_NAMESPACE, name)
    for group, kind in (("kustomize", "kustomization"), ("helm", "helmrelease")):
        name = labels.get(f"{group}.toolkit.fluxcd.io/name", "")
        if name:
            return Owner("Flux", kind, labels.get(f"{group}.toolkit.fluxcd.io/namespace", workload.namespace), name)
    if HELM_RELEASE in annotations:
        return Owner("Helm", "", annotations.get(HELM_NAMESPACE, workload.namespace), annotations[HELM_RELEASE])
    return Owner(workload.writer) if workload.writer else None


def read(kind: str, item: Json, skew: float = 0.0) -> GitOps:
    """Return what the object says of itself."""
    return _application(item, skew) if kind == "application" else _flux(kind, item, skew)


def _application(item: Json, skew: float) -> GitOps:
    about, spec, status = item.get("metadata") or {}, item.get("spec") or {}, item.get("status") or {}
    sync, state = status.get("sync") or {}, status.get("operationState") or {}
    health = str((status.get("health") or {}).get("status") or "Unknown")
    phase, message = str(state.get("phase") or ""), " ".join(str(state.get("message") or "").split())[:160]
    synced = str(sync.get("status") or "Unknown")
    revisions = sync.get("revisions") or ([sync["revision"]] if sync.get("revision") else [])
    settled = (
        not item.get("operation")
        and phase in ("", "Succeeded")
        and _newer(status.get("reconciledAt"), state.get("finishedAt"))
        and (synced, health) == ("Synced", "Healthy")
    )
    destination = spec.get("destination") or {}
    here = destination.get("server") in IN_CLUSTER or destination.get("name") in ("in-cluster", "")
    name, namespace = str(about.get("name") or ""), str(about.get("namespace") or "")
    return GitOps(
        kind="application",
        namespace=namespace,
        name=name,
        summary=_clauses(synced, revisions, health, phase, message),
        revision=",".join(str(revision) for revision in revisions),
        settled=settled,
        stuck=_argo_stuck(item, synced, health),
        failed=_argo_failed(phase, message, health, synced, shape.conditions(status, skew)),
        hint=f"argocd app sync {namespace}/{name}",
        workloads=tuple(
            (str(r.get("kind")).lower(), str(r.get("namespace") or destination.get("namespace") or ""), str(r["name"]))
            for r in status.get("resources") or []
            if r.get("name")
        ),
        here=here or not destination,
        reverts=_argo_reverts(spec),
    )


def _argo_reverts(spec: Json) -> bool:
    policy = (spec.get("syncPolicy") or {}).get("automated") or {}
    return bool(policy.get("selfHeal")) and policy.get("enabled") is not False


def _clauses(synced: str, revisions: list[str], health: str, phase: str, message: str) -> str:
    at = f" at {','.join(str(revision)[:12] for revision in revisions)}" if revisions else ""
    operation = f", last sync {phase}" if phase and phase != "Succeeded" else ""
    return f"{synced}{at}, {health}{operation}" + (f": {message}" if operation and message else "")


def _newer(later: object, earlier: object) -> bool:
    """Say whether the state was reconciled after the last sync; before, it describes what was there before."""
    one, other = shape.moment(later), shape.moment(earlier)
    return other is None or (one is not None and one >= other)


def _argo_stuck(item: Json, synced: str, health: str) -> str:
    policy = ((item.get("spec") or {}).get("syncPolicy") or {}).get("automated")
    automated = policy is not None and policy.get("enabled") is not False
    if health == "Suspended":
        return "is suspended"
    if synced == "OutOfSync" and not automated and not item.get("operation"):
        return "is OutOfSync and syncs only by hand"
    return ""


def _argo_failed(phase: str, message: str, health: str, synced: str, conditions: tuple[Condition, ...]) -> str:
    if phase in ("Failed", "Error"):
        return f"sync {phase}: {message}"
    for condition in conditions:
        if condition.type.endswith("Error"):
            return f"{condition.type}: {condition.message[:160]}"
    return "health Degraded" if health == "Degraded" and synced != "OutOfSync" else ""


def _flux(kind: str, item: Json, skew: float) -> GitOps:
    about, spec, status = item.get("metadata") or {}, item.get("spec") or {}, item.get("status") or {}
    stated = {condition.type: condition for condition in shape.conditions(status, skew)}
    ready, stalled = stated.get("Ready"), stated.get("Stalled")
    observed = shape.number(status.get("observedGeneration")) >= shape.number(about.get("generation"))
    name, namespace = str(about.get("name") or ""), str(about.get("namespace") or "")
    revision = str(status.get("lastAppliedRevision") or "")
    is_ready = ready is not None and ready.status == "True"
    message = ready.message[:160] if ready else "not reconciled yet"
    at = _REVISION.search(revision)
    return GitOps(
        kind=kind,
        namespace=namespace,
        name=name,
        summary=f"{'Ready' if is_ready else 'not Ready'}{f' at {at[1][:12]}' if at else ''}: {message}",
        revision=revision,
        settled=observed and is_ready and not spec.get("suspend"),
        stuck="is suspended" if spec.get("suspend") else "",
        failed=f"stalled: {stalled.message[:160]}" if stalled and stalled.status == "True" else "",
        hint=f"flux {'resume' if spec.get('suspend') else 'reconcile'} {kind} {name} -n {namespace}",
        workloads=_inventory(status),
        versions=_versions(status, at[1] if at else ""),
        search=_search(kind, namespace, name),
        reverts=not spec.get("suspend"),
    )


def _versions(status: Json, commit: str) -> tuple[str, ...]:
    """Return what was applied: the commit of a Kustomization, the chart and app of a deployed HelmRelease.

    ``status.history`` has the newest release first (helm-controller api/v2 snapshot_types.go).
    """
    newest = (status.get("history") or [{}])[0]
    deployed = newest if newest.get("status") == "deployed" else {}
    named = (commit, *(str(deployed.get(key) or "") for key in ("appVersion", "chartVersion")))
    return tuple(version for version in named if version)


def _search(kind: str, namespace: str, name: str) -> str:
    group = f"{'kustomize' if kind == 'kustomization' else 'helm'}.toolkit.fluxcd.io"
    return f"kubectl get deploy,sts,ds -A -l {group}/name={name},{group}/namespace={namespace}"


def _inventory(status: Json) -> tuple[tuple[str, str, str], ...]:
    """Return the objects of ``status.inventory``; an id is ``namespace_name_group_kind``."""
    entries = (status.get("inventory") or {}).get("entries") or []
    parts = (str(entry.get("id") or "").split("_") for entry in entries)
    return tuple((part[3].lower(), part[0], part[1]) for part in parts if len(part) == 4)  # noqa: PLR2004 -- the id's


def look_now(kind: str, stamp: str) -> Json:
    """Return the merge patch that asks Argo CD or Flux to look at once: it changes nothing that is wanted."""
    if kind == "application":
        return {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}
    return {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": stamp}}}
