"""Owners of a template, and what Argo CD and Flux say: about the GitOps commit, never about ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from homelab.deploy import shape
from homelab.deploy.events import GitOpsAsked, GitOpsSeen
from homelab.deploy.gitops import ownership
from homelab.deploy.judgement import Proof, State
from homelab.deploy.reference import Wanted
from homelab.deploy.request import WaitRequest
from homelab.deploy.wait import wait
from homelab.errors import PermissionMissing, Unreachable
from homelab.events import Event
from homelab.kube.port import whole
from homelab.outcome import Outcome
from homelab.settings.model import DeployTarget
from tests.deploy.fakes import FakeCluster, Objects
from tests.deploy.objects import FULL, OLD, Json, deployment, old_pod, pod, replica_set, stamp
from tests.fakes import FakeClock

GITOPS_COMMIT = "7" * 40


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
        (owned(annotations={ownership.TRACKING: "shop:apps/Deployment:t/web"}), "Argo CD (argocd/shop)"),
        (owned(annotations={ownership.TRACKING: "team_shop:apps/Deployment:t/web"}), "Argo CD (team/shop)"),
        (
            owned(labels={ownership.INSTANCE: "shop"}, fields=[wrote("argocd-controller")]),
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
        (owned(annotations={ownership.HELM_RELEASE: "web", ownership.HELM_NAMESPACE: "t"}), "Helm (t/web)"),
        (owned(fields=[wrote("kubectl-create"), wrote("kubectl-set", 5)]), "kubectl-set"),
        (owned(fields=[wrote("kubectl-set"), wrote("kcm", 9, subresource="status")]), "kubectl-set"),
    ],
    ids=["argo", "argo elsewhere", "argo by label", "kustomize", "flux helm", "helm", "last writer", "not status"],
)
def test_the_owner_of_a_template_is_known_by_its_marks(body: Json, shown: str) -> None:
    owner = ownership.owner_of(shape.workload("deployment", body))
    assert owner is not None
    assert owner.shown == shown


def test_a_helm_label_alone_is_not_argos() -> None:
    assert ownership.owner_of(shape.workload("deployment", owned(labels={ownership.INSTANCE: "shop"}))) is None


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
    view = ownership.read("application", body)
    assert (view.settled, view.stuck, view.failed) == (settled, stuck, failed)


def test_a_kustomization_is_read_with_its_commit_and_its_workloads() -> None:
    view = ownership.read("kustomization", kustomization())
    assert (view.settled, view.summary) == (True, "Ready at 777777777777: Applied revision")
    assert view.workloads == (("deployment", "t", "web"),)
    assert not ownership.read("kustomization", kustomization(observed=2)).settled
    assert ownership.read("kustomization", kustomization(suspend=True)).stuck == "is suspended"


REQUEST = WaitRequest(targets=(DeployTarget("t", "web"),), wanted=Wanted(oid=FULL))
BY_ARGO = owned(annotations={ownership.TRACKING: "shop:apps/Deployment:t/web"})
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
    assert seen == ["Argo CD application argocd/shop: Synced at 777777777777, Healthy, syncs by itself"]


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
    assert result.headline == "argocd/shop: settled, 1 workload complete, proof: pods"


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


RELEASED = {"lastAppliedRevision": "", "history": [{"status": "deployed", "chartVersion": f"1.2.3+{FULL[:12]}"}]}


def test_a_release_without_workloads_is_taken_at_its_word_about_its_version(
    clock: FakeClock, events: list[Event]
) -> None:
    request, scene = of_application("helmrelease", "flux-system", "apps"), flux_scene("helmrelease", **RELEASED)
    result = wait(FakeCluster(clock, [(0, scene)]), request, clock=clock, emit=events.append)
    assert (result.outcome, result.targets[0].proof) == (Outcome.DONE, Proof.OBJECT)
    assert "no pod was looked at" in result.headline
    assert result.targets[0].skipped == ("no workload proof: it lists no workloads",)


def test_a_kustomizations_commit_is_never_compared_with_the_apps(clock: FakeClock, events: list[Event]) -> None:
    scene = flux_scene("kustomization", lastAppliedRevision=f"main@sha1:{FULL}")
    request = of_application("kustomization", "flux-system", "apps")
    result = wait(FakeCluster(clock, [(0, scene)]), request, clock=clock, emit=events.append)
    assert result.outcome is Outcome.NOTHING


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
    scene = flux_scene("helmrelease", **RELEASED, observedGeneration=2)
    request = of_application("helmrelease", "flux-system", "apps")
    result = wait(FakeCluster(clock, [(0, scene)]), request, clock=clock, emit=events.append)
    assert result.outcome is Outcome.PENDING


def test_an_application_of_another_cluster_sends_the_person_there(clock: FakeClock, events: list[Event]) -> None:
    elsewhere = application()
    elsewhere["spec"]["destination"] = {"server": "https://other.example", "namespace": "t"}
    cluster = FakeCluster(clock, [(0, {**NEW_OBJECTS, "applications": [elsewhere]})])
    result = wait(cluster, of_application(), clock=clock, emit=events.append)
    assert (result.outcome, result.targets[0].reason) == (Outcome.PERSON, "elsewhere")


FLUX_LABELS = {"helm.toolkit.fluxcd.io/name": "apps", "helm.toolkit.fluxcd.io/namespace": "flux-system"}


def labelled_deployment(*, manager: str = "helm-controller") -> Json:
    body = deployment()
    body["metadata"]["labels"] = FLUX_LABELS
    body["metadata"]["managedFields"] = [{"manager": manager, "time": stamp(0)}]
    return body


def test_workloads_of_a_release_that_lists_none_are_found_by_its_labels(clock: FakeClock, events: list[Event]) -> None:
    scene = {**NEW_OBJECTS, **flux_scene("helmrelease"), "deployments": [labelled_deployment()]}
    request = of_application("helmrelease", "flux-system", "apps")
    result = wait(FakeCluster(clock, [(0, scene)]), request, clock=clock, emit=events.append)
    assert result.headline == "flux-system/apps: settled, 1 workload complete, proof: pods"


def test_labels_that_were_copied_by_hand_make_no_workload_of_the_release(clock: FakeClock, events: list[Event]) -> None:
    copied = labelled_deployment(manager="kubectl-client-side-apply")
    scene = {**NEW_OBJECTS, **flux_scene("helmrelease"), "deployments": [copied]}
    request = of_application("helmrelease", "flux-system", "apps")
    result = wait(FakeCluster(clock, [(0, scene)]), request, clock=clock, emit=events.append)
    assert result.outcome is Outcome.NOTHING


def test_where_every_namespace_may_not_be_listed_the_releases_own_is(clock: FakeClock, events: list[Event]) -> None:
    class Narrow(FakeCluster):
        def list(self, path: str, params: Any = None, *, keep: Any = whole) -> Json:
            if "/namespaces/" not in path:
                raise PermissionMissing("not allowed to list", why="403", fix="ask")
            return super().list(path, params, keep=keep)

    scene = {**NEW_OBJECTS, **flux_scene("helmrelease"), "deployments": [labelled_deployment()]}
    request = of_application("helmrelease", "flux-system", "apps")
    assert wait(Narrow(clock, [(0, scene)]), request, clock=clock, emit=events.append).outcome is Outcome.DONE


@pytest.mark.parametrize(
    "body",
    [
        owned(annotations={ownership.TRACKING: "shop:apps/Deployment:t/other"}),
        owned(labels=FLUX_LABELS, fields=[wrote("kubectl-create")]),
    ],
    ids=["argo", "flux"],
)
def test_marks_copied_from_another_object_name_no_gitops_owner(body: Json) -> None:
    owner = ownership.owner_of(shape.workload("deployment", body))
    assert owner is None or not owner.reverts


def test_an_owner_that_lists_its_workloads_disowns_the_others(clock: FakeClock, events: list[Event]) -> None:
    listed = kustomization()
    listed["status"]["inventory"]["entries"] = [{"id": "t_other_apps_Deployment", "v": "v1"}]
    labels = {key.replace("helm.", "kustomize."): value for key, value in FLUX_LABELS.items()}
    scene = {**OLD_OBJECTS, "deployments": [owned(labels=labels)], "kustomizations": [listed]}
    wait(FakeCluster(clock, [(0, scene)]), REQUEST, clock=clock, emit=events.append)
    assert [one for one in events if isinstance(one, GitOpsSeen)] == []


def test_an_owner_that_may_not_be_read_is_named_with_the_reason(clock: FakeClock, events: list[Event]) -> None:
    cluster = FakeCluster(clock, [(0, OLD_OBJECTS), (30, NEW_OBJECTS)], deny=frozenset({"get applications"}))
    wait(cluster, REQUEST, clock=clock, emit=events.append)
    assert [one.owner for one in events if isinstance(one, GitOpsSeen)] == ["Argo CD application argocd/shop"]


def test_an_owner_that_does_not_answer_ends_no_wait(clock: FakeClock, events: list[Event]) -> None:
    def away(path: str) -> None:
        if "applications" in path:
            raise Unreachable("no answer", why="it restarts", fix="wait")

    cluster = FakeCluster(clock, [(0, OLD_OBJECTS), (30, NEW_OBJECTS)])
    cluster.fail = away
    assert wait(cluster, REQUEST, clock=clock, emit=events.append).outcome is Outcome.DONE


def test_a_refresh_of_a_release_asks_its_sources_and_the_kustomization_that_applies_it_too(
    clock: FakeClock, events: list[Event]
) -> None:
    release = kustomization()
    release["metadata"]["labels"] = {
        "kustomize.toolkit.fluxcd.io/name": "all",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    }
    release["spec"]["chartRef"] = {"kind": "OCIRepository", "name": "chart"}
    above = kustomization()
    above["metadata"]["name"] = "all"
    above["spec"]["sourceRef"] = {"kind": "GitRepository", "name": "infra"}
    cluster = FakeCluster(clock, [(0, {**NEW_OBJECTS, "helmreleases": [release], "kustomizations": [above]})])
    request = replace(of_application("helmrelease", "flux-system", "apps"), refresh=True)
    wait(cluster, request, clock=clock, emit=events.append)
    assert [path.partition("/flux-system/")[2] for path, _ in cluster.patched] == [
        "ocirepositories/chart",
        "gitrepositories/infra",
        "kustomizations/all",
        "helmreleases/apps",
    ]


@pytest.mark.parametrize(
    ("view", "clause"),
    [
        (application(sync="OutOfSync"), "syncs by hand"),
        (application(automated={}), "syncs by itself"),
        (application(operation={"sync": {}}), "a sync is asked for"),
        (application(phase="Running"), "sync is running: applied"),
        (application(phase="Failed"), "last sync Failed: applied"),
    ],
)
def test_an_applications_summary_says_where_the_change_hangs(view: Json, clause: str) -> None:
    assert clause in ownership.read("application", view).summary


def test_what_was_asked_to_look_has_not_settled_before_it_looked() -> None:
    asked = application()
    asked["metadata"]["annotations"] = {"argocd.argoproj.io/refresh": "normal"}
    assert not ownership.read("application", asked).settled
    flux = kustomization()
    flux["metadata"]["annotations"] = {"reconcile.fluxcd.io/requestedAt": "b"}
    flux["status"]["lastHandledReconcileAt"] = "a"
    assert not ownership.read("kustomization", flux).settled
    flux["status"]["lastHandledReconcileAt"] = "b"
    assert ownership.read("kustomization", flux).settled


def project(*windows: Json) -> Json:
    return {"metadata": {"name": "default", "namespace": "argocd"}, "spec": {"syncWindows": list(windows)}}


def test_a_sync_window_that_holds_an_automated_sync_needs_a_person(clock: FakeClock, events: list[Event]) -> None:
    window = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["sh*"]}
    held = {
        **OLD_OBJECTS,
        "applications": [application(sync="OutOfSync", automated={})],
        "appprojects": [project(window)],
    }
    result = wait(FakeCluster(clock, [(0, held)]), REQUEST, clock=clock, emit=events.append)
    assert result.outcome is Outcome.PERSON
    assert "held by the sync window deny * * * * * for 1h" in result.headline


def test_an_application_that_cannot_make_its_manifests_fails_before_its_deadline(
    clock: FakeClock, events: list[Event]
) -> None:
    broken = application(automated={})
    broken["status"]["conditions"] = [{"type": "ComparisonError", "message": "no such path"}]
    scene = {**OLD_OBJECTS, "applications": [broken]}
    result = wait(FakeCluster(clock, [(0, scene)]), of_application(), clock=clock, emit=events.append)
    assert result.outcome is Outcome.RED
    assert "ComparisonError: no such path" in result.headline
    assert 60 <= clock.elapsed < 70
