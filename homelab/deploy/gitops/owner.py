"""Questions to the GitOps object that owns a workload: how it stands, where its workloads are, to look now.

None of them may end a wait: the workload decides. Layer: the deploy domain, above gitops; talks to the port.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from homelab.deploy import shape
from homelab.deploy.gitops import argo, ownership, windows
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import GitOps, Workload
from homelab.errors import HomelabError, HttpStatus, PermissionMissing
from homelab.kube.port import Cluster, Json

#: Kinds whose workloads are looked for by Flux's labels.
LABELLED = ("deployment", "statefulset", "daemonset", "job", "cronjob")
ANOTHER_CLUSTER = "not in this cluster"


def owner_view(cluster: Cluster, workload: Workload, *, now: float, before: GitOps | None = None) -> GitOps | None:
    """Return what the GitOps object that owns ``workload`` says; None where nobody of that kind owns it.

    Where it may not be read, or is not there, the view says that. ``before`` is returned while the server is away.
    """
    owner = ownership.owner_of(workload)
    if owner is None or not owner.reverts:
        return None
    try:
        view = view_of(cluster, owner.kind, owner.path, now=now)
    except PermissionMissing as error:
        return ownership.unread(owner, error.what.partition(": ")[2])
    except HttpStatus as error:
        if error.status != HTTPStatus.NOT_FOUND:
            return before
        return ownership.unread(owner, ANOTHER_CLUSTER)
    except HomelabError:
        return before
    return None if ownership.disowns(view, workload) else view


def view_of(cluster: Cluster, kind: str, path: str, *, now: float) -> GitOps:
    """Return the view of the object at ``path``, with what its project's sync windows say where that matters.

    Raises what the cluster raises for the object itself.
    """
    item = cluster.get(path)
    view = ownership.read(kind, item, cluster.skew)
    if kind == "application" and argo.waits_for_automation(item):
        project = _project(cluster, item)
        return argo.held(view, item, project, windows.in_utc(now + cluster.skew)) if project else view
    return view


def _project(cluster: Cluster, item: Json) -> Json | None:
    """Return the AppProject: in Argo CD's own namespace, which need not be the application's."""
    named = str((item.get("spec") or {}).get("project") or "default")
    own = str((item.get("metadata") or {}).get("namespace") or "")
    for namespace in dict.fromkeys((ownership.ARGO_NAMESPACE, own)):
        try:
            return cluster.get(f"{ownership.APIS['application'][0]}/namespaces/{namespace}/appprojects/{named}")
        except HomelabError:
            continue
    return None


def with_parent(cluster: Cluster, view: GitOps, *, now: float) -> GitOps:
    """Return a HelmRelease's view with the commits of the Kustomization that applies it: they brought its values."""
    if not view.parent:
        return view
    try:
        parent = view_of(cluster, "kustomization", view.parent, now=now)
    except (PermissionMissing, HttpStatus):
        return view
    return replace(
        view,
        commits=(*view.commits, *parent.commits),
        revision=view.revision or parent.revision,
        settled=view.settled and parent.settled,
        summary=f"{view.summary}; {parent.shown}: {parent.summary}",
    )


def ask_to_look_now(cluster: Cluster, view: GitOps, *, stamp: str) -> str:
    """Ask the sources of an object and the object itself to look at once; return why that was refused, or "".

    Of a HelmRelease the Kustomization that applies it is asked too, with its sources.
    """
    if not view.here and not view.revision:
        return view.summary
    paths = [*view.sources, *_parents(cluster, view), ownership.path_of(view.kind, view.namespace, view.name)]
    refused = ""
    for path in dict.fromkeys(paths):
        try:
            cluster.patch(path, ownership.look_now(path, stamp))
        except HomelabError as error:
            refused = refused or error.what
    return refused


def _parents(cluster: Cluster, view: GitOps) -> list[str]:
    if not view.parent:
        return []
    try:
        parent = ownership.read("kustomization", cluster.get(view.parent), cluster.skew)
    except HomelabError:
        return [view.parent]
    return [*parent.sources, view.parent]


def labelled(cluster: Cluster, view: GitOps) -> tuple[tuple[str, str, str], ...]:
    """Return the workloads that carry the object's labels, as (kind, namespace, name).

    Everywhere where that is allowed, else in the namespace it installs in. A workload whose fields its
    controller does not own has copied labels. Raises Unreachable.
    """
    found: list[tuple[str, str, str]] = []
    for name in LABELLED:
        kind = KINDS[name]
        for path in (f"{kind.api}/{kind.plural}", kind.path(view.installs_in)):
            try:
                answer = cluster.list(path, {"labelSelector": view.label}, keep=lambda item: item.get("metadata") or {})
            except (PermissionMissing, HttpStatus):
                continue
            found += [(name, str(m.get("namespace")), str(m.get("name"))) for m in answer["items"] if _applied(view, m)]
            break
    return tuple(found)


def _applied(view: GitOps, about: Json) -> bool:
    workload = shape.workload("", {"metadata": about})
    owner = ownership.owner_of(workload)
    return owner is not None and (owner.kind, owner.namespace, owner.name) == (view.kind, view.namespace, view.name)
