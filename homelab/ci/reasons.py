"""Why a commit has no run: every cause that can be known from here, looked for before it is said.

Pure apart from the two ports it asks. Layer: ci, above the ports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from homelab.ci.choice import ANY, PUSH
from homelab.ci.model import Facts, Pipeline
from homelab.ci.port import CiRepository
from homelab.ci.request import CiRequest
from homelab.errors import UsageError
from homelab.git.port import Commit, Repository


class Sure(IntEnum):
    """How little use it is to wait on: not known, likely none, none at all."""

    NO = 0
    SOON = 1
    NOW = 2


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause, and how surely it means that no run will come."""

    sentence: str
    fix: str = ""
    sure: Sure = Sure.NO


def why_none(
    ci: CiRepository,
    facts: Facts,
    request: CiRequest,
    repository: Repository,
    *,
    others: Sequence[Pipeline] = (),
    vanished: Sequence[int] = (),
) -> tuple[Reason, ...]:
    """Return the causes found, the surest first; ``others`` are the commit's runs that were not asked for."""
    found = [*_at_the_server(ci, facts, vanished), *_in_the_commit(ci, facts, request, repository)]
    found += [*_elsewhere(request, others), *_not_the_head(request, repository)]
    if not found:
        found.append(Reason(_nothing_found(facts, request), fix=f"open {facts.url}"))
    return tuple(sorted(found, key=lambda reason: -reason.sure))


def _at_the_server(ci: CiRepository, facts: Facts, vanished: Sequence[int]) -> Iterator[Reason]:
    if not facts.active:
        yield Reason(f"{facts.slug} is not active on {ci.name}", fix=f"activate it: {ci.activate_url()}", sure=Sure.NOW)
    if vanished:
        numbers = ", ".join(f"#{number}" for number in vanished)
        yield Reason(f"{numbers} was created and removed: every workflow was filtered out", sure=Sure.NOW)


def _in_the_commit(ci: CiRepository, facts: Facts, request: CiRequest, repository: Repository) -> Iterator[Reason]:
    commit = _commit(repository, request.oid)
    if commit is None:
        return
    marker = re.search(ci.skip_words, f"{commit.subject}\n{commit.body}")
    if marker and request.choice.event in {PUSH, "pull_request", ANY}:
        yield Reason(
            f"the commit message says {marker[0]}",
            fix=_without_the_words(landed=request.choice.landed),
            sure=Sure.SOON,
        )
    if facts.config_paths and not any(repository.has_path(request.oid, path) for path in facts.config_paths):
        yield Reason(
            f"no CI configuration at this commit: {', '.join(facts.config_paths)}",
            fix=f"add {facts.config_paths[-1]}, commit, push",
            sure=Sure.SOON,
        )


def _without_the_words(*, landed: bool) -> str:
    """Return what to type; a commit that others may have built on is not rewritten."""
    if landed:
        return "git commit --allow-empty --message 'Run CI' && homelab work land --allow-empty"
    return "git commit --amend, without the words, then push"


def _commit(repository: Repository, oid: str) -> Commit | None:
    try:
        return repository.commit(oid)
    except UsageError:
        return None


def _elsewhere(request: CiRequest, others: Sequence[Pipeline]) -> Iterator[Reason]:
    if others:
        named = ", ".join(f"#{run.number} {run.event} {run.branch} {run.said}".strip() for run in others[:4])
        yield Reason(
            f"not {request.choice.sentence()}, but there is {named}",
            fix=f"homelab ci watch {request.oid[:12]} --event any",
        )


def _not_the_head(request: CiRequest, repository: Repository) -> Iterator[Reason]:
    """Only a push's head commit gets a run, and only once it was pushed."""
    branch = request.choice.branch or request.choice.target
    tip = _tip(repository, f"refs/remotes/{request.remote}/{branch}") if branch else None
    if tip is None or request.choice.event != PUSH:
        return
    inside = repository.contains(tip, request.oid)
    if inside is False:
        yield Reason(
            f"not on {request.remote}/{branch} as known here",
            fix=f"git fetch {request.remote}, or push the commit",
        )
    elif inside and tip != request.oid:
        yield Reason(
            f"{request.remote}/{branch} is at {tip[:12]}, which holds this commit: CI runs for a push's last commit",
            fix=f"homelab ci watch {tip[:12]}",
        )


def _tip(repository: Repository, ref: str) -> str | None:
    try:
        return repository.resolve(ref)
    except UsageError:
        return None


def _nothing_found(facts: Facts, request: CiRequest) -> str:
    asked = request.choice.sentence()
    return f"active, configured, no skip words: probably filtered by branch, event or path for {asked} ({facts.slug})"
