"""What a CI server says, in our words: frozen records of runs, their parts, and log lines.

Every kind of server is translated into these. Times are Unix seconds, 0 where there is none yet.
Layer: the leaf of the ci domain; imports nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """How a run, a workflow or a step stands. What a server invents later is ``UNKNOWN``, never green."""

    CREATED = "created"
    PENDING = "pending"
    BLOCKED = "blocked"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    KILLED = "killed"
    CANCELED = "canceled"
    DECLINED = "declined"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"

    @classmethod
    def read(cls, word: object) -> State:
        """Return the state a server names; ``UNKNOWN`` for a word we do not know."""
        try:
            return cls(str(word).lower())
        except ValueError:
            return cls.UNKNOWN

    @property
    def finished(self) -> bool:
        """Say whether nothing more happens by itself. An unknown state is not finished."""
        return self in _FINISHED

    @property
    def failing(self) -> bool:
        """Say whether this state keeps a commit from being green."""
        return self in _FAILING


_FAILING = {State.FAILURE, State.ERROR, State.KILLED, State.CANCELED, State.DECLINED}
_FINISHED = _FAILING | {State.SUCCESS, State.SKIPPED}


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a workflow. ``id`` names it in calls, ``pid`` in web addresses."""

    id: int
    name: str
    state: State
    pid: int = 0
    exit_code: int = 0
    started: int = 0
    finished: int = 0
    error: str = ""
    #: ``clone``, ``service``, ``plugin``, ``commands``, ``cache``, ``job`` (a whole job that tells no steps) or "".
    kind: str = ""
    #: Its page, where that is not the run's with ``pid``.
    url: str = ""


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow (Woodpecker) or job (Actions) of a run, with its steps in order."""

    id: int
    name: str
    state: State
    pid: int = 0
    started: int = 0
    finished: int = 0
    error: str = ""
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One run for one commit. ``workflows`` is empty in records taken from a list."""

    number: int
    commit: str
    event: str
    branch: str
    state: State
    url: str
    #: The state in the server's own word, for messages about unknown ones.
    said: str = ""
    #: The configured name of the CI server.
    server: str = ""
    #: Global id: a number may be used again after a filtered run, an id never is.
    id: int = 0
    ref: str = ""
    #: What else tells two runs of one commit and event apart: the cron's name, the workflow file, the deploy target.
    source: str = ""
    created: int = 0
    started: int = 0
    finished: int = 0
    updated: int = 0
    #: The number this run repeats, 0 for none; ``attempt`` counts repeats under one number, from 0.
    parent: int = 0
    attempt: int = 0
    #: Why it was cancelled, where the server says it of this very run: by whom, by which newer run, which failing step.
    cancelled_by: str = ""
    superseded_by: int = 0
    killed_by_step: str = ""
    reviewed_by: str = ""
    author: str = ""
    title: str = ""
    #: How long its like took when green, in seconds; 0 not known.
    usual: int = 0
    #: The server's own complaints (configuration, forge), warnings left out.
    errors: tuple[str, ...] = ()
    workflows: tuple[Workflow, ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """``#12``, as a person says it; what it stands for where it has no number: another CI's status."""
        return f"#{self.number}" if self.number > 0 else self.title or self.source or "a run"

    @property
    def key(self) -> tuple[str, int]:
        """Tell runs of several servers apart."""
        return self.server, self.number

    @property
    def steps(self) -> int:
        """How many steps ran or will run; the clone step is the server's, not the author's."""
        return sum(step.kind != "clone" for workflow in self.workflows for step in workflow.steps)

    @property
    def seconds(self) -> int:
        """How long it ran, once finished; else 0."""
        return max(self.finished - self.started, 0) if self.started and self.finished else 0


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a step's log. ``number`` counts from 0, ``time`` from the step's start in seconds."""

    number: int
    text: str
    time: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What a CI server knows about the repository itself."""

    slug: str
    url: str
    active: bool = True
    default_branch: str = ""
    #: Paths one of which must exist at a commit for a pipeline to be made.
    config_paths: tuple[str, ...] = ()
    #: Which runs wait for approval, in the server's word; "" where it has no such rule.
    approval: str = ""
    #: Whether this token may approve, cancel and restart.
    may_write: bool = False
    #: Seconds after which the server kills a run; 0 unknown.
    timeout: int = 0
    #: Events that the repository's settings leave without a run.
    events_off: tuple[str, ...] = ()
