"""Whether the live pod template names the wanted image: the first of the two predicates. Pure.

Layer: the deploy domain, above model and reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from homelab.deploy.judgement import Expectation
from homelab.deploy.model import Container
from homelab.deploy.reference import Match, Wanted, match_marked
from homelab.registry.reference import parse, same_repository


class Standing(StrEnum):
    """What the template says about the wanted image."""

    MET = "met"
    NOT = "not"
    #: Another commit that contains the wanted one.
    NEWER = "newer"
    #: The tag says so, a digest beside it is not verified.
    HINT = "hint"
    #: Containers of different images match; a person must name one.
    AMBIGUOUS = "ambiguous"
    #: The named container is not in the template.
    NO_CONTAINER = "no-container"


@dataclass(frozen=True, slots=True)
class Identity:
    """The standing, and the containers it was judged by."""

    standing: Standing
    containers: tuple[Container, ...]
    match: Match = Match.NO
    #: Nobody here can tell whether what is live contains the wanted commit.
    unknown: bool = False
    #: A tag says so, and the digest beside it is none of those the registry has for it.
    other: bool = False

    @property
    def live(self) -> str:
        """Return what the template has, short: one version, or ``name=version`` for each container."""
        versions = list(dict.fromkeys(parse(container.image).version for container in self.containers))
        if len(versions) == 1:
            return versions[0] + (", not the registry's digest" if self.other else "")
        return ", ".join(f"{c.name}={parse(c.image).version}" for c in self.containers) or "nothing of it"

    def moves(self, expectation: Expectation) -> bool:
        """Say whether a digest was asked for that this reference does not decide: a tag that can be pushed again."""
        wanted = expectation.wanted
        if not wanted.digests or wanted.trust_tag or all(parse(c.image).digest for c in self.containers):
            return False
        return not wanted.oid or self.match is Match.MARK


def identify(template: tuple[Container, ...], expectation: Expectation) -> Identity:
    """Judge the template's containers that carry the app; all of them must match."""
    target = expectation.target
    if target.container:
        named = tuple(container for container in template if container.name == target.container)
        return _judged(named, expectation) if named else Identity(Standing.NO_CONTAINER, template)
    repository = target.image or expectation.wanted.image
    if repository:
        return _judged(tuple(c for c in template if same_repository(c.image, repository)), expectation)
    for claim in (_proves, _is_newer, _hints):
        found = [container for container in template if claim(container, expectation)]
        if found:
            return _of_one_image(template, found, expectation)
    return _not(template, template, expectation)


def names_it(template: tuple[Container, ...], expectation: Expectation) -> bool:
    """Say whether a template counts as naming the wanted image: itself, or a newer commit where that is accepted."""
    standing = identify(template, expectation).standing
    return standing is Standing.MET or (standing is Standing.NEWER and expectation.newer_ok)


def _of_one_image(template: tuple[Container, ...], found: list[Container], expectation: Expectation) -> Identity:
    if len({parse(container.image).repository for container in found}) > 1:
        return Identity(Standing.AMBIGUOUS, tuple(found))
    return _judged(tuple(c for c in template if same_repository(c.image, found[0].image)), expectation)


def _judged(containers: tuple[Container, ...], expectation: Expectation) -> Identity:
    """Fold the containers' matches: every one must prove it."""
    matches = [_named(container, expectation) for container in containers]
    if not matches:
        return Identity(Standing.NOT, containers)
    if all(found.proves for found in matches):
        return Identity(Standing.MET, containers, matches[0])
    others = [c for found, c in zip(matches, containers, strict=True) if not found.proves]
    if all(_is_newer(container, expectation) for container in others):
        return Identity(Standing.NEWER, containers)
    return Identity(Standing.HINT, containers) if Match.NO not in matches else _not(containers, others, expectation)


def _not(containers: tuple[Container, ...], others: Sequence[Container], expectation: Expectation) -> Identity:
    """Return the standing of a template that does not name it, with what is worth saying about ``others``."""
    return Identity(
        Standing.NOT,
        containers,
        unknown=any(expectation.known.contains.get(container.image, False) is None for container in others),
        other=any(match_marked(c.image, c.marks, expectation.wanted) is Match.HINT for c in others),
    )


def _named(container: Container, expectation: Expectation) -> Match:
    """Say how a container names the wanted version, with what a registry said about its repository."""
    return match_marked(container.image, container.marks, with_content(expectation, container.image))


def with_content(expectation: Expectation, image: str) -> Wanted:
    """Return the wanted version with every digest the registry of ``image`` has it under."""
    found = expectation.known.content.get(parse(image).repository, frozenset[str]())
    return replace(expectation.wanted, digests=expectation.wanted.digests | found) if found else expectation.wanted


def _proves(container: Container, expectation: Expectation) -> bool:
    return _named(container, expectation).proves


def _hints(container: Container, expectation: Expectation) -> bool:
    return _named(container, expectation) is Match.HINT


def _is_newer(container: Container, expectation: Expectation) -> bool:
    return expectation.known.contains.get(container.image) is True
