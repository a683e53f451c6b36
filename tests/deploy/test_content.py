"""Digests: what decides a reference, what proves content, and what says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.deploy.content import digest_in
from homelab.deploy.judgement import Known, Proof, State
from homelab.deploy.reference import Wanted
from tests.deploy.objects import FULL, REPOSITORY, WANTED, Json, deployment, pod, replica_set, running
from tests.deploy.test_verdict import EXPECTED, Scene, judge

INDEX, PLATFORM, OTHER, CONFIG = (f"sha256:{letter * 64}" for letter in "abcd")
CONTENT = Known(content={REPOSITORY: frozenset({INDEX, PLATFORM})})
PINNED = f"{REPOSITORY}:{FULL[:12]}@{INDEX}"


def scene(img: str = WANTED, image_id: str = "", **container: Any) -> Scene:
    return Scene(deployment(img), [replica_set(img)], [pod(img=img, container=running(image_id=image_id, **container))])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (f"{REPOSITORY}@{INDEX}", INDEX),
        (f"docker-pullable://{REPOSITORY}@{INDEX}", INDEX),
        (f"docker://{INDEX}", INDEX),
        (INDEX, INDEX),
        ("", ""),
        ("cri-o says nothing", ""),
    ],
)
def test_a_digest_is_found_in_every_form_a_runtime_has(said: str, expected: str) -> None:
    assert expected == digest_in(said)


@pytest.mark.parametrize(
    ("image_id", "proof"),
    [
        (f"{REPOSITORY}@{INDEX}", Proof.DIGEST),
        (f"docker-pullable://{REPOSITORY}@{PLATFORM}", Proof.DIGEST),
        (f"{REPOSITORY}@{OTHER}", Proof.PODS),
        (CONFIG, Proof.PODS),
    ],
    ids=["the index", "its platform", "different: no information", "bare: no information"],
)
def test_an_equal_digest_is_proof_and_another_is_no_information(image_id: str, proof: Proof) -> None:
    found = judge((0, scene(image_id=image_id)), known=CONTENT)
    assert (found.state, found.proof) == (State.COMPLETE, proof)
    assert found.sentence == f"complete 1/1, proof: {proof}"


def test_one_pod_that_reports_another_digest_leaves_the_proof_at_pods() -> None:
    pods = [
        pod(f"web-new-{number}", container=running(image_id=f"{REPOSITORY}@{digest}"))
        for number, digest in enumerate((INDEX, OTHER))
    ]
    two = Scene(deployment(want=2, counts=(2, 2, 2, 2)), [replica_set(want=2)], pods)
    assert judge((0, two), known=CONTENT).proof is Proof.PODS


def test_14_a_pin_that_the_registry_has_for_the_tag_is_complete_by_digest() -> None:
    found = judge((0, scene(PINNED, f"{REPOSITORY}@{PLATFORM}")), known=CONTENT)
    assert (found.state, found.proof) == (State.COMPLETE, Proof.DIGEST)


def test_14_a_pinned_platform_of_the_index_is_the_same_image() -> None:
    pinned = f"{REPOSITORY}@{PLATFORM}"
    found = judge((0, scene(pinned, pinned)), known=CONTENT)
    assert (found.state, found.proof) == (State.COMPLETE, Proof.DIGEST)


def test_14_a_pin_that_is_not_what_the_registry_has_is_not_the_image() -> None:
    pinned = f"{REPOSITORY}:{FULL[:12]}@{OTHER}"
    found = judge((0, scene(pinned)), known=CONTENT)
    assert found.state is State.REFERENCE
    assert found.sentence.endswith(f"template has {FULL[:12]}@{OTHER[:19]}, not the registry's digest")
    assert judge((0, scene(pinned)), (300, scene(pinned)), known=CONTENT).state is State.REFERENCE_TIMEOUT


def test_14_a_pin_is_not_judged_while_the_registry_is_being_asked() -> None:
    asked = Known(asking_until=1_700_000_005.0)
    found = judge((0, scene(PINNED)), known=asked)
    assert (found.state, found.again) == (State.REFERENCE, 5.0)
    silent = judge((0, scene(PINNED)), known=Known(unanswered="reg.example did not answer in 10 s"))
    assert silent.state is State.NEEDS_ACTION
    assert silent.sentence.endswith("is not verified: reg.example did not answer in 10 s")


def test_a_digest_that_no_registry_explained_is_said_at_the_end() -> None:
    bare = scene(f"{REPOSITORY}@{INDEX}")
    found = judge((0, bare), (300, bare), known=Known(unanswered="reg.example is away"))
    assert found.state is State.REFERENCE_TIMEOUT
    assert found.sentence.endswith(f"it has {INDEX[:19]}, and no registry says what that is: reg.example is away")


def test_a_finished_rollout_waits_a_moment_for_the_registry_and_no_longer() -> None:
    complete = scene(image_id=f"{REPOSITORY}@{INDEX}")
    found = judge((0, complete), known=Known(asking_until=1_700_000_003.0))
    assert (found.state, found.sentence) == (State.HOLDING, "complete 1/1; asking the registry")
    assert judge((0, complete), (3, complete), known=Known(asking_until=1_700_000_003.0)).proof is Proof.PODS


MOVING_TAG = f"{REPOSITORY}:latest"
BY_DIGEST = Wanted(image=MOVING_TAG, digests=frozenset({INDEX}))


def test_a_tag_that_moves_is_no_proof_of_a_typed_digest() -> None:
    old = scene(MOVING_TAG, f"{REPOSITORY}@{OTHER}")
    found = judge((0, old), wanted=BY_DIGEST)
    assert found.state is State.PROGRESSING
    assert found.sentence == f"finished, but its pods report {OTHER[:19]}, and {INDEX[:19]} is wanted"
    late = judge((0, old), (300, old), wanted=BY_DIGEST)
    assert (late.state, late.reason) == (State.NEEDS_ACTION, "content")
    fresh = scene(MOVING_TAG, f"{REPOSITORY}@{INDEX}")
    assert judge((0, old), (20, fresh), wanted=BY_DIGEST).proof is Proof.DIGEST
    assert judge((0, old), wanted=Wanted(image=MOVING_TAG, digests=frozenset({INDEX}), trust_tag=True)).outcome == 0


def test_a_typed_digest_beside_a_tag_that_is_the_commit_is_no_condition() -> None:
    wanted = Wanted(oid=FULL, digests=frozenset({INDEX}))
    assert judge((0, scene(image_id=f"{REPOSITORY}@{OTHER}")), wanted=wanted).state is State.COMPLETE


def test_a_mark_beside_a_moving_tag_needs_the_typed_digest() -> None:
    def marked(image_id: str) -> Scene:
        body: Json = deployment(MOVING_TAG)
        body["spec"]["template"]["metadata"]["annotations"] = {"org.opencontainers.image.revision": FULL}
        one = replica_set(MOVING_TAG)
        one["spec"]["template"] = body["spec"]["template"]
        return Scene(body, [one], [pod(img=MOVING_TAG, container=running(image_id=image_id))])

    wanted = Wanted(oid=FULL, digests=frozenset({INDEX}))
    assert judge((0, marked(OTHER)), wanted=wanted).state is State.PROGRESSING
    assert judge((0, marked(INDEX)), wanted=wanted).state is State.COMPLETE
    assert EXPECTED.wanted.oid == FULL
