"""What a wait expects, remembers and concludes.

Frozen records only; times are Unix seconds by our clock. Layer: the deploy domain, just above its model.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from homelab.deploy.model import Counters, Workload
from homelab.deploy.terms import Terms
from homelab.outcome import Outcome
from homelab.settings.model import DeployTarget


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out beside the cluster: a verdict reads it and asks nobody."""

    #: Whether the commit an image names contains the wanted one; None: that cannot be known here.
    contains: Mapping[str, bool | None] = field(default_factory=dict)
    #: By image repository: the digests under which its registry has the wanted version.
    content: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: Until when the answer of a registry is worth waiting for; None: none is to come.
    asking_until: float | None = None
    #: Why no registry said a digest, or "".
    unanswered: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation(Terms):
    """What one target must become."""

    target: DeployTarget
    known: Known = field(default_factory=Known)
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
    #: Of a crash: the kubelet has backed off since then.
    standing: bool = False


@dataclass(frozen=True, slots=True)
class Best:
    """The furthest each number ever was since the spec changed; ``old``: the fewest pods of other revisions."""

    updated: int
    ready: int
    available: int
    old: int

    def with_more(self, count: Counters) -> Best:
        """Return it with what ``count`` has reached."""
        return Best(
            max(self.updated, count.updated),
            max(self.ready, count.ready),
            max(self.available, count.available),
            min(self.old, count.total - count.updated),
        )


@dataclass(frozen=True, slots=True)
class Memory:
    """What the looks before this one leave behind. Starts with the moment the wait began."""

    began: float
    uid: str = ""
    #: When the template first named the wanted image, without a break until now.
    reference_at: float | None = None
    #: When this wait saw the template change; None: it has been the same since the first look.
    changed_at: float | None = None
    #: The template named it at some time during the wait.
    reached: bool = False
    complete_at: float | None = None
    restarts_at_complete: Mapping[tuple[str, str], int] = field(default_factory=dict)
    troubles: Mapping[TroubleKey, Seen] = field(default_factory=dict)
    #: The last message that said why an image cannot be pulled, by (pod uid, container).
    causes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    best: Best | None = None
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

    #: The pods run the very content that was pushed: pinned by its digest, or reported under it.
    DIGEST = "digest"
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
