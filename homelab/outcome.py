"""The one table of outcomes: every verb's exit code, its word and its meaning.

README, ``--help`` and every renderer read this table; nothing else spells a code.
Layer: vocabulary; imports nothing of ours.
"""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Self


@unique
class Outcome(IntEnum):
    """An exit code with the word a person reads and the sentence that explains it."""

    word: str
    meaning: str

    def __new__(cls, code: int, word: str, meaning: str) -> Self:
        """Carry ``word`` and ``meaning`` on the integer member."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.word = word
        member.meaning = meaning
        return member

    @classmethod
    def of(cls, code: int) -> Outcome:
        """Return the outcome a homelab command ended with. ValueError for a code that is none of ours."""
        for outcome in cls:
            if outcome == code:
                return outcome
        raise ValueError(code)

    DONE = 0, "done", "green, rolled out, landed, or nothing to do"
    RED = 1, "red", "looked, and it is red: CI failed, or the rollout failed"
    USAGE = 2, "usage", "the command line or a configuration file is wrong; nothing was done"
    BUG = 3, "bug", "homelab itself failed; the named log has the details"
    CREDENTIALS = 4, "credentials", "a token or a permission is missing, expired or refused"
    UNREACHABLE = 5, "unreachable", "a server could not be reached or trusted after retries"
    PERSON = 6, "needs a person", "blocked, paused, sealed or held back: a person must act"
    NOTHING = 7, "nothing there", "no pipeline will come, no such workload, or it never named the image"
    PENDING = 8, "pending", "still going at the deadline; the same command continues"
    SUPERSEDED = 9, "superseded", "cancelled, or replaced by something newer"
    PRECONDITION = 10, "not landed: precondition", "dirty tree, detached HEAD, an open merge, a missing target"
    CONFLICT = 11, "not landed: conflict", "the branch conflicts with the target; resolve and run again"
    VERIFY_FAILED = 12, "not landed: verify failed", "the verification command failed or changed the tree"
    PROTECTED = 13, "not landed: protected", "the target is protected; the branch was pushed for a pull request"
    PUSH_DENIED = 14, "not landed: denied", "the git server refused the credentials or the permission"
    PUSH_NETWORK = 15, "not landed: network", "the git server could not be reached; run again"
    PUSH_POLICY = 16, "not landed: policy", "a hook or a policy declined the push"
    RACE_LOST = 17, "not landed: race", "others kept landing first; run again"
    LAND_UNKNOWN = 18, "unknown", "the push may or may not have landed; run again, it asks first"
    CI_RED = 20, "landed, CI red", "the commit is on the target and its CI failed"
    CI_UNSEEN = 21, "landed, CI not seen", "the commit is on the target; its CI verdict is not known"
    DEPLOY_FAILED = 22, "landed, deploy failed", "the commit is on the target, CI is green, the rollout failed"
    DEPLOY_UNSEEN = 23, "landed, deploy not seen", "the commit is on the target, CI is green, the rollout is not proven"
    LOCK_BUSY = 75, "lock busy", "another land of this target is under way; run again"
    HUNG_UP = 129, "hung up", "ended by SIGHUP"
    INTERRUPTED = 130, "interrupted", "ended by Ctrl-C (SIGINT)"
    TERMINATED = 143, "terminated", "ended by SIGTERM"
