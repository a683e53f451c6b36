"""``deploy status``: one look, the same rules as the wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homelab.deploy.ages import ago
from homelab.deploy.digests import ASK_SECONDS, Digests
from homelab.deploy.reference import Wanted
from homelab.deploy.request import WaitRequest
from homelab.deploy.status import StatusResult, status
from homelab.deploy.terms import Beside
from homelab.outcome import Outcome
from homelab.registry.manifest import Manifest
from homelab.settings.model import DeployTarget
from tests.deploy.fakes import FakeCluster, Objects
from tests.deploy.gitops.test_ownership import NEW_OBJECTS, OLD_OBJECTS, application
from tests.deploy.objects import FULL, NEWER, WANTED, deployment, image, pod, replica_set, stamp
from tests.deploy.test_digests import Paper
from tests.deploy.test_wait import AFTER, BEFORE, MOVING, UNPULLABLE
from tests.fakes import FakeClock

REQUEST = WaitRequest(targets=(DeployTarget("t", "web"),), wanted=Wanted(oid=FULL))


def look(clock: FakeClock, objects: Objects, request: WaitRequest = REQUEST) -> StatusResult:
    return status([(FakeCluster(clock, [(0, objects)]), request)], clock=clock)


def test_a_finished_rollout_is_done_with_image_proof_and_revision(clock: FakeClock) -> None:
    result = look(clock, AFTER)
    assert result.outcome is Outcome.DONE
    assert result.lines()[:2] == [
        "t/web: complete 1/1, proof: pods",
        f"  app  {WANTED}  (is 0123456789ab)",
    ]


@pytest.mark.parametrize(
    ("objects", "outcome", "sentence"),
    [
        (BEFORE, Outcome.PENDING, "wants 0123456789ab, template has fedcba987654"),
        (MOVING, Outcome.PENDING, "updated 1, ready 1, available 1 of 1"),
        ({}, Outcome.NOTHING, "no such deployment"),
        (
            {"deployments": [deployment(paused=True, counts=(0, 1, 1, 1))]},
            Outcome.PERSON,
            "paused: the template names the image",
        ),
    ],
    ids=["old", "moving", "absent", "paused"],
)
def test_every_state_answers_by_the_table(clock: FakeClock, objects: Objects, outcome: Outcome, sentence: str) -> None:
    result = look(clock, objects)
    assert result.outcome is outcome
    assert result.targets[0].verdict.sentence.startswith(sentence)


def test_a_live_commit_that_contains_the_wanted_one_is_known_by_asking_the_repository(clock: FakeClock) -> None:
    newer = image(NEWER)
    objects: Objects = {
        "deployments": [deployment(newer)],
        "replicasets": [replica_set(newer)],
        "pods": [pod(img=newer)],
    }
    asks = replace(REQUEST, beside=Beside({newer: True}.__getitem__))
    assert look(clock, objects, asks).outcome is Outcome.SUPERSEDED
    assert look(clock, objects, replace(asks, newer_ok=True)).outcome is Outcome.DONE


def test_a_pin_is_judged_once_its_registry_has_answered_or_had_its_time(clock: FakeClock) -> None:
    digest = f"sha256:{'a' * 64}"
    pinned = f"{WANTED}@{digest}"
    objects: Objects = {
        "deployments": [deployment(pinned)],
        "replicasets": [replica_set(pinned)],
        "pods": [pod(img=pinned)],
    }
    paper = Paper({FULL[:12]: Manifest(digest)})
    asks = replace(REQUEST, beside=Beside(registry=Digests(paper, start=lambda work: work())))
    assert look(clock, objects, asks).lines()[0] == "t/web: complete 1/1, proof: digest"
    silent = replace(REQUEST, beside=Beside(registry=Digests(Paper(), start=lambda _work: None)))
    assert look(clock, objects, silent).outcome is Outcome.PERSON
    assert clock.elapsed == ASK_SECONDS


def test_what_ails_a_pod_is_said_while_its_grace_still_runs(clock: FakeClock) -> None:
    result = look(clock, UNPULLABLE)
    assert result.outcome is Outcome.PENDING
    assert any(line.startswith("  pod web-new-1") and "ErrImagePull" in line for line in result.lines())


def test_trouble_older_than_its_grace_is_red_at_the_first_look(clock: FakeClock) -> None:
    clock.sleep(60)
    assert look(clock, UNPULLABLE).outcome is Outcome.RED


def test_proofs_that_are_denied_are_named(clock: FakeClock) -> None:
    found = FakeCluster(clock, [(0, AFTER)], deny=frozenset({"list pods", "list replicasets"}))
    lines = status([(found, REQUEST)], clock=clock).lines()
    assert "  no replicasets proof: list replicasets forbidden" in lines


def test_without_a_commit_it_judges_what_is_live(clock: FakeClock) -> None:
    result = look(clock, BEFORE, WaitRequest(targets=REQUEST.targets, wanted=Wanted()))
    assert result.outcome is Outcome.DONE
    assert result.targets[0].wanted == ""


def test_the_owner_and_its_word_are_shown(clock: FakeClock) -> None:
    lines = look(clock, OLD_OBJECTS).lines()
    assert any("by Argo CD (argocd/shop)" in line for line in lines)
    assert lines[-1] == "  Argo CD application argocd/shop: Synced at 777777777777, Healthy, syncs by itself"


def test_a_gitops_object_is_judged_by_its_workloads_and_only_without_a_commit_by_its_own_word(
    clock: FakeClock,
) -> None:
    request = WaitRequest(targets=(DeployTarget("argocd", "shop", "application"),), wanted=Wanted(oid=FULL))
    assert look(clock, OLD_OBJECTS, request).outcome is Outcome.PENDING
    found = look(clock, NEW_OBJECTS, request)
    assert (found.outcome, found.targets[0].live[0].container) == (Outcome.DONE, "deployment/web app")
    assert look(clock, OLD_OBJECTS, replace(request, wanted=Wanted())).outcome is Outcome.DONE
    by_hand: Objects = {"applications": [application(sync="OutOfSync")]}
    assert look(clock, by_hand, request).outcome is Outcome.PERSON
    assert look(clock, {}, request).outcome is Outcome.NOTHING


def test_the_age_is_that_of_the_template(clock: FakeClock) -> None:
    body = deployment()
    fields = {"f:spec": {"f:template": {}}}
    body["metadata"]["managedFields"] = [{"manager": "kubectl-set", "time": stamp(-120), "fieldsV1": fields}]
    found = look(clock, {**AFTER, "deployments": [body]}).targets[0]
    assert (found.age, found.owner) == (120.0, "kubectl-set")


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (59, "59s"), (120, "2m"), (7200, "2h"), (172800, "2d")])
def test_durations_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert text == ago(seconds)
