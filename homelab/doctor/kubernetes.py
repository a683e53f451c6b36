"""Check the cluster: kubeconfig, reachability, and what ``deploy wait`` may read of each workload.

A SelfSubjectAccessReview would have to be created; reading the things themselves, one item each, answers the
same question and shows a missing workload too. Layer: doctor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from homelab.app import App
from homelab.deploy.gitops.ownership import APIS
from homelab.deploy.kinds.table import KINDS, Kind
from homelab.doctor.clocks import clock
from homelab.doctor.model import Finding, fail, ok, skip, warn
from homelab.errors import HomelabError, HttpStatus, NothingThere, PermissionMissing, TokenMissing
from homelab.kube.port import Cluster
from homelab.settings.model import DeployTarget, Settings

_NOT_FOUND = 404


def kubernetes(app: App, settings: Settings) -> Iterator[Finding]:
    """Yield the API server, then each workload. Raises what keeps it from answering."""
    targets = settings.repository.deploy
    try:
        cluster = app.cluster
    except TokenMissing:
        if targets:
            raise
        yield skip("kubernetes", "no kubeconfig, and no workload to wait for")
        return
    version = cluster.get("/version").get("gitVersion", "of unknown version")
    yield ok("kubernetes", f"{cluster.name}, {version}")
    yield from clock("kubernetes.clock", cluster.name, cluster.skew)
    for target in targets:
        yield _workload(cluster, target)
    for namespace in dict.fromkeys(target.namespace for target in targets):
        kinds = [KINDS[target.kind] for target in targets if target.namespace == namespace and target.kind in KINDS]
        if kinds:
            yield _proof(cluster, namespace, _proving(namespace, kinds))


def _workload(cluster: Cluster, target: DeployTarget) -> Finding:
    name = f"kubernetes.{target.slug}"
    try:
        cluster.get(f"{_collection(target)}/{target.name}")
    except HttpStatus as error:
        if error.status != _NOT_FOUND:
            return fail(name, error)
        absent = NothingThere(
            f"{cluster.name} has no {target.kind} {target.slug}",
            why="deploy wait would find nothing to wait for, until something creates it",
            fix=f"kubectl --context {cluster.name} -n {target.namespace} get {_collection(target).rpartition('/')[2]}",
        )
        return fail(name, absent)
    except HomelabError as error:
        return fail(name, error)
    return ok(name, f"{target.kind}, readable")


def _collection(target: DeployTarget) -> str:
    """Return the API path of the namespace's objects of the target's kind."""
    if target.kind in KINDS:
        return KINDS[target.kind].path(target.namespace)
    api, plural = APIS[target.kind]
    return f"{api}/namespaces/{target.namespace}/{plural}"


def _proving(namespace: str, kinds: Iterable[Kind]) -> dict[str, str]:
    """Return what proves a rollout of ``kinds`` beyond its counters, each with its path."""
    owners = {plural: f"{api}/namespaces/{namespace}/{plural}" for api, plural, _ in _revisions(kinds)}
    core = {plural: f"/api/v1/namespaces/{namespace}/{plural}" for plural in ("pods", "events")}
    return {**owners, **core}


def _revisions(kinds: Iterable[Kind]) -> list[tuple[str, str, object]]:
    return [kind.revisions for kind in kinds if kind.revisions is not None]


def _proof(cluster: Cluster, namespace: str, proving: Mapping[str, str]) -> Finding:
    name = f"kubernetes.{namespace}.rights"
    missing = []
    for resource, path in proving.items():
        try:
            cluster.get(path, {"limit": 1})
        except PermissionMissing:
            missing.append(resource)
        except HomelabError as error:
            return fail(name, error)
    if not missing:
        return ok(name, f"may list {', '.join(proving)}")
    return warn(
        name,
        f"may not list {', '.join(missing)} in {namespace}",
        why="deploy wait works with less proof and says less about a failure",
        fix=f"kubectl --context {cluster.name} -n {namespace} auth can-i list {missing[0]}",
    )
