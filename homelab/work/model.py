"""What landing speaks of: phases, strategies, what was asked for, what was found.

Pure records. Layer: the bottom of the work domain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from homelab.git.redact import redact

_LONGEST = 120


class Phase(StrEnum):
    """Where a land stands. What is stored is the phase that was entered last."""

    PREFLIGHT = "PREFLIGHT"
    FETCH = "FETCH"
    CONFLICT = "CONFLICT"
    VERIFY = "VERIFY"
    PUSH = "PUSH"
    STAGED = "STAGED"
    CI = "CI"
    DEPLOY = "DEPLOY"
    DONE = "DONE"

    @property
    def landed(self) -> bool:
        """Say whether the target branch holds the change in this phase."""
        return self in {Phase.CI, Phase.DEPLOY, Phase.DONE}


class Strategy(StrEnum):
    """How base and branch become one commit."""

    MERGE = "merge"
    REBASE = "rebase"
    SQUASH = "squash"
    FF_ONLY = "ff-only"


@dataclass(frozen=True, slots=True)
class LandRequest:
    """What the command line asks for; None means: as configured."""

    remote: str | None = None
    into: str | None = None
    strategy: str | None = None
    verify: str | None = None
    no_verify: bool = False
    scratch: bool = False
    yes: bool = False
    accept_verify_change: bool = False
    allow_untracked: bool = False
    allow_empty: bool = False
    allow_target: bool = False
    accept_rewind: bool = False
    create_target: bool = False
    rebase_merges: bool = False
    branch_name: str | None = None
    abort_conflict: bool = False
    staged: bool = False
    open_pr: bool = False
    all_push_urls: bool = False
    push_options: tuple[str, ...] = ()
    ci: bool = True
    deploy: bool = True
    resume: bool = False
    attempts: int = 5
    lock_timeout: float | None = None


@dataclass(frozen=True, slots=True)
class VerifyCommand:
    """The command that must pass, and who said so: ``flag``, ``.homelab.toml`` or ``git config``."""

    text: str
    origin: str

    @property
    def shown(self) -> str:
        """Return the text as a sentence holds it: one line, not endless, without secrets."""
        text = " ".join(redact(self.text).split())
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


@dataclass(frozen=True, slots=True)
class Checkout:
    """The worktree a land starts from."""

    root: Path
    git_dir: Path
    common_dir: Path
    #: Short branch name; None when detached.
    branch: str | None
    head: str
    #: What stands between a clean land and this worktree, as ``git status`` names it.
    changed: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    #: Files whose edits git was told not to see.
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a land will do, settled before anything is touched."""

    checkout: Checkout
    remote: str
    #: Full name of the target branch on the remote.
    target: str
    strategy: Strategy
    #: None: the person chose to skip verification.
    command: VerifyCommand | None
    #: Name the branch carries on the remote when it has to be pushed for a pull request.
    branch: str

    @property
    def target_name(self) -> str:
        """The target's short name."""
        return self.target.removeprefix("refs/heads/")


@dataclass(frozen=True, slots=True)
class Verified:
    """A tree that passed a command."""

    tree: str
    command_sha256: str
    #: Unix time, seconds, and where the output went.
    started: float
    seconds: float
    log: str


@dataclass(frozen=True, slots=True)
class LandState:
    """An unfinished land as it is stored. Holds no secret; the URL is without its user part."""

    run: str
    phase: Phase
    remote: str
    push_url: str
    target: str
    branch: str
    strategy: str
    #: The branch's tip before anything was done to it, and its backup ref.
    source: str
    backup: str
    #: Commit of the target this attempt builds on; "" when the target is to be created.
    base: str = ""
    #: The branch's tip after integration, the commit to push, and that commit's tree.
    tip: str = ""
    candidate: str = ""
    tree: str = ""
    verified: tuple[Verified, ...] = ()
    attempts: int = 0
    push: str = ""
    #: The feature branch as we pushed it last: full ref and oid.
    pushed_ref: str = ""
    pushed_oid: str = ""
    landed: str = ""
    ci: str = ""
    deploy: str = ""
    scratch: bool = False
    #: The commit goes to the target only after it was green as a branch; and the one that was.
    staged: bool = False
    green: str = ""
    schema: int = field(default=1)
