"""Owners of a template, and what Argo CD and Flux say: about the GitOps commit, never about ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from homelab.deploy import gitops, shape
from homelab.deploy.events import GitOpsAsked, GitOpsSeen
from homelab.deploy.judgement import Proof, State
from homelab.deploy.reference import Wanted
from homelab.deploy.request import WaitRequest
from homelab.deploy.wait import wait
from homelab.events import Event
from homelab.outcome import Outcome
from homelab.settings.model import DeployTarget
from tests.deploy.fakes import FakeCluster, Objects
from tests.deploy.objects import FULL, OLD, Json, deployment, old_pod, pod, replica_set, stamp
from tests.fakes import FakeClock

GITOPS_COMMIT = "77777777777777777777"


def application(
    *,
    sync: str = "Synced",
    health: str = "Healthy",
    phase: str = "Succeeded",
    automated: Json | None = None,
    operation: Json | None = None,
    reconciled: float = 10,
    **fields: Any,
) -> Json:
    return {
        "metadata": {"name": "shop", "namespace": "argocd", "generation": 9},
        "spec": {
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "t"},
            "syncPolicy": {} if automated is None else {"automated": automated},
        },
        "status": {
            "sync": {"status": sync, "revision": GITOPS_COMMIT},
            "health": {"status": health},
            "operationState": {"phase": phase, "finishedAt": stamp(0), "message": "applied"},
            "reconciledAt": stamp(reconciled),
            "resources": [{"kind": "Deployment", "namespace": "t", "name": "web"}, {"kind": "Service", "name": "web"}],
        },
        **({"operation": operation} if operation else {}),
        **fields,
    }


def kustomization(*, ready: str = "True", observed: int = 3, suspend: bool = False) -> Json:
    return {
        "metadata": {"name": "apps", "namespace": "flux-system", "generation": 3},
        "spec": {"suspend": suspend},
        "status": {
            "observedGeneration": observed,
            "lastAppliedRevision": f"main@sha1:{GITOPS_COMMIT}",
            "conditions": [{"type": "Ready", "status": ready, "message": "Applied revision"}],
            "inventory": {"entries": [{"id": "t_web_apps_Deployment", "v": "v1"}]},
        },
    }


def owned(**marks: Any) -> Json:
    body = deployment(OLD, revision="1")
    body["metadata"]["labels"] = marks.get("labels", {})
    body["metadata"]["annotations"] |= marks.get("annotations", {})
    body["metadata"]["managedFields"] = marks.get("fields", [])
    return body


def wrote(manager: str, at: float = 0, **fields: Any) -> Json:
    return {"manager": manager, "time": stamp(at), "fieldsV1": {"f:spec": {"f:template": {}}}, **fields}


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (owned(annotations={gitops.TRACKING: "shop:apps/Deployment:t/web"}), "Argo CD (argocd/shop)"),
        (owned(annotations={gitops.TRACKING: "team_shop:apps/Deployment:t/web"}), "Argo CD (team/shop)"),
        (
            owned(labels={gitops.INSTANCE: "shop"}, fields=[wrote("argocd-controller")]),
            "Argo CD (argocd/shop)",
        ),
        (
            owned(
                labels={
                    "kustomize.toolkit.fluxcd.io/name": "apps",
                    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
                }
            ),
            "Flux (flux-system/apps)",
        ),
        (owned(labels={"helm.toolkit.fluxcd.io/name": "web"}), "Flux (t/web)"),
        (owned(annotations={gitops.HELM_RELEASE: "web", gitops.HELM_NAMESPACE: "t"}), "Helm (t/web)"),
        (owned(fields=[wrote("kubectl-create"), wrote("kubectl-set", 5)]), "kubectl-set"),
        (owned(fields=[wrote("kubectl-set"), wrote("kcm", 9, subresource="status")]), "kubectl-set"),
    ],
    ids=["argo", "argo elsewhere", "argo by label", "kustomize", "flux helm", "helm", "last writer", "not status"],
)
def test_the_owner_of_a_template_is_known_by_its_marks(body: Json, shown: str) -> None:
    owner = gitops.owner_of(shape.workload("deployment", body))
    assert owner is not None
    assert owner.shown == shown


def test_a_helm_label_alone_is_not_argos() -> None:
    assert gitops.owner_of(shape.workload("deployment", owned(labels={gitops.INSTANCE: "shop"}))) is None


@pytest.mark.parametrize(
    ("body", "settled", "stuck", "failed"),
    [
        (application(), True, "", ""),
        (application(reconciled=-10), False, "", ""),
        (application(operation={"sync": {}}), False, "", ""),
        (application(health="Progressing"), False, "", ""),
        (application(sync="OutOfSync"), False, "is OutOfSync and syncs only by hand", ""),
        (application(sync="OutOfSync", automated={}), False, "", ""),
        (
            application(sync="OutOfSync", automated={"enabled": False}),
            False,
            "is OutOfSync and syncs only by hand",
            "",
        ),
        (application(health="Suspended"), False, "is suspended", ""),
        (application(phase="Failed"), False, "", "sync Failed: applied"),
        (application(health="Degraded"), False, "", "health Degraded"),
    ],
    ids=[
        "settled",
        "reconciled before the sync",
        "sync asked for",
        "progressing",
        "by hand",
        "automated",
        "automation off",
        "suspended",
        "failed",
        "degraded",
    ],
)
def test_an_application_is_read_as_argo_means_it(body: Json, *, settled: bool, stuck: str, failed: str) -> None:
    view = gitops.read("application", body)
    assert (view.settled, view.stuck, view.failed) == (settled, stuck, failed)


def test_a_kustomization_is_read_with_its_commit_and_its_workloads() -> None:
    view = gitops.read("kustomization", kustomization())
    assert (view.settled, view.summary) == (True, "Ready at 777777777777: Applied revision")
    assert view.workloads == (("deployment", "t", "web"),)
    assert not gitops.read("kustomization", kustomization(observed=2)).settled
    assert gitops.read("kustomization", kustomization(suspend=True)).stuck == "is suspended"


REQUEST = WaitRequest(targets=(DeployTarget("t", "web"),), wanted=Wanted(oid=FULL))
BY_ARGO = owned(annotations={gitops.TRACKING: "shop:apps/Deployment:t/web"})
OLD_OBJECTS: Objects = {
    "deployments": [BY_ARGO],
    "replicasets": [replica_set(OLD, name="web-old", revision="1")],
    "pods": [old_pod()],
    "applications": [application(automated={})],
}
NEW_OBJECTS: Objects = {
    "deployments": [deployment()],
    "replicasets": [replica_set()],
    "pods": [pod(ready_since=20)],
    "applications": [application(automated={}, reconciled=60)],
}


def test_while_the_template_is_old_the_owner_says_where_the_change_hangs(clock: FakeClock, events: list[Event]) -> None:
    wait(FakeCluster(clock, [(0, OLD_OBJECTS), (30, NEW_OBJECTS)]), REQUEST, clock=clock, emit=events.append)
    seen = [one.sentence() for one in events if isinstance(one, GitOpsSeen)]
    assert seen == ["Argo CD application argocd/shop: Synced at 777777777777, Healthy"]


def test_an_application_that_syncs_by_hand_needs_a_person_after_30_seconds(
    clock: FakeClock, events: list[Event]
) -> None:
    by_hand = {**OLD_OBJECTS, "applications": [application(sync="OutOfSync")]}
    result = wait(FakeCluster(clock, [(0, by_hand)]), REQUEST, clock=clock, emit=events.append)
    assert result.outcome is Outcome.PERSON
    assert 30 <= clock.elapsed <= 36
    assert result.headline == "t/web: Argo CD application argocd/shop is OutOfSync and syncs only by hand"


def test_refresh_asks_the_owner_once(clock: FakeClock, events: list[Event]) -> None:
    cluster = FakeCluster(clock, [(0, OLD_OBJECTS), (60, NEW_OBJECTS)])
    wait(cluster, replace(REQUEST, refresh=True), clock=clock, emit=events.append)
    path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop"
    assert cluster.patched == [(path, {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}})]
    assert [one.sentence() for one in events if isinstance(one, GitOpsAsked)] == [
        "asked Argo CD application argocd/shop to look now"
    ]


def of_application(kind: str = "application", namespace: str = "argocd", name: str = "shop") -> WaitRequest:
    return replace(REQUEST, targets=(DeployTarget(namespace, name, kind),))


def test_a_synced_and_healthy_application_about_the_commit_before_is_not_done(
    clock: FakeClock, events: list[Event]
) -> None:
    result = wait(FakeCluster(clock, [(0, OLD_OBJECTS)]), of_application(), clock=clock, emit=events.append)
    assert (result.outcome, result.targets[0].state) == (Outcome.NOTHING, State.REFERENCE_TIMEOUT)


def test_an_application_is_done_when_it_is_settled_and_its_workloads_are_proven(
    clock: FakeClock, events: list[Event]
) -> None:
    cluster = FakeCluster(clock, [(0, OLD_OBJECTS), (30, NEW_OBJECTS)])
    result = wait(cluster, of_application(), clock=clock, emit=events.append)
    assert result.outcome is Outcome.DONE
    assert result.headline == "argocd/shop: settled, 1 workloads complete, proof: pods"


def test_a_degraded_application_fails_only_when_it_stays_so(clock: FakeClock, events: list[Event]) -> None:
    degraded = {**NEW_OBJECTS, "applications": [application(health="Degraded", reconciled=60)]}
    passing = FakeCluster(clock, [(0, OLD_OBJECTS), (30, degraded), (60, NEW_OBJECTS)])
    assert wait(passing, of_application(), clock=clock, emit=events.append).outcome is Outcome.DONE
    staying = FakeCluster(clock, [(0, degraded)])
    result = wait(staying, of_application(), clock=clock, emit=events.append)
    assert (result.outcome, result.targets[0].reason) == (Outcome.RED, "gitops")


def test_a_kustomization_is_proven_by_its_inventory(clock: FakeClock, events: list[Event]) -> None:
    scene = {**NEW_OBJECTS, "kustomizations": [kustomization()]}
    request = of_application("kustomization", "flux-system", "apps")
    assert wait(FakeCluster(clock, [(0, scene)]), request, clock=clock, emit=events.append).outcome is Outcome.DONE


def flux_scene(kind: str, **status: Any) -> Objects:
    item = kustomization()
    del item["status"]["inventory"]
    item["status"] |= status
    return {f"{kind}s": [item], "deployments": []}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("kustomization", {"lastAppliedRevision": f"main@sha1:{FULL}"}),
        (
            "helmrelease",
            {"lastAppliedRevision": "", "history": [{"status": "deployed", "chartVersion": f"1.2.3+{FULL[:12]}"}]},
        ),
    ],
)
def test_a_flux_object_without_inventory_is_taken_at_its_word_about_the_wanted_commit(
    clock: FakeClock, events: list[Event], kind: str, status: Json
) -> None:
    request = of_application(kind, "flux-system", "apps")
    result = wait(FakeCluster(clock, [(0, flux_scene(kind, **status))]), request, clock=clock, emit=events.append)
    assert (result.outcome, result.targets[0].proof) == (Outcome.DONE, Proof.OBJECT)
    assert "no pod was looked at" in result.headline
    assert result.targets[0].skipped == ("no workload proof: it lists no workloads",)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("kustomization", {}),
        ("helmrelease", {"history": [{"status": "failed", "chartVersion": f"1.2.3+{FULL[:12]}"}]}),
    ],
)
def test_a_flux_object_without_inventory_that_is_ready_with_another_commit_is_not_done(
    clock: FakeClock, events: list[Event], kind: str, status: Json
) -> None:
    request = of_application(kind, "flux-system", "apps")
    result = wait(FakeCluster(clock, [(0, flux_scene(kind, **status))]), request, clock=clock, emit=events.append)
    assert result.outcome is Outcome.NOTHING
    assert "it lists no workloads" in result.headline
    assert result.targets[0].hint.startswith("kubectl get deploy,sts,ds -A -l ")


def test_a_flux_object_that_is_not_ready_with_the_wanted_commit_is_not_done(
    clock: FakeClock, events: list[Event]
) -> None:
    scene = flux_scene("kustomization", lastAppliedRevision=f"main@sha1:{FULL}", observedGeneration=2)
    request = of_application("kustomization", "flux-system", "apps")
    result = wait(FakeCluster(clock, [(0, scene)]), request, clock=clock, emit=events.append)
    assert result.outcome is Outcome.PENDING


def test_an_application_of_another_cluster_sends_the_person_there(clock: FakeClock, events: list[Event]) -> None:
    elsewhere = application()
    elsewhere["spec"]["destination"] = {"server": "https://other.example", "namespace": "t"}
    cluster = FakeCluster(clock, [(0, {**NEW_OBJECTS, "applications": [elsewhere]})])
    result = wait(cluster, of_application(), clock=clock, emit=events.append)
    assert (result.outcome, result.targets[0].reason) == (Outcome.PERSON, "elsewhere")
