"""The commit of the GitOps repository that is asked for: applied, contained, behind, unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from homelab.deploy.events import GitOpsSeen
from homelab.deploy.gitops import ownership
from homelab.deploy.gitops.delivery import Delivery, GitOpsCommit, delivered
from homelab.deploy.request import DeployResult, WaitRequest
from homelab.deploy.wait import wait
from homelab.errors import UsageError
from homelab.events import Event
from homelab.outcome import Outcome
from homelab.settings.model import DeployTarget
from tests.deploy.fakes import FakeCluster, Objects
from tests.deploy.gitops.test_ownership import NEW_OBJECTS, OLD_OBJECTS, REQUEST, application, kustomization
from tests.deploy.objects import Json, deployment
from tests.fakes import FakeClock

BEFORE, OURS, LATER, STRANGE = ("1" * 40, "2" * 40, "3" * 40, "4" * 40)
#: What a clone knows: LATER contains OURS, BEFORE does not.
CLONE = {OURS: True, LATER: True, BEFORE: False}
WITH_CLONE = GitOpsCommit(OURS, CLONE.get, has_clone=True)
WITHOUT = GitOpsCommit(OURS)


def synced(*revisions: str, **fields: Any) -> Json:
    item = application(automated={}, reconciled=60, **fields)
    item["status"]["sync"] |= {"revisions": list(revisions)} if len(revisions) > 1 else {"revision": revisions[0]}
    item["status"]["operationState"]["syncResult"] = {"revision": revisions[0]}
    return item


@pytest.mark.parametrize(
    ("item", "wanted", "expected"),
    [
        (synced(OURS), WITHOUT, Delivery.APPLIED),
        (synced(LATER), WITH_CLONE, Delivery.APPLIED),
        (synced(LATER), WITHOUT, Delivery.UNKNOWN),
        (synced(BEFORE), WITH_CLONE, Delivery.BEHIND),
        (synced(STRANGE), WITH_CLONE, Delivery.UNKNOWN),
        (synced(STRANGE, LATER), WITH_CLONE, Delivery.APPLIED),
        (synced(STRANGE, BEFORE), WITH_CLONE, Delivery.BEHIND),
        (synced("1.2.3"), WITH_CLONE, Delivery.UNKNOWN),
    ],
)
def test_an_application_has_applied_a_commit_when_its_sync_is_at_it_or_behind_it(
    item: Json, wanted: GitOpsCommit, expected: Delivery
) -> None:
    assert delivered(ownership.read("application", item), wanted) is expected


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("kustomization", {"lastAppliedRevision": f"main@sha1:{OURS}"}, Delivery.APPLIED),
        ("kustomization", {"lastAppliedRevision": f"main/{OURS}"}, Delivery.APPLIED),
        ("kustomization", {"lastAppliedRevision": f"main@sha1:{BEFORE}"}, Delivery.BEHIND),
        ("kustomization", {"lastAppliedRevision": ""}, Delivery.BEHIND),
        ("kustomization", {"lastAppliedRevision": f"latest@sha256:{'a' * 64}"}, Delivery.UNKNOWN),
        (
            "kustomization",
            {"lastAppliedRevision": f"latest@sha256:{'a' * 64}", "lastAppliedOriginRevision": f"main@sha1:{LATER}"},
            Delivery.APPLIED,
        ),
        ("helmrelease", {"history": [{"status": "deployed", "chartVersion": f"1.0.0+{OURS[:12]}"}]}, Delivery.APPLIED),
        ("helmrelease", {"history": [{"status": "failed", "chartVersion": f"1.0.0+{OURS[:12]}"}]}, Delivery.BEHIND),
        ("helmrelease", {"history": [{"status": "deployed", "chartVersion": "1.0.0"}]}, Delivery.UNKNOWN),
    ],
)
def test_a_flux_object_has_applied_a_commit_in_every_form_it_says_so(
    kind: str, status: Json, expected: Delivery
) -> None:
    item = kustomization()
    item["status"] |= {"lastAppliedRevision": "", **status}
    assert delivered(ownership.read(kind, item), WITH_CLONE) is expected


def follow(
    clock: FakeClock, events: list[Event], *scenes: tuple[float, Objects], request: WaitRequest, wanted: GitOpsCommit
) -> DeployResult:
    cluster = FakeCluster(clock, list(scenes))
    return wait(cluster, replace(request, gitops=wanted), clock=clock, emit=events.append)


OF_APP = replace(REQUEST, targets=(DeployTarget("argocd", "shop", "application"),))


def scene(item: Json, objects: Objects = NEW_OBJECTS) -> Objects:
    return {**objects, "applications": [item]}


def test_an_application_is_done_when_it_has_synced_to_the_commit(clock: FakeClock, events: list[Event]) -> None:
    scenes = ((0, scene(synced(BEFORE))), (90, scene(synced(LATER))))
    result = follow(clock, events, *scenes, request=OF_APP, wanted=WITH_CLONE)
    assert result.outcome is Outcome.DONE
    assert clock.elapsed >= 90


def test_a_commit_that_is_never_applied_is_nothing_there_though_the_image_runs(
    clock: FakeClock, events: list[Event]
) -> None:
    result = follow(clock, events, (0, scene(synced(BEFORE))), request=OF_APP, wanted=WITH_CLONE)
    assert (result.outcome, result.targets[0].reason) == (Outcome.NOTHING, "gitops-commit")


def test_unknown_ancestry_is_said_and_is_neither_green_nor_red(clock: FakeClock, events: list[Event]) -> None:
    result = follow(clock, events, (0, scene(synced(LATER))), request=OF_APP, wanted=WITHOUT)
    assert (result.outcome, result.targets[0].reason) == (Outcome.PERSON, "ancestry")
    assert "whether 333333333333 contains 222222222222 is unknown: no clone was named" in result.headline
    assert result.targets[0].hint.endswith("--gitops-repo PATH")


def test_a_sync_that_failed_with_the_commit_is_red_at_once_and_one_before_it_is_not(
    clock: FakeClock, events: list[Event]
) -> None:
    failed = scene(synced(OURS, phase="Failed", sync="OutOfSync"), OLD_OBJECTS)
    failed["applications"][0]["status"]["sync"]["revision"] = BEFORE
    result = follow(clock, events, (0, failed), request=OF_APP, wanted=WITH_CLONE)
    assert (result.outcome, clock.elapsed < 10) == (Outcome.RED, True)
    older = scene(synced(BEFORE, phase="Failed"), OLD_OBJECTS)
    scenes = ((0, older), (clock.elapsed + 30, scene(synced(OURS))))
    assert follow(clock, events, *scenes, request=OF_APP, wanted=WITH_CLONE).outcome is Outcome.DONE


def owned_deployment() -> Json:
    body = deployment()
    body["metadata"]["annotations"] |= {ownership.TRACKING: "shop:apps/Deployment:t/web"}
    return body


def test_a_workloads_owner_must_have_applied_the_commit_too(clock: FakeClock, events: list[Event]) -> None:
    owned = {**NEW_OBJECTS, "deployments": [owned_deployment()]}
    scenes = ((0, scene(synced(BEFORE), owned)), (60, scene(synced(OURS), owned)))
    result = follow(clock, events, *scenes, request=REQUEST, wanted=WITHOUT)
    assert result.outcome is Outcome.DONE
    assert clock.elapsed >= 60
    assert [one.target for one in result.targets] == ["t/web (GitOps)", "t/web"]


def test_the_owner_of_several_workloads_is_asked_and_told_once(clock: FakeClock, events: list[Event]) -> None:
    other = owned_deployment()
    other["metadata"] |= {"name": "api", "annotations": {ownership.TRACKING: "shop:apps/Deployment:t/api"}}
    objects = scene(synced(BEFORE), {**NEW_OBJECTS, "deployments": [owned_deployment(), other]})
    cluster = FakeCluster(clock, [(0, objects)])
    targets = (DeployTarget("t", "web"), DeployTarget("t", "api"))
    request = replace(REQUEST, targets=targets, gitops=WITH_CLONE, reference_timeout=20)
    result = wait(cluster, request, clock=clock, emit=events.append)
    owners = [one for one in result.targets if one.target.endswith("(GitOps)")]
    assert [one.reason for one in owners] == ["gitops-commit", "gitops-commit"]
    assert len([one for one in events if isinstance(one, GitOpsSeen)]) == 1
    asked = [path for path in cluster.asked if path.endswith("/applications/shop")]
    assert len(asked) <= 12


def test_a_gitops_commit_for_a_workload_nobody_owns_is_refused(clock: FakeClock, events: list[Event]) -> None:
    with pytest.raises(UsageError, match="neither Argo CD nor Flux owns it"):
        follow(clock, events, (0, NEW_OBJECTS), request=REQUEST, wanted=WITHOUT)


def test_a_releases_commit_is_that_of_the_kustomization_that_applies_it(clock: FakeClock, events: list[Event]) -> None:
    release, above = kustomization(), kustomization()
    release["metadata"]["labels"] = {
        "kustomize.toolkit.fluxcd.io/name": "all",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    }
    release["status"]["lastAppliedRevision"] = ""
    above["metadata"]["name"], above["status"]["lastAppliedRevision"] = "all", f"main@sha1:{LATER}"
    objects = {**NEW_OBJECTS, "helmreleases": [release], "kustomizations": [above]}
    request = replace(REQUEST, targets=(DeployTarget("flux-system", "apps", "helmrelease"),))
    assert follow(clock, events, (0, objects), request=request, wanted=WITH_CLONE).outcome is Outcome.DONE
