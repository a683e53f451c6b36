"""What a push's output is evidence of. Pure; never the last word: the remote is asked afterwards.

Only git's own report, git's transport errors and ``remote:`` lines are read, each for what it can
prove; a hook's words elsewhere in the output mean nothing. Layer: git adapter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from homelab.git.porcelain import RefLine, parse


class PushClass(StrEnum):
    """What the evidence says. Everything but the clean refusals is settled by asking the remote."""

    CLAIMED = "claimed"
    RACE = "race"
    STUCK_LOCK = "stuck_lock"
    LEASE = "lease"
    PROTECTED = "protected"
    NEEDS_CHECKS = "needs_checks"
    POLICY = "policy"
    REMOTE_CONFIG = "remote_config"
    LOCAL_HOOK = "local_hook"
    AUTH = "auth"
    NETWORK = "network"
    NO_PUSH_OPTIONS = "no_push_options"
    USAGE = "usage"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The class, the words it rests on, and what the server said verbatim."""

    kind: PushClass
    reason: str
    remote_said: tuple[str, ...] = ()


_AUTH = re.compile(
    r"terminal prompts disabled|Authentication failed|Permission denied \(|Host key verification failed"
    r"|could not read (Username|Password)|returned error: 40[13]\b|HTTP 40[13]\b|HTTP Basic: Access denied"
    r"|[Rr]epository not found|repository '[^']*' not found|does not appear to be a git repository"
    r"|Permission to \S+ denied|access denied or repository not exported",
)
_NETWORK = re.compile(
    r"Could not resolve|Connection (refused|timed out|reset|closed)|No route to host|Network is unreachable"
    r"|Operation timed out|returned error: (5\d\d|429)\b|HTTP (5\d\d|429)\b|Couldn't connect|Failed to connect"
    r"|unable to access|early EOF|Temporary failure in name resolution|SSL_ERROR|gnutls_handshake|kex_exchange",
)
_DROPPED = re.compile(r"unexpected disconnect|hung up|RPC failed|send-pack: |remote end|Broken pipe")
_CAS = re.compile(r"is at [0-9a-f]+ but expected [0-9a-f]+|incorrect old value provided")
_STUCK = re.compile(r"Unable to create .*\.lock|reference already exists")
_PROTECTED_REASON = re.compile(
    r"protected branch hook declined|push declined due to repository rule violations|^TF402455|prohibited by Gerrit",
)
_PROTECTED_WORDS = re.compile(
    r"GH006|GH013|Not allowed to push to protected branch|branch \S+ is protected"
    r"|You are not allowed to (force )?push code to (a )?protected branch"
    r"|Permission denied to update branch|Branch restrictions",
)
_CHECKS = re.compile(
    r"required status checks?\b.*\b(expected|is expected|are expected)|status check.*is expected", re.IGNORECASE
)
_SECRETS = re.compile(r"cannot contain secrets|secret scanning|push protection", re.IGNORECASE)
_REMOTE_CONFIG = re.compile(r"branch is currently checked out|shallow update not allowed|deny updating a hidden ref")


def remote_lines(stderr: str) -> tuple[str, ...]:
    """Return what the server said, verbatim, without git's ``remote: `` prefix."""
    lines = [line.rpartition("\r")[2] for line in stderr.split("\n")]
    said = [line.removeprefix("remote:").strip() for line in lines if line.startswith("remote:")]
    return tuple(line for line in said if line)


def classify(
    *, code: int, stdout: str, stderr: str, ref: str, timed_out: bool = False, pre_push_hook: bool = False
) -> Verdict:
    """Return what a push of ``ref`` is evidence of. ``pre_push_hook``: an effective local hook exists."""
    report = parse(stdout)
    said = remote_lines(stderr)
    line = report.about(ref)
    if line is not None:
        return _of_line(line, said)
    if timed_out or code < 0:
        return Verdict(PushClass.UNKNOWN, "the push did not come to an end", said)
    if report.began and report.lines and code == 0:
        elsewhere = ", ".join(line.to for line in report.lines)
        return Verdict(PushClass.CLAIMED, f"the server reports {elsewhere} instead", said)
    own = _own_words(stderr)
    if "does not support push options" in own:
        return Verdict(PushClass.NO_PUSH_OPTIONS, "the server takes no push options", said)
    if not report.began and code == 1 and not report.done and pre_push_hook and not _DROPPED.search(own):
        return Verdict(PushClass.LOCAL_HOOK, "the local pre-push hook declined", said)
    return Verdict(_without_report(own, code), _last_words(own), said)


def transport(stderr: str) -> PushClass:
    """Return why a fetch or ls-remote failed: AUTH, NETWORK or UNKNOWN."""
    own = _own_words(stderr)
    if _AUTH.search(own):
        return PushClass.AUTH
    return PushClass.NETWORK if _NETWORK.search(own) or _DROPPED.search(own) else PushClass.UNKNOWN


def _of_line(line: RefLine, said: tuple[str, ...]) -> Verdict:
    if line.flag in {" ", "*", "+", "="}:
        return Verdict(PushClass.CLAIMED, line.summary, said)
    if line.flag != "!":
        return Verdict(PushClass.UNKNOWN, f"{line.flag} {line.summary}", said)
    reason = line.reason or line.summary
    if line.summary == "[rejected]":
        return Verdict(_rejected(line.reason), reason, said)
    if line.summary == "[remote rejected]":
        return Verdict(_remote_rejected(line.reason, "\n".join(said)), reason, said)
    return Verdict(PushClass.UNKNOWN, f"{line.summary} {line.reason}".strip(), said)


def _rejected(reason: str) -> PushClass:
    if reason in {"fetch first", "non-fast-forward", "needs force"}:
        return PushClass.RACE
    if reason in {"stale info", "remote ref updated since checkout"}:
        return PushClass.LEASE
    return PushClass.UNKNOWN


def _remote_rejected(reason: str, said: str) -> PushClass:
    updating = reason.startswith(("failed to update ref", "cannot lock ref"))
    declined = "declined" in reason
    guarded = bool(_PROTECTED_REASON.search(reason) or (declined and _PROTECTED_WORDS.search(said)))
    rules = (
        (_REMOTE_CONFIG.search(reason), PushClass.REMOTE_CONFIG),
        (_STUCK.search(reason) or (updating and _STUCK.search(said)), PushClass.STUCK_LOCK),
        (_CAS.search(reason) or (updating and _CAS.search(said)), PushClass.RACE),
        (declined and _SECRETS.search(said), PushClass.POLICY),
        (guarded and _CHECKS.search(said), PushClass.NEEDS_CHECKS),
        (guarded, PushClass.PROTECTED),
        (declined, PushClass.POLICY),
    )
    return next((kind for holds, kind in rules if holds), PushClass.UNKNOWN)


def _own_words(stderr: str) -> str:
    """Return stderr without the server's side of it: what git and its transport said."""
    return "\n".join(line for line in stderr.split("\n") if not line.startswith("remote:"))


def _without_report(own: str, code: int) -> PushClass:
    """A push that never reported our ref: refused before it began, or gone silent on the way."""
    if _DROPPED.search(own):
        # The connection broke after it stood: the update may have happened.
        return PushClass.UNKNOWN
    if _AUTH.search(own):
        return PushClass.AUTH
    if _NETWORK.search(own):
        return PushClass.NETWORK
    return (
        PushClass.USAGE
        if code in {128, 129} and re.search(r"^(fatal|usage|error): ", own, re.MULTILINE)
        else PushClass.UNKNOWN
    )


def _last_words(own: str) -> str:
    lines = [line.strip() for line in own.split("\n") if line.strip() and not line.startswith("hint:")]
    return next((line for line in lines if line.startswith("fatal:")), lines[-1] if lines else "git said nothing")
