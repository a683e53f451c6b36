"""What ``work land`` answers: first whether the target branch moved, then the rest.

Layer: work domain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from homelab.errors import HomelabError
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.work.events import short
from homelab.work.model import LandState, Phase

Moved = Literal[True, False, "unknown"]

_RETRYABLE = {Outcome.PUSH_NETWORK, Outcome.RACE_LOST, Outcome.LAND_UNKNOWN, Outcome.LOCK_BUSY, Outcome.CI_UNSEEN}


@dataclass(frozen=True, slots=True)
class Part:
    """What a wait after landing answered: one sentence, and its evidence when it is not good."""

    headline: str
    outcome: Outcome
    lines: tuple[str, ...] = ()
    record: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LandResult(Result):
    """The answer of ``work land``; see :meth:`lines` for its first sentence."""

    landed: Moved = False
    phase: Phase = Phase.PREFLIGHT
    #: What kind of end it was: ``landed``, ``nothing``, ``already``, ``conflict``, ``ci_red``, …
    kind: str = ""
    state: LandState | None = None
    #: Short name of the target branch; "" while it is not known.
    target: str = ""
    landed_oid: str = ""
    was: str = ""
    why: str = ""
    details: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    ci: Part | None = None
    deploy: Part | None = None

    def lines(self) -> list[str]:
        """Return first whether the target moved, then why, the evidence, and what to type next."""
        lines = [self.first()]
        lines += [f"why: {self.why}"] if self.why else []
        lines += [f"  {detail}" for detail in self.details]
        for name, part in (("ci", self.ci), ("deploy", self.deploy)):
            if part is not None:
                lines += [f"{name}: {part.headline}", *(f"  {line}" for line in part.lines)]
        return [*lines, *(f"next: {command}" for command in self.next)]

    @property
    def _hopeless(self) -> bool:
        """Say whether CI answered that no run will come for this commit."""
        return self.ci is not None and self.ci.outcome is Outcome.NOTHING

    def first(self) -> str:
        """Say in one line whether the target branch moved."""
        if self.landed is True:
            where = f"LANDED {short(self.landed_oid)} on {self.target}"
            return f"{where} (was {short(self.was)})" if self.was else f"{where} before; nothing moved now"
        return f"{'UNKNOWN' if self.landed == 'unknown' else 'NOT LANDED'}: {self.headline}"

    def record(self) -> dict[str, Any]:
        """Return the same facts for a program."""
        state = self.state
        return {
            "schema": 1,
            "landed": self.landed,
            "phase": self.phase.value,
            "class": self.kind,
            "exit": int(self.outcome),
            "retryable": self.outcome in _RETRYABLE and not self._hopeless,
            "target": f"refs/heads/{self.target}" if self.target else "",
            "base": state.base if state else self.was,
            "source": state.source if state else "",
            "landed_oid": self.landed_oid,
            "tree": state.tree if state else "",
            "strategy": state.strategy if state else "",
            "attempts": state.attempts if state else 0,
            "verified": _verified(state),
            "why": self.why,
            "details": list(self.details),
            "ci": _part(self.ci),
            "deploy": _part(self.deploy),
            "next": list(self.next),
        }


def _verified(state: LandState | None) -> dict[str, Any] | None:
    found = next((one for one in reversed(state.verified) if one.tree == state.tree), None) if state else None
    return {"seconds": found.seconds, "log": found.log, "tree": found.tree} if found else None


def _part(part: Part | None) -> dict[str, Any] | None:
    if part is None:
        return None
    return {"outcome": part.outcome.word, "headline": part.headline, **part.record}


def failure(error: HomelabError, *, phase: Phase, state: LandState | None, target: str) -> LandResult:
    """Return the answer for a land that ended before the target is known to hold the change."""
    unknown = error.outcome is Outcome.LAND_UNKNOWN
    return LandResult(
        outcome=error.outcome,
        headline=error.what,
        landed="unknown" if unknown else False,
        phase=phase,
        kind=error.outcome.name.lower(),
        state=state,
        target=target,
        why=error.why,
        details=error.details,
        next=(error.fix,),
    )
