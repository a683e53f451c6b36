"""The words a pipeline's life is told in, and how many states become one.

Pure functions only. Sources: woodpecker server/model/const.go, server/pipeline/status.go,
server/pipeline/workflow_status.go, server/pipeline/pipeline_status.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum, unique


@unique
class State(StrEnum):
    """The state of a pipeline, a workflow or a step. Not every state is used on every level."""

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


@unique
class Trigger(StrEnum):
    """What made a pipeline: the ``event`` field."""

    PUSH = "push"
    PULL_REQUEST = "pull_request"
    PULL_REQUEST_CLOSED = "pull_request_closed"
    PULL_REQUEST_METADATA = "pull_request_metadata"
    TAG = "tag"
    RELEASE = "release"
    DEPLOYMENT = "deployment"
    CRON = "cron"
    MANUAL = "manual"

    @property
    def is_pull(self) -> bool:
        """True for the three pull request events."""
        return self.value.startswith(Trigger.PULL_REQUEST.value)


#: Still moving, or about to.
UNDER_WAY = frozenset({State.PENDING, State.RUNNING})
#: What ``cancel`` accepts.
CANCELABLE = UNDER_WAY | {State.BLOCKED}
#: What counts as failing when a workflow's steps are merged.
FAILING = frozenset({State.FAILURE, State.ERROR, State.KILLED})

_STRONGEST_FIRST = (
    State.DECLINED,
    State.BLOCKED,
    State.CREATED,
    State.ERROR,
    State.KILLED,
    State.CANCELED,
    State.RUNNING,
    State.PENDING,
    State.FAILURE,
    State.SUCCESS,
    State.SKIPPED,
)


def merge(one: State, other: State) -> State:
    """Return the stronger of two; canceled beside anything else counts as killed."""
    if one is other is State.CANCELED:
        return one
    pair = [State.KILLED if state is State.CANCELED else state for state in (one, other)]
    return min(pair, key=_STRONGEST_FIRST.index)


def of_workflows(states: Iterable[State]) -> State:
    """Return a pipeline's state from those of its workflows, started from success as upstream does."""
    result = State.SUCCESS
    for state in states:
        result = merge(result, state)
    return result


def of_steps(steps: Iterable[tuple[State, bool]]) -> State:
    """Return a workflow's state from ``(state, failure is ignored)`` of its steps."""
    return of_workflows(state for state, ignored in steps if not (ignored and state in FAILING))
