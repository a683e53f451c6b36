"""What ``deploy wait`` is asked, and what it answers. Layer: the deploy domain, above its model."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from homelab.deploy.judgement import Expectation, Proof, State
from homelab.deploy.terms import Terms
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.settings.model import DeployTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRequest(Terms):
    """Targets, the version they must run, and how long that may take (seconds)."""

    targets: tuple[DeployTarget, ...]
    #: Of a CronJob: its next run must do its work too.
    run: bool = False
    #: The kubeconfig context that was typed, and the options, to name the same command again.
    context: str | None = None
    options: tuple[str, ...] = ()

    def expectation(self, target: DeployTarget) -> Expectation:
        """Return what one target must become."""
        terms: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(Terms)}
        command = ("homelab", "deploy", "wait", self._typed(target), *self.options)
        return Expectation(target=target, command=command, **terms)

    def _typed(self, target: DeployTarget) -> str:
        """Return the target as it is typed."""
        slug = target.slug if target.kind == "deployment" else f"{target.namespace}/{target.kind}/{target.name}"
        return f"{slug}@{self.context}" if self.context else slug

    @property
    def longest(self) -> float:
        """Return the seconds after which the wait is over, the hold of a finished rollout included."""
        budget = max(self.timeout, self.reference_timeout) if self.overall else self.timeout + self.reference_timeout
        return budget + self.stable_for


@dataclass(frozen=True, slots=True)
class TargetResult:
    """How one target stands at the end of the wait."""

    target: str
    kind: str
    cluster: str
    state: State
    outcome: Outcome
    sentence: str
    reason: str
    proof: Proof
    #: Proofs that RBAC denied.
    skipped: tuple[str, ...]
    wanted: str
    #: Container name to live image.
    live: dict[str, str]
    revision: str
    hint: str
    evidence: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        return {
            "target": self.target,
            "kind": self.kind,
            "cluster": self.cluster,
            "state": self.state.value,
            "outcome": self.outcome.word,
            "exit_code": int(self.outcome),
            "sentence": self.sentence,
            "reason": self.reason,
            "proof": self.proof.value,
            "skipped": list(self.skipped),
            "wanted": self.wanted,
            "live": self.live,
            "revision": self.revision,
            "hint": self.hint,
            "evidence": list(self.evidence),
        }


#: What several targets come to, worst first; done only when all are.
WORST_FIRST = (
    Outcome.RED,
    Outcome.USAGE,
    Outcome.CREDENTIALS,
    Outcome.UNREACHABLE,
    Outcome.NOTHING,
    Outcome.PERSON,
    Outcome.SUPERSEDED,
    Outcome.PENDING,
    Outcome.DONE,
)


@dataclass(frozen=True, slots=True)
class DeployResult(Result):
    """The answer of a wait: every target, worst outcome first in the headline."""

    targets: tuple[TargetResult, ...] = ()

    def lines(self) -> list[str]:
        """Return the evidence of every target that is not done; nothing for a green wait."""
        return [line for target in self.targets if target.outcome is not Outcome.DONE for line in target.evidence]

    def record(self) -> dict[str, Any]:
        """Return all targets."""
        return {"targets": [target.record() for target in self.targets]}


def folded(targets: tuple[TargetResult, ...]) -> DeployResult:
    """Fold the targets into one answer."""
    worst = min(targets, key=lambda target: WORST_FIRST.index(target.outcome))
    headline = f"{worst.target}: {worst.sentence}"
    if len(targets) > 1:
        done = sum(target.outcome is Outcome.DONE for target in targets)
        headline = f"{done}/{len(targets)} targets done" + ("" if done == len(targets) else f"; {headline}")
    return DeployResult(worst.outcome, headline, targets=targets)
