"""Who owns a workload's template, and which API objects can be asked about it. Pure.

Revisions of GitOps objects are commits of the GitOps repository; image tags are commits of the app's. The two
are never compared. Layer: the deploy domain, above its model.
"""

from __future__ import annotations

from dataclasses import dataclass

from homelab.deploy.gitops import argo, flux
from homelab.deploy.model import GitOps, Workload
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
        return path_of(self.kind, self.namespace, self.name)


def path_of(kind: str, namespace: str, name: str) -> str:
    """Return the API path of a GitOps object."""
    api, plural = APIS[kind]
    return f"{api}/namespaces/{namespace}/{plural}/{name}"


def owner_of(workload: Workload) -> Owner | None:
    """Return who owns the template: a GitOps tool by its marks, Helm, else who wrote it last.

    A mark that was copied from another object by hand does not count: Argo CD's names its object, and Flux's
    labels are fields of Flux.
    """
    return _argo_owner(workload) or _flux_owner(workload) or _helm_owner(workload) or _writer(workload)


def _argo_owner(workload: Workload) -> Owner | None:
    tracked = _tracked(workload.annotations.get(TRACKING, ""), workload)
    tracked = tracked or workload.labels.get(ARGO_INSTANCE, "")
    if not tracked and any("argocd" in manager for manager in {*workload.managers, workload.writer}):
        tracked = workload.labels.get(INSTANCE, "")
    space, _, name = tracked.rpartition("_")
    return Owner("Argo CD", "application", space or ARGO_NAMESPACE, name) if name else None


def _tracked(tracking: str, workload: Workload) -> str:
    """Return the application of a tracking id ``app:group/Kind:namespace/name``, if it is about this object."""
    app, _, rest = tracking.partition(":")
    kind, _, place = rest.partition(":")
    ours = kind.rpartition("/")[2].lower() == workload.kind and place == workload.slug
    return app if ours else ""


def _flux_owner(workload: Workload) -> Owner | None:
    for group, kind in flux.GROUPS.items():
        name = workload.labels.get(f"{group}/name", "")
        if name and flux.wrote(kind, workload.managers):
            return Owner("Flux", kind, workload.labels.get(f"{group}/namespace", workload.namespace), name)
    return None


def _helm_owner(workload: Workload) -> Owner | None:
    release = workload.annotations.get(HELM_RELEASE, "")
    return Owner("Helm", "", workload.annotations.get(HELM_NAMESPACE, workload.namespace), release) if release else None


def _writer(workload: Workload) -> Owner | None:
    return Owner(workload.writer) if workload.writer else None


def unread(owner: Owner, why: str) -> GitOps:
    """Return the view of an owner that could not be read: it says nothing but why."""
    return GitOps(
        kind=owner.kind, namespace=owner.namespace, name=owner.name, summary=why, revision="", settled=False, here=False
    )


def disowns(view: GitOps, workload: Workload) -> bool:
    """Say whether an owner lists what it applied, and this workload is not there: its marks were copied."""
    listed = {(kind, namespace, name) for kind, namespace, name in view.workloads if namespace}
    return bool(listed) and (workload.kind, workload.namespace, workload.name) not in listed


def read(kind: str, item: Json, skew: float = 0.0) -> GitOps:
    """Return what the object says of itself."""
    return argo.read(item, skew) if kind == "application" else flux.read(kind, item, skew)


def look_now(path: str, stamp: str) -> Json:
    """Return the merge patch that asks Argo CD or Flux to look at once: it changes nothing that is wanted."""
    if path.startswith(APIS["application"][0]):
        return {"metadata": {"annotations": {argo.REFRESH: "normal"}}}
    return {"metadata": {"annotations": {flux.REQUESTED: stamp}}}
