"""Why a commit has no run: every cause that can be known from here, looked for before it is said.

Says too what was looked at, and what could not be. Pure apart from the ports it asks.
Layer: ci, above the ports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from shlex import quote

from homelab.ci.choice import ANY, PUSH
from homelab.ci.config import Configured, configured
from homelab.ci.model import Facts, Pipeline, State
from homelab.ci.port import CiRepository
from homelab.ci.request import CiRequest
from homelab.ci.witness import Statement, described
from homelab.errors import UsageError
from homelab.git.port import Commit, Repository

_UNBEGUN = {State.CREATED, State.BLOCKED, State.PENDING}
#: Events that skip words keep from running.
_SKIPPED_EVENTS = {PUSH, "pull_request", ANY}


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
    #: Nothing points at it; it is what is left when waiting was in vain.
    guess: bool = False


@dataclass(frozen=True, slots=True)
class Absent:
    """What is there instead of a run."""

    #: The commit's runs that were not asked for.
    others: Sequence[Pipeline] = ()
    #: Runs that were seen and are gone, as they were.
    vanished: Sequence[Pipeline] = ()
    #: What the forge holds.
    statement: Statement = field(default_factory=Statement)


def why_none(
    ci: CiRepository, facts: Facts, request: CiRequest, repository: Repository, seen: Absent
) -> tuple[Reason, ...]:
    """Return the causes found, the surest first, and last what was looked at and what was not."""
    commit = _commit(repository, request.oid)
    config = configured(ci, facts, repository, request) if commit is not None else None
    skip = _skip_words(ci, request, commit)
    causes = [*_at_the_server(ci, facts, request), *_gone(seen.vanished), *_in_the_commit(request, skip)]
    causes += _in_the_configuration(facts, config)
    causes += [*_elsewhere(request, seen.others), *_not_the_head(ci, request, repository)]
    causes += _at_the_forge(ci, seen.statement)
    if not causes:
        asked = request.choice.sentence()
        causes = [Reason(f"probably filtered by event, branch or path for {asked}", f"open {facts.url}", guess=True)]
    causes.sort(key=lambda reason: -reason.sure)
    if causes[0].sure is Sure.NOW:
        return tuple(causes)
    fine, unknown = _looked_at(facts, seen.statement, config, skip=skip)
    if ci.kind == "woodpecker" and causes[0].guess:
        # One that lost its owner runs nothing, and no call tells (woodpecker server/model/repo.go).
        unknown.append(f"whether it has an owner on {ci.name}")
    notes = [Reason(f"checked: {', '.join(fine)} ({facts.slug})")]
    notes += [Reason(f"not checked: {'; '.join(unknown)}")] if unknown else []
    return (*causes, *_beside(ci, seen.statement), *notes)


def _at_the_server(ci: CiRepository, facts: Facts, request: CiRequest) -> Iterator[Reason]:
    if not facts.active:
        yield Reason(f"{facts.slug} is not active on {ci.name}", fix=f"activate it: {ci.activate_url()}", sure=Sure.NOW)
    if request.choice.event in facts.events_off:
        yield Reason(
            f"{facts.slug} runs nothing on {request.choice.event}: its settings on {ci.name} switch it off",
            fix=f"open {facts.url}/settings",
            sure=Sure.SOON,
        )
    number = request.choice.number
    run = ci.run(number) if number else None
    if run is not None and run.commit != request.oid:
        yield Reason(
            f"{run.name} on {ci.name} is of {run.commit[:12]}, not of {request.oid[:12]}",
            fix=f"homelab ci watch --pipeline {number}",
            sure=Sure.NOW,
        )
    elif number and run is None:
        yield Reason(f"{ci.name} has no run #{number}", fix="homelab ci list", sure=Sure.SOON)


def _gone(vanished: Sequence[Pipeline]) -> Iterator[Reason]:
    filtered = [run.name for run in vanished if run.state in _UNBEGUN]
    deleted = [run.name for run in vanished if run.state not in _UNBEGUN]
    if filtered:
        yield Reason(f"{', '.join(filtered)} was created and removed: every workflow was filtered out", sure=Sure.NOW)
    if deleted:
        yield Reason(f"{', '.join(deleted)} had begun and is gone: somebody deleted it", sure=Sure.SOON)


def _skip_words(ci: CiRepository, request: CiRequest, commit: Commit | None) -> str:
    """Return the words in the message that keep this event from running, "" for none."""
    if commit is None or request.choice.event not in _SKIPPED_EVENTS:
        return ""
    found = re.search(ci.skip_words, f"{commit.subject}\n{commit.body}")
    return found[0] if found else ""


def _in_the_commit(request: CiRequest, skip: str) -> Iterator[Reason]:
    if skip:
        yield Reason(
            f"the commit message says {skip}",
            fix=_without_the_words(landed=request.choice.landed),
            sure=Sure.SOON,
        )


def _in_the_configuration(facts: Facts, config: Configured | None) -> Iterator[Reason]:
    if config is not None and facts.config_paths and not config.files:
        yield Reason(
            f"no CI configuration at this commit: {', '.join(facts.config_paths)}",
            fix=f"add {facts.config_paths[-1]}, commit, push",
            sure=Sure.SOON,
        )
    elif config is not None and config.excluded:
        yield Reason(f"filtered out, as far as homelab reads it: {config.excluded}", sure=Sure.SOON)


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


def _not_the_head(ci: CiRepository, request: CiRequest, repository: Repository) -> Iterator[Reason]:
    """Only a push's head commit gets a run, and only once it was pushed."""
    branch = request.choice.branch or request.choice.target
    tip = _tip(repository, f"refs/remotes/{request.remote}/{branch}") if branch else None
    if tip is None or request.choice.event != PUSH:
        return
    inside = repository.contains(tip, request.oid)
    if inside is False:
        yield Reason(
            f"not on {request.remote}/{branch} as known here",
            fix=f"git fetch {quote(request.remote)}, or push the commit",
        )
    elif inside and tip != request.oid:
        newest = ci.latest(branch)
        # A run of a commit that holds this one was made after it: its own would be there already.
        later = newest is not None and newest.commit != request.oid and repository.contains(newest.commit, request.oid)
        has = f" ({newest.name})" if newest is not None and newest.commit == tip else ""
        yield Reason(
            f"{request.remote}/{branch} is at {tip[:12]}{has}, which holds this commit: "
            "CI runs for a push's last commit",
            fix=f"homelab ci watch {tip[:12]}",
            sure=Sure.SOON if later else Sure.NO,
        )


def _tip(repository: Repository, ref: str) -> str | None:
    try:
        return repository.resolve(ref)
    except UsageError:
        return None


def _at_the_forge(ci: CiRepository, statement: Statement) -> Iterator[Reason]:
    numbers = statement.numbers(ci)
    if numbers:
        named = ", ".join(f"#{number}" for number in numbers[:4])
        yield Reason(
            f"the forge has a status of {named}, which {ci.name} does not show for this commit",
            fix="homelab ci list",
        )


def _beside(ci: CiRepository, statement: Statement) -> Iterator[Reason]:
    """Name what other CI wrote: no cause, but perhaps what was looked for."""
    others = described(statement.of_others([ci]))
    if others:
        yield Reason(f"other CI on the forge, not judged here: {others}")


def _looked_at(
    facts: Facts, statement: Statement, config: Configured | None, *, skip: str
) -> tuple[list[str], list[str]]:
    """Return what spoke for a run, and what could not be looked at."""
    fine, unknown = ["active"] if facts.active else [], []
    if config is None:
        unknown.append("the commit is not here: its message and configuration")
    else:
        fine += [config.files[0]] if config.files else []
        fine += [] if skip else ["no skip words"]
        unknown += [f"when in {config.unread}"] if config.unread else []
    if statement.asked:
        fine += [] if statement.statuses else ["no status on the forge either"]
    elif statement.silent:
        unknown.append(f"the forge's statuses ({statement.silent})")
    return fine, unknown
