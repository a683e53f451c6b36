"""What landing tells while it goes on. Layer: work domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from homelab.events import Event

SHORT = 12


def short(oid: str) -> str:
    """Return an oid as a sentence holds it."""
    return oid[:SHORT] if oid else "nothing"


@dataclass(frozen=True, slots=True)
class BaseFetched(Event):
    """The target's commit this attempt builds on is here."""

    kind: ClassVar[str] = "work.base.fetched"
    detail: ClassVar[bool] = True
    target: str
    base: str

    def sentence(self) -> str:
        """Name target and commit."""
        return f"{self.target} is at {short(self.base)}"


@dataclass(frozen=True, slots=True)
class BranchIntegrated(Event):
    """Base and branch are one commit now."""

    kind: ClassVar[str] = "work.branch.integrated"
    detail: ClassVar[bool] = True
    strategy: str
    base: str
    source: str
    candidate: str
    tree: str

    def sentence(self) -> str:
        """Name the commit to be pushed."""
        return f"{self.strategy}: {short(self.candidate)} to land"


@dataclass(frozen=True, slots=True)
class VerifyStarted(Event):
    """The verification command runs."""

    kind: ClassVar[str] = "work.verify.started"
    detail: ClassVar[bool] = True
    command: str
    origin: str
    log: str

    @property
    def subject(self) -> str:
        """Its own row."""
        return "verify"

    def sentence(self) -> str:
        """Quote the command."""
        return f"running {self.command}"


@dataclass(frozen=True, slots=True)
class VerifySaid(Event):
    """The newest line of the verification's output; not every line is told."""

    kind: ClassVar[str] = "work.verify.said"
    detail: ClassVar[bool] = True
    line: str

    @property
    def subject(self) -> str:
        """Its own row."""
        return "verify"

    def sentence(self) -> str:
        """Return the line."""
        return self.line


@dataclass(frozen=True, slots=True)
class Verified(Event):
    """The tree passed."""

    kind: ClassVar[str] = "work.verify.passed"
    command: str
    tree: str
    seconds: float
    #: True: this tree had passed this command before.
    before: bool = False

    @property
    def subject(self) -> str:
        """Its own row."""
        return "verify"

    @property
    def ended(self) -> bool | None:
        """It is over, and well."""
        return True

    def sentence(self) -> str:
        """Say how long it took."""
        return "passed before, same tree" if self.before else f"passed in {self.seconds:.0f}s"


@dataclass(frozen=True, slots=True)
class VerifySkipped(Event):
    """The person chose to land unverified."""

    kind: ClassVar[str] = "work.verify.skipped"
    tree: str

    @property
    def subject(self) -> str:
        """Its own row."""
        return "verify"

    def sentence(self) -> str:
        """Say it plainly."""
        return "SKIPPED by --no-verify-land"


@dataclass(frozen=True, slots=True)
class PushStarted(Event):
    """The verified commit is on its way."""

    kind: ClassVar[str] = "work.push.started"
    detail: ClassVar[bool] = True
    target: str
    candidate: str
    url: str

    def sentence(self) -> str:
        """Name commit and place."""
        return f"pushing {short(self.candidate)} to {self.target} at {self.url}"


@dataclass(frozen=True, slots=True)
class PushJudged(Event):
    """What the push's own output is evidence of."""

    kind: ClassVar[str] = "work.push.judged"
    detail: ClassVar[bool] = True
    verdict: str
    reason: str

    def sentence(self) -> str:
        """Say it with git's reason."""
        return f"git says {self.verdict}: {self.reason}"


@dataclass(frozen=True, slots=True)
class RaceLost(Event):
    """Someone landed first; integrate again."""

    kind: ClassVar[str] = "work.race.lost"
    attempt: int
    attempts: int
    base: str
    tip: str
    by: tuple[str, ...]

    def sentence(self) -> str:
        """Say who, and which attempt this was."""
        who = f" by {', '.join(self.by)}" if self.by else ""
        return f"attempt {self.attempt}/{self.attempts}: the target moved{who}; integrating again"


@dataclass(frozen=True, slots=True)
class NetworkRetried(Event):
    """The server could not be reached; trying again."""

    kind: ClassVar[str] = "work.network.retried"
    what: str
    why: str
    attempt: int
    pause: float

    def sentence(self) -> str:
        """Say what failed and when the next try is."""
        return f"{self.what} failed ({self.why}); again in {self.pause:.0f}s"


@dataclass(frozen=True, slots=True)
class Landed(Event):
    """The remote shows the commit in the target branch."""

    kind: ClassVar[str] = "work.commit.landed"
    target: str
    landed: str
    base: str
    #: True: it had landed before this command.
    before: bool = False

    @property
    def ended(self) -> bool | None:
        """It is over, and well."""
        return True

    def sentence(self) -> str:
        """Say where the target is now."""
        return f"LANDED {short(self.landed)} on {self.target}" + (" before" if self.before else "")


@dataclass(frozen=True, slots=True)
class BranchPushed(Event):
    """The branch stands on the remote for a pull request."""

    kind: ClassVar[str] = "work.branch.pushed"
    ref: str
    oid: str

    def sentence(self) -> str:
        """Name the branch."""
        return f"pushed {short(self.oid)} as {self.ref.removeprefix('refs/heads/')}"
