"""Whether a live commit contains the wanted one, asked of the repository here. Layer: the deploy domain.

Three answers: it does, it does not, and nobody here can know: the commit was never fetched, or the
clone's history was cut before it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from homelab.deploy.reference import likely_commits
from homelab.errors import HomelabError, UsageError
from homelab.git.port import Repository
from homelab.registry.reference import parse

#: The question about an image: does the commit it names contain the wanted one? None: unknown here.
Newer = Callable[[str], bool | None]


def no_more() -> None:
    """Fetch nothing."""


def nothing_newer(_image: str) -> bool | None:
    """Know of no image that contains the wanted commit."""
    return False


def newer_than(oid: str, repository: Callable[[], Repository], bring: Callable[[], None] = no_more) -> Newer:
    """Return the question about ``oid``, as far as the repository knows.

    Of a commit that is not there ``bring`` is asked once. An image whose tag names no commit contains none.
    """

    @lru_cache(maxsize=256)
    def newer(image: str) -> bool | None:
        found = [_contains(repository, run, oid, bring) for run in likely_commits(parse(image).tag)]
        return True if True in found else None if None in found else False

    return newer if oid else nothing_newer


def _contains(repository: Callable[[], Repository], run: str, oid: str, bring: Callable[[], None]) -> bool | None:
    try:
        found = _resolved(repository(), run, bring)
        # A branch may be called like a commit: only a commit of that name counts.
        return repository().contains(found, oid) if found.startswith(run) and found != oid else False
    except HomelabError:
        return None


def _resolved(repository: Repository, run: str, bring: Callable[[], None]) -> str:
    """Return the full commit. Raises UsageError where not even a fetch brings it."""
    try:
        return repository.resolve(run)
    except UsageError:
        bring()
        return repository.resolve(run)
