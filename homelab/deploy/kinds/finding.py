"""What a kind's rule says about a rollout. Layer: the deploy domain, below the kinds."""

from __future__ import annotations

from dataclasses import dataclass

from homelab.deploy.judgement import Proof, State


@dataclass(frozen=True, slots=True)
class Finding:
    """COMPLETE: finished as far as the kind can tell. PROGRESSING: not yet. The rest as a verdict says it."""

    state: State
    sentence: str
    reason: str = ""
    hint: str = ""
    proof: Proof = Proof.NONE
    #: Seconds after which the same facts would be judged otherwise.
    again: float | None = None
    #: It cannot come undone: needs no hold.
    lasting: bool = False
    #: Nothing moves by plan: no progress says nothing.
    planned: bool = False


def moving(sentence: str, *, again: float | None = None) -> Finding:
    """Say that it is not finished, and why."""
    return Finding(State.PROGRESSING, sentence, again=again)


def held(sentence: str, *, reason: str, hint: str) -> Finding:
    """Say that nothing moves until a person acts."""
    return Finding(State.NEEDS_ACTION, sentence, reason=reason, hint=hint)


def failed(sentence: str, *, reason: str, hint: str = "") -> Finding:
    """Say that it cannot finish without a change."""
    return Finding(State.FAILED, sentence, reason=reason, hint=hint)


def done(sentence: str, proof: Proof) -> Finding:
    """Say that it is finished, and by which proof."""
    return Finding(State.COMPLETE, sentence, proof=proof)
