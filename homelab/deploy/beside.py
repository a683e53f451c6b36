"""What a wait finds out beside the cluster: ancestry from the repository, digests from a registry.

Asked before a snapshot is judged and handed to the judgement as facts. Layer: the deploy domain, above identity.
"""

from __future__ import annotations

from collections.abc import Iterator

from homelab.clock import Clock
from homelab.deploy.digests import Answers, Question
from homelab.deploy.judgement import Expectation, Known
from homelab.deploy.model import Container, Workload
from homelab.deploy.reference import SHORTEST, Match, match_marked
from homelab.registry.image import Image
from homelab.registry.reference import parse, same_repository


def known(workload: Workload, expectation: Expectation, now: float) -> Known:
    """Return what is known about the images of a template; what was asked before costs nothing."""
    others = dict.fromkeys(c.image for c in _in_question(workload, expectation))
    contains = {image: _contains(image, expectation) for image in others}
    answers, registry = Answers(), expectation.beside.registry
    if registry is not None and not expectation.wanted.trust_tag:
        answers = registry.answers(questions(workload, expectation), now=now)
    return Known(contains, answers.content, answers.asking_until, answers.unanswered)


def _in_question(workload: Workload, expectation: Expectation) -> list[Container]:
    """Return the containers that may be the app's and do not name the commit: of a sidecar no history is asked."""
    target = expectation.target
    repository = target.image or expectation.wanted.image
    proving = [c.image for c in workload.containers if _named(c, expectation).proves]
    if target.container:
        meant = [c for c in workload.containers if c.name == target.container]
    elif repository or proving:
        meant = [c for c in workload.containers if same_repository(c.image, repository or proving[0])]
    else:
        meant = list(workload.containers)
    return [container for container in meant if not _named(container, expectation).proves]


def settled(workload: Workload, expectation: Expectation, clock: Clock) -> Known:
    """Return what is known once every registry has answered or had its time: for one look."""
    found = known(workload, expectation, clock.now())
    while found.asking_until is not None and expectation.beside.registry is not None:
        expectation.beside.registry.wait(clock, found.asking_until - clock.now())
        found = known(workload, expectation, clock.now())
    return found


def _contains(image: str, expectation: Expectation) -> bool | None:
    """Say whether an image's commit contains the wanted one; a tag's word beside a digest is only its word."""
    found = expectation.beside.newer(image)
    return None if found and parse(image).digest and not expectation.wanted.trust_tag else found


def _named(container: Container, expectation: Expectation) -> Match:
    return match_marked(container.image, container.marks, expectation.wanted)


def questions(workload: Workload, expectation: Expectation) -> list[Question]:
    """Return what a registry could say about a template's images that carry the app, each repository once."""
    found = {
        question.repository: question
        for container in workload.containers
        if _chosen(container, workload, expectation)
        for question in _of(container, expectation)
    }
    return list(found.values())


def _chosen(container: Container, workload: Workload, expectation: Expectation) -> bool:
    """Say whether a container is meant: by name, by repository, by its tag, or because it is the only one."""
    target = expectation.target
    if target.container:
        return container.name == target.container
    repository = target.image or expectation.wanted.image
    if repository:
        return same_repository(container.image, repository)
    return len(workload.containers) == 1 or _named(container, expectation) is not Match.NO


def _of(container: Container, expectation: Expectation) -> Iterator[Question]:
    """Yield the question about one container's image, if an answer could change or strengthen the judgement."""
    wanted, have = expectation.wanted, parse(container.image)
    image, named = Image.of(have), _named(container, expectation)
    if image is None:
        return
    if wanted.digests:
        versions = tuple(sorted(wanted.digests)) if named.proves or have.digest else ()
    elif have.digest and named is Match.HINT:
        versions = (have.tag,)
    elif have.digest and not have.tag and wanted.oid:
        versions = (wanted.oid, wanted.oid[:12], wanted.oid[:SHORTEST])
    else:
        versions = (have.tag,) if named.proves and have.tag and not have.digest else ()
    if versions:
        images = tuple(image.at(version) for version in versions)
        yield Question(have.repository, images, needed=bool(have.digest) and not named.proves)
