"""Every failure a user can meet, in one tree. Adapters raise only these.

    HomelabError
    ├── UsageError             2   typed or configured wrongly; nothing was done
    │   ├── ConfigError        2   a configuration file, with path, line and key
    │   └── OutputLost         2   stdout took no more: the disk is full
    ├── OurBug                 3   homelab broke a promise of its own
    │   └── TierViolation      3   a reading verb tried to write
    ├── CredentialsError       4
    │   ├── TokenMissing       4   no place we looked in holds a token
    │   ├── TokenRejected      4   a token was sent and is not valid
    │   └── PermissionMissing  4   a valid token without the right
    ├── Unreachable            5   no usable answer within the budget
    │   ├── CertificateRefused 5   TLS: wrong name, expired, unknown authority
    │   ├── WrongService       5   something answered, but not the service: login portal, proxy page
    │   └── HttpStatus         5   the service answered a status its caller gave no meaning to
    ├── PersonNeeded           6   blocked, sealed, paused
    ├── NothingThere           7   repository, commit or workload absent
    ├── StillPending           8   the deadline came first
    ├── GitFailed              10  a git command failed that should not have
    ├── NotLanded              10–17 by its ``outcome``
    ├── LandUnknown            18
    ├── LockBusy               75
    └── Interrupted            129, 130, 143 by signal

Each carries ``what`` happened, ``why``, and ``fix``: the next command to type.
Texts never hold a secret. Layer: vocabulary.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from homelab.outcome import Outcome


class HomelabError(Exception):
    """Base of the tree: ``what`` happened, ``why``, the ``fix`` to type, and evidence lines."""

    default_outcome: ClassVar[Outcome] = Outcome.BUG

    def __init__(
        self, what: str, *, why: str, fix: str, details: tuple[str, ...] = (), outcome: Outcome | None = None
    ) -> None:
        """Keep the three sentences apart so that renderers lay them out, not exceptions."""
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix
        self.details = details
        self.outcome = outcome or self.default_outcome

    def record(self) -> dict[str, object]:
        """Return the error as JSON-ready fields: what, why, fix, details, class, outcome, exit_code."""
        return {
            "class": type(self).__name__,
            "what": self.what,
            "why": self.why,
            "fix": self.fix,
            "details": list(self.details),
            "outcome": self.outcome.word,
            "exit_code": int(self.outcome),
        }


class UsageError(HomelabError):
    """The command line asks for something that cannot be done."""

    default_outcome = Outcome.USAGE


class ConfigError(UsageError):
    """A configuration file says something that cannot be; names the place in it."""

    def __init__(self, path: Path, what: str, *, line: int | None = None, key: str | None = None, allowed: str) -> None:
        """``line`` counts from 1; ``allowed`` says what may stand there."""
        where = f"{path}:{line}" if line else str(path)
        named = f" [{key}]" if key else ""
        super().__init__(
            f"{where}{named}: {what}",
            why=f"allowed here: {allowed}",
            fix=f"edit {path}, then: homelab config show",
        )
        self.path, self.line, self.key = path, line, key


class OutputLost(UsageError):
    """Where stdout was sent to takes no more, so the answer is not whole there."""

    def __init__(self, reason: str) -> None:
        """``reason`` is the system's: no space left on the device, a quota, a limit."""
        super().__init__(
            "the answer could not be written to stdout",
            why=reason,
            fix="make room, or send it elsewhere; then run the same command again",
        )


class OurBug(HomelabError):
    """homelab broke a promise of its own."""

    default_outcome = Outcome.BUG


class TierViolation(OurBug):
    """A verb declared as reading tried to write."""


class CredentialsError(HomelabError):
    """A credential is missing, refused, or lacks a right."""

    default_outcome = Outcome.CREDENTIALS


class TokenMissing(CredentialsError):
    """None of the places looked in holds a token."""


class TokenRejected(CredentialsError):
    """A token was found and the server does not accept it."""


class PermissionMissing(CredentialsError):
    """The token is valid and the right is not there."""


class Unreachable(HomelabError):
    """No usable answer came within the budget."""

    default_outcome = Outcome.UNREACHABLE


class CertificateRefused(Unreachable):
    """The server's certificate does not prove the public name; nothing was sent."""


class WrongService(Unreachable):
    """Something answered at that address, but it is not the service we talk to."""


class HttpStatus(Unreachable):
    """The service answered ``status``; the caller decides what it means."""

    def __init__(
        self,
        what: str,
        *,
        status: int,
        body: str = "",
        why: str,
        fix: str,
        details: tuple[str, ...] = (),
        challenge: str = "",
        retry_after: float | None = None,
    ) -> None:
        """``body`` is at most 256 characters of text, never a parsed object; ``challenge`` is ``WWW-Authenticate``.

        ``retry_after`` is what the service asked for, in seconds.
        """
        super().__init__(what, why=why, fix=fix, details=details)
        self.status = status
        self.body = body[:256]
        self.challenge = challenge
        self.retry_after = retry_after


class PersonNeeded(HomelabError):
    """Nothing moves until a person acts."""

    default_outcome = Outcome.PERSON


class NothingThere(HomelabError):
    """What was asked about does not exist, and waiting will not create it."""

    default_outcome = Outcome.NOTHING


class StillPending(HomelabError):
    """The deadline came before the answer."""

    default_outcome = Outcome.PENDING


class GitFailed(HomelabError):
    """git could not do something it usually can; carries git's own words."""

    default_outcome = Outcome.PRECONDITION


class NotLanded(HomelabError):
    """The target branch did not move because of us; ``outcome`` (10–17) says why."""

    default_outcome = Outcome.PRECONDITION


class LandUnknown(HomelabError):
    """The remote could not be asked whether the push arrived."""

    default_outcome = Outcome.LAND_UNKNOWN


class LockBusy(HomelabError):
    """Another process holds the lock."""

    default_outcome = Outcome.LOCK_BUSY


class Interrupted(HomelabError):
    """A signal ended the command; ``outcome`` is 128 plus its number."""

    default_outcome = Outcome.INTERRUPTED
