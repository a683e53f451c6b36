"""What each stand is called: headline, reasons and next commands. Layer: ci, above verdict and survey."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from shlex import quote

from homelab.ci.model import Facts, Pipeline, State
from homelab.ci.port import CiRepository
from homelab.ci.request import CiRequest
from homelab.ci.sight import Sight
from homelab.ci.verdict import Stand, Verdict
from homelab.console.clean import clean
from homelab.errors import HomelabError
from homelab.spoken import duration


@dataclass(frozen=True, slots=True)
class Words:
    """One answer in words. ``next`` are complete commands."""

    headline: str
    reasons: tuple[str, ...] = ()
    next: tuple[str, ...] = ()


def words(servers: Sequence[CiRepository], request: CiRequest, sight: Sight, verdict: Verdict) -> Words:
    """Return what a person reads about ``verdict``."""
    first = (verdict.because or sight.runs)[0]
    ci = server_of(servers, first)
    match verdict.stand:
        case Stand.GREEN:
            return Words(_green(sight))
        case Stand.WAITING:
            going = verdict.because or sight.runs
            return Words(_progress(going), tuple(_hindrances(going)), (request.command(),))
        case Stand.BLOCKED:
            return _blocked(ci, request, first)
        case Stand.SUPERSEDED:
            return _superseded(ci, request, first)
        case Stand.CANCELLED:
            return Words(
                f"{first.name} cancelled{_by(first.cancelled_by)}", (*_cancelled(ci, first), f"look: {first.url}")
            )
    return _plain(request, verdict.stand, first)


def server_of(servers: Sequence[CiRepository], run: Pipeline) -> CiRepository:
    """Return the server that a run is from."""
    return next((one for one in servers if one.name == run.server), servers[0])


def _plain(request: CiRequest, stand: Stand, run: Pipeline) -> Words:
    """The stands that need no further question."""
    look = (f"look: {run.url}",)
    return {
        Stand.RED: Words(f"{run.name} failed"),
        Stand.DECLINED: Words(f"{run.name} declined{_by(run.reviewed_by)}", look),
        Stand.SKIPPED: Words(f"{run.name}: every workflow was skipped", look),
        Stand.UNKNOWN: Words(f"{run.name} ended as {run.said!r}, which is not known to be green", look),
        Stand.STRANDED: _stranded(request, run),
    }[stand]


def _stranded(request: CiRequest, run: Pipeline) -> Words:
    if run.state is State.CREATED:
        return Words(
            f"{run.name} is stuck before its configuration was read",
            (f"the server lost it: {run.url}",),
            (request.command("restart"),),
        )
    return Words(
        f"{run.name} is stuck: it has no workflow to run",
        (f"nothing in its configuration matched: {run.url}",),
        (request.command("cancel"),),
    )


def _green(sight: Sight) -> str:
    several = len({run.server for run in sight.runs}) > 1
    names = ", ".join(f"{run.server} {run.name}" if several else run.name for run in sight.runs)
    steps = sum(run.steps for run in sight.runs)
    counted = f", {steps} step{'s' if steps != 1 else ''}" if steps else ""
    took = duration(max(run.seconds for run in sight.runs))
    instead = "".join(f", in place of {old.name}" for old, _ in sight.followed)
    return f"{names}{counted}, {took}{instead}"


def _progress(runs: Sequence[Pipeline]) -> str:
    parts = []
    for run in runs:
        steps = [(flow, step) for flow in run.workflows for step in flow.steps if step.state is State.RUNNING]
        active = [step.name or flow.name for flow, step in steps]
        doing = f" ({', '.join(active[:3])})" if active else ""
        parts.append(f"{run.name} {run.said or run.state.value}{doing}")
    return ", ".join(parts)


def _hindrances(runs: Sequence[Pipeline]) -> Iterator[str]:
    """Yield what a run waits for, where that is told, and states that are none of ours."""
    for run in runs:
        if run.state is State.UNKNOWN:
            yield f"{run.name} is {run.said!r}, a state homelab does not know: taken for one that goes on"
        waiting = (flow for flow in run.workflows if flow.error and not flow.state.finished)
        yield from (f"{run.name} {flow.name}: {clean(flow.error)}" for flow in waiting)


def _by(person: str) -> str:
    return f" by {person}" if person else ""


def _cancelled(ci: CiRepository, run: Pipeline) -> tuple[str, ...]:
    """Say why, where nobody is named: a run that went as long as it may was ended by its time limit."""
    if run.cancelled_by:
        return ()
    limit = _facts(ci, run).timeout
    if limit and run.seconds >= limit:
        return (f"by its time limit of {duration(limit)}",)
    return ("by a person, the time limit or a lost agent; the server does not say which",)


def _superseded(ci: CiRepository, request: CiRequest, run: Pipeline) -> Words:
    newer = ci.run(run.superseded_by)
    if newer is None:
        return Words(f"{run.name} replaced by #{run.superseded_by}", (f"look: {run.url}",))
    return Words(
        f"{run.name} replaced by {newer.name} ({newer.commit[:12]})",
        (f"{_pushed(newer)}not known here to hold {request.oid[:12]}: {newer.url}",),
        (f"git fetch {quote(request.remote)} && {request.command()}",),
    )


def _pushed(run: Pipeline) -> str:
    return f"pushed by {run.author}, " if run.author else ""


def _blocked(ci: CiRepository, request: CiRequest, run: Pipeline) -> Words:
    """Say who can approve and where. Facts that cannot be had change no verdict."""
    facts = _facts(ci, run)
    rule = f" (its rule: {facts.approval})" if facts.approval else ""
    who = "you can approve it" if facts.may_write else f"whoever may push to {facts.slug} can approve it, you may not"
    following = (request.command("approve"),) if facts.may_write else ()
    return Words(f"{run.name} waits for approval", (f"{who}{rule}: {run.url}",), (*following, request.command()))


def _facts(ci: CiRepository, run: Pipeline) -> Facts:
    try:
        return ci.facts()
    except HomelabError:
        return Facts(slug=run.server, url=run.url)
