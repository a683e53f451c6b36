"""From a verdict to the answer a person reads: headline, reasons, evidence, next command.

Layer: ci, above verdict, failure and survey.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from homelab.ci.failure import failures
from homelab.ci.port import CiRepository
from homelab.ci.reasons import Reason
from homelab.ci.request import CiRequest
from homelab.ci.result import CiResult, lines_left_out
from homelab.ci.sight import Sight
from homelab.ci.verdict import Stand, Verdict
from homelab.ci.words import words
from homelab.clock import Clock
from homelab.outcome import Outcome
from homelab.spoken import duration


def conclude(
    servers: Sequence[CiRepository],
    request: CiRequest,
    sight: Sight,
    verdict: Verdict,
    *,
    because: Sequence[str] = (),
    clock: Clock | None = None,
) -> CiResult:
    """Return the answer for runs that were seen; ``because`` are further reasons for it.

    With a ``clock`` the last lines of a step that has just failed are given a moment to arrive.
    """
    lines = request.log_lines
    red = failures(servers, verdict.because, log_lines=lines, clock=clock) if verdict.stand is Stand.RED else ()
    first = verdict.because[0] if verdict.because else sight.runs[0]
    said = words(servers, request, sight, verdict)
    headline = said.headline
    if red:
        headline = f"{first.name} {red[0].title()}"[:160]
    instead = sight.followed[0][1].commit if sight.followed else ""
    return CiResult(
        outcome=verdict.outcome,
        headline=f"CI {_adjective(verdict)}: {headline}",
        commit=request.oid,
        pipelines=sight.runs,
        failures=red,
        reasons=(*because, *said.reasons),
        next=(request.command("logs", "--failed"),) if lines_left_out(red, lines) else said.next,
        judged_instead=instead if instead != request.oid else "",
        log_lines=request.log_lines,
    )


def nothing(request: CiRequest, reasons: Sequence[Reason], *, waited: float) -> CiResult:
    """Return the answer for a commit that no run was made for."""
    after = f" after {duration(waited)}" if waited >= 1 else ""
    return CiResult(
        outcome=Outcome.NOTHING,
        headline=f"no pipeline for {request.oid[:12]} ({request.choice.sentence()}){after}",
        commit=request.oid,
        reasons=tuple(reason.sentence for reason in reasons),
        next=tuple(reason.fix for reason in reasons if reason.fix)[:3],
    )


def partly(answer: CiResult, request: CiRequest, silent: Mapping[str, Sequence[Reason]]) -> CiResult:
    """Return a green answer as what it is while a server that should have run the commit did not."""
    names = ", ".join(silent)
    reasons = [f"{name}: {reason.sentence}" for name, found in silent.items() for reason in found]
    fixes = [reason.fix for found in silent.values() for reason in found if reason.fix]
    return replace(
        answer,
        outcome=Outcome.NOTHING,
        headline=f"no run on {names} for {request.oid[:12]}; elsewhere {answer.headline}",
        reasons=(*answer.reasons, *reasons),
        next=(*answer.next, *fixes[:2]),
    )


def unseen(request: CiRequest, *, waited: float, because: Sequence[str] = ()) -> CiResult:
    """Return the answer for a commit whose run may still come."""
    after = f" after {duration(waited)}" if waited >= 1 else ""
    return CiResult(
        outcome=Outcome.PENDING,
        headline=f"no pipeline for {request.oid[:12]} yet{after}",
        commit=request.oid,
        reasons=tuple(because),
        next=(request.command(),),
    )


def _adjective(verdict: Verdict) -> str:
    match verdict.outcome:
        case Outcome.RED:
            return "red"
        case Outcome.DONE:
            return "green"
        case Outcome.NOTHING:
            return "ran nothing"
        case _:
            return verdict.stand.value
