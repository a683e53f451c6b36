"""What a wait expects, remembers and concludes.

Frozen records only; times are Unix seconds by our clock. Layer: the deploy domain, just above its model.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from homelab.deploy.model import Counters, Workload
from homelab.deploy.reference import Wanted
from homelab.outcome import Outcome
from homelab.settings.model import DeployTarget


class Patience(StrEnum):
    """How soon a pod that cannot start ends the wait."""

    NORMAL = "normal"
    #: Only the deadline.
    PATIENT = "patient"
    #: At the first sign.
    NONE = "fail-fast"


def nothing_newer(_image: str) -> bool:
    """Know of no image that contains the wanted commit."""
    return False


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one target must become, and how long that may take (seconds)."""

    target: DeployTarget
    wanted: Wanted
    reference_timeout: float = 300.0
    timeout: float = 900.0
    stable_for: float = 10.0
    allow_zero: bool = False
    newer_ok: bool = False
    wait_old_gone: bool = False
    allow_partial: bool = False
    ignore_unready_nodes: bool = False
    refresh: bool = False
    patience: Patience = Patience.NORMAL
    #: Whether an image names a commit that contains the wanted one.
    newer: Callable[[str], bool] = nothing_newer
    #: ``timeout`` counts from the begin of the wait instead of the template's change.
    overall: bool = False
    #: The words that ask for this target again.
    command: tuple[str, ...] = ()

    def again(self, *more: str) -> str:
        """Return the command that asks for this target again, with an option more or another value for one."""
        words = list(self.command)
        if more[:1] and more[0] in words:
            at = words.index(more[0])
            del words[at : at + len(more)]
        return shlex.join([*words, *more])

    def deadline(self, memory: Memory, now: float) -> float:
        """Return when the rollout must have finished."""
        started = memory.reference_at if memory.reference_at is not None else now
        return (memory.began if self.overall else started) + self.timeout


#: (pod uid, container, class) of a trouble whose clock runs.
TroubleKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """When a trouble was first seen, and how many restarts did not count."""

    since: float
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """What the looks before this one leave behind. Starts with the moment the wait began."""

    began: float
    uid: str = ""
    #: When the template first named the wanted image, without a break until now.
    reference_at: float | None = None
    #: The template named it at some time during the wait.
    reached: bool = False
    complete_at: float | None = None
    restarts_at_complete: Mapping[tuple[str, str], int] = field(default_factory=dict)
    troubles: Mapping[TroubleKey, Seen] = field(default_factory=dict)
    #: The last message that said why an image cannot be pulled, by (pod uid, container).
    causes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    counters: Counters | None = None
    stages: Mapping[str, int] = field(default_factory=dict)
    progress_at: float = 0.0
    #: Since when a named fact stands: ``absent``, ``unobserved``, ``deadline``, …
    standing: Mapping[str, float] = field(default_factory=dict)
    #: The workload as it was seen last.
    last: Workload | None = None


class State(StrEnum):
    """What a verdict says."""

    REFERENCE = "waiting for the image"
    PROGRESSING = "progressing"
    HOLDING = "holding"
    COMPLETE = "complete"
    COMPLETE_EMPTY = "complete-empty"
    FAILED = "failed"
    ABSENT = "absent"
    REFERENCE_TIMEOUT = "ref-timeout"
    TIMEOUT = "timeout"
    NEEDS_ACTION = "needs-action"
    SUPERSEDED = "superseded"
    AMBIGUOUS = "ambiguous"

    @property
    def final(self) -> bool:
        """Say whether waiting longer cannot change it."""
        return self not in (State.REFERENCE, State.PROGRESSING, State.HOLDING)


OUTCOMES: Mapping[State, Outcome] = {
    State.COMPLETE: Outcome.DONE,
    State.COMPLETE_EMPTY: Outcome.PERSON,
    State.FAILED: Outcome.RED,
    State.ABSENT: Outcome.NOTHING,
    State.REFERENCE_TIMEOUT: Outcome.NOTHING,
    State.TIMEOUT: Outcome.PENDING,
    State.NEEDS_ACTION: Outcome.PERSON,
    State.SUPERSEDED: Outcome.SUPERSEDED,
    State.AMBIGUOUS: Outcome.USAGE,
    State.REFERENCE: Outcome.PENDING,
    State.PROGRESSING: Outcome.PENDING,
    State.HOLDING: Outcome.PENDING,
}


class Proof(StrEnum):
    """How completion was proven, strongest first."""

    PODS = "pods"
    REVISION = "replicaset"
    COUNTERS = "counters"
    #: The word of a GitOps object that lists no workload.
    OBJECT = "object"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One sign that a pod (or the making of pods) is stuck, and whether its grace is over."""

    kind: str
    pod: str
    container: str
    init: bool
    reason: str
    message: str
    image: str
    since: float
    restarts: int
    doomed: bool
    #: Seconds until its grace is over; None: it never dooms.
    left: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The conclusion from one snapshot."""

    state: State
    #: One short sentence that is true now.
    sentence: str
    #: A class of trouble or a word for why, "" when there is nothing to say.
    reason: str = ""
    proof: Proof = Proof.NONE
    #: The next command or act, for a person.
    hint: str = ""
    troubles: tuple[Trouble, ...] = ()
    #: Seconds after which the same snapshot would give another verdict.
    again: float | None = None
    outcome: Outcome = Outcome.PENDING

    def sooner(self) -> Verdict:
        """Return it with ``again`` no later than the end of any trouble's grace."""
        graces = [trouble.left for trouble in self.troubles if trouble.left is not None and trouble.left > 0]
        if self.again is None or not graces:
            return self
        return replace(self, again=min(self.again, *graces))
