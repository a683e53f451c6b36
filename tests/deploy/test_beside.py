"""What is asked beside the cluster, and what only the cluster can say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homelab.deploy import shape
from homelab.deploy.beside import known, questions
from homelab.deploy.digests import Digests
from homelab.deploy.judgement import Expectation
from homelab.deploy.model import Workload
from homelab.deploy.reference import Wanted
from homelab.deploy.terms import Beside
from homelab.settings.model import DeployTarget
from tests.deploy.objects import FULL, NEWER, OLD, REPOSITORY, WANTED, deployment, image
from tests.deploy.test_digests import INDEX, Paper

EXPECTED = Expectation(target=DeployTarget("t", "web"), wanted=Wanted(oid=FULL))
DIGEST = f"sha256:{'a' * 64}"
TYPED = Wanted(oid=FULL, digests=frozenset({DIGEST}))
PINNED, BARE = f"{REPOSITORY}:{FULL[:12]}@{DIGEST}", f"{REPOSITORY}@{DIGEST}"


def live(*images: str) -> Workload:
    body = deployment()
    containers = [{"name": f"c{number}", "image": text} for number, text in enumerate(images)]
    body["spec"]["template"]["spec"]["containers"] = containers
    return shape.workload("deployment", body)


@pytest.mark.parametrize(
    ("images", "wanted", "asked"),
    [
        ([WANTED], EXPECTED.wanted, [((FULL[:12],), False)]),
        ([OLD], EXPECTED.wanted, []),
        ([PINNED], EXPECTED.wanted, [((FULL[:12],), True)]),
        ([BARE], EXPECTED.wanted, [((FULL, FULL[:12], FULL[:7]), True)]),
        ([BARE, "mesh.example/proxy:1"], EXPECTED.wanted, []),
        ([WANTED], TYPED, [((DIGEST,), False)]),
        ([PINNED], TYPED, [((DIGEST,), False)]),
        ([f"{REPOSITORY}@sha256:{'b' * 64}"], TYPED, [((DIGEST,), True)]),
        ([f"{REPOSITORY}:v1"], Wanted(image=f"{REPOSITORY}:v1"), [(("v1",), False)]),
        ([f"{REPOSITORY}:v1@{DIGEST}"], Wanted(image=f"{REPOSITORY}:v1"), [(("v1",), True)]),
        (["reg.example/T/App:0123456789ab"], EXPECTED.wanted, []),
    ],
    ids=[
        "a commit's tag: what would make the proof stronger",
        "another commit: nothing",
        "a digest beside the tag decides: needed",
        "a digest alone: by every name of the commit",
        "a digest alone, and which container is meant is not known",
        "the typed digest's children",
        "the typed digest's children, pinned",
        "another digest may be a child of the typed one",
        "a whole image",
        "a whole image, pinned in the template",
        "no registry could have that",
    ],
)
def test_only_what_can_change_or_strengthen_the_judgement_is_asked(
    images: list[str], wanted: Wanted, asked: list[tuple[tuple[str, ...], bool]]
) -> None:
    found = questions(live(*images), replace(EXPECTED, wanted=wanted))
    assert [(tuple(one.reference for one in q.images), q.needed) for q in found] == asked


def test_a_configured_image_says_which_container_is_meant() -> None:
    target = DeployTarget("t", "web", image=REPOSITORY)
    (found,) = questions(live(BARE, f"mesh.example/proxy@{DIGEST}"), replace(EXPECTED, target=target))
    assert found.repository == REPOSITORY


def test_who_trusts_the_tag_asks_no_registry() -> None:
    paper = Paper({FULL[:12]: INDEX})
    beside = Beside(registry=Digests(paper, start=lambda work: work()))
    wanted = Wanted(oid=FULL, trust_tag=True)
    assert known(live(PINNED), replace(EXPECTED, beside=beside, wanted=wanted), 0.0).content == {}
    assert paper.asked == []
    known(live(PINNED), replace(EXPECTED, beside=beside), 0.0)
    assert paper.asked == [FULL[:12]]


def test_ancestry_is_asked_of_what_does_not_name_the_commit() -> None:
    asked: list[str] = []

    def newer(text: str) -> bool | None:
        asked.append(text)
        return True

    expectation = replace(EXPECTED, beside=Beside(newer))
    found = known(live(WANTED, image(NEWER)), expectation, 0.0)
    assert (asked, found.contains) == ([image(NEWER)], {image(NEWER): True})


@pytest.mark.parametrize(
    ("target", "images", "expected"),
    [
        (EXPECTED.target, [WANTED, "mesh.example/proxy:abcdef012345"], []),
        (EXPECTED.target, [OLD, "mesh.example/proxy:abcdef012345"], [OLD, "mesh.example/proxy:abcdef012345"]),
        (DeployTarget("t", "web", image=REPOSITORY), [OLD, "mesh.example/proxy:abcdef012345"], [OLD]),
        (DeployTarget("t", "web", container="c0"), [OLD, "mesh.example/proxy:abcdef012345"], [OLD]),
    ],
    ids=["the app is found", "nothing is found yet", "the image is configured", "the container is named"],
)
def test_of_a_sidecar_no_history_is_asked(target: DeployTarget, images: list[str], expected: list[str]) -> None:
    asked: list[str] = []
    newer = Beside(lambda text: bool(asked.append(text)))  # type: ignore[func-returns-value]
    known(live(*images), replace(EXPECTED, target=target, beside=newer), 0.0)
    assert asked == expected


def test_a_tags_word_about_a_newer_commit_is_only_a_word_beside_a_digest() -> None:
    pinned = f"{image(NEWER)}@{DIGEST}"
    beside = Beside(lambda _image: True)
    assert known(live(pinned), replace(EXPECTED, beside=beside), 0.0).contains == {pinned: None}
    trusting = replace(EXPECTED, beside=beside, wanted=Wanted(oid=FULL, trust_tag=True))
    assert known(live(pinned), trusting, 0.0).contains == {pinned: True}
