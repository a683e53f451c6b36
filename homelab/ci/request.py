"""What is asked of CI: a commit, which of its runs, how long, and the command that asks it again.

Pure. Layer: ci.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from homelab.ci.choice import PUSH, Choice
from homelab.ci.model import State

LOG_LINES = 40

#: What may be asked for, as the verbs' choices.
EVENTS = (
    "push",
    "pull_request",
    "pull_request_closed",
    "pull_request_metadata",
    "tag",
    "release",
    "deployment",
    "cron",
    "manual",
    "any",
)
STATES = tuple(state.value for state in State if state is not State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class CiRequest:
    """One question about one commit. Durations are seconds."""

    #: Full object id.
    oid: str
    #: How the commit is named in commands; "" is its first 12 digits, which only a commit that is here answers to.
    rev: str = ""
    choice: Choice = field(default_factory=Choice)
    #: Where the branch was before the push, "" where that is not known: what the push changed lies between.
    base: str = ""
    #: The remote whose tracking branches tell whether the commit was pushed.
    remote: str = "origin"
    timeout: float = 3600.0
    appear_timeout: float = 90.0
    log_lines: int = LOG_LINES
    wait_approval: bool = False
    fail_fast: bool = False
    #: Further words of the command line that asked, for the command that continues it: ``--ci home``.
    flags: tuple[str, ...] = ()
    #: The words of ``ci watch`` alone that asked: ``--timeout 5s``.
    patience: tuple[str, ...] = ()

    def command(self, verb: str = "watch", *extra: str) -> str:
        """Return the command that asks this again as ``ci <verb>``."""
        words = ["homelab", "ci", verb, self.rev or self.oid[:12]]
        if self.choice.event != PUSH:
            words += ["--event", self.choice.event]
        if self.choice.branch:
            words += ["--branch", self.choice.branch]
        if self.choice.number:
            words += ["--pipeline", str(self.choice.number)]
        if verb == "watch":
            words += ["--wait-approval"] * self.wait_approval + ["--fail-fast"] * self.fail_fast
            words += self.patience
        return shlex.join([*words, *self.flags, *extra])
