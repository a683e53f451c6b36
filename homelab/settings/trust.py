"""What the owner of this machine approved: one JSON file, written whole or not at all.

An approval is bound to a repository's key and to a command's exact text; its SHA-256 stands beside the text and
must fit. A file that is damaged, or that others could have written, approves nothing: it is an error that names
it. Layer: settings.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from homelab.clock import Clock, SystemClock
from homelab.errors import LockBusy, UsageError
from homelab.whole_file import write_whole

_VERSION = 1
_PATIENCE = 5.0
_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class Approval:
    """One approved command of one repository. ``approved`` is Unix time in seconds."""

    key: str
    command: str
    sha256: str
    approved: float


class TrustStore:
    """The approvals in ``path``; a missing file means none."""

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        """Read nothing yet."""
        self.path = path
        self._clock = clock or SystemClock()

    def approved(self, key: str, command: str) -> bool:
        """Say whether exactly ``command`` is approved for ``key``. Raises UsageError for a damaged file."""
        return any(approval.command == command for approval in self.approvals(key))

    def approvals(self, key: str) -> tuple[Approval, ...]:
        """Return what is approved for ``key``, oldest first. Raises UsageError for a damaged file."""
        return tuple(approval for approval in self.all() if approval.key == key)

    def all(self) -> tuple[Approval, ...]:
        """Return every approval, oldest first. Raises UsageError for a damaged file."""
        try:
            self._refuse_when_others_can_write()
            stored = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._damaged(f"it cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError):
            raise self._damaged("it is not JSON") from None
        return self._parsed(stored)

    def approve(self, key: str, command: str, *, now: float) -> None:
        """Record that ``command`` may run for ``key``; again means a newer time. Raises UsageError, LockBusy."""
        fresh = Approval(key, command, _sha256(command), now)
        with self._locked():
            others = [kept for kept in self.all() if (kept.key, kept.command) != (key, command)]
            self._write([*others, fresh])

    def revoke(self, key: str) -> int:
        """Forget everything approved for ``key``; return how many approvals that were. Raises like ``approve``."""
        with self._locked():
            everything = self.all()
            kept = [approval for approval in everything if approval.key != key]
            if len(kept) != len(everything):
                self._write(kept)
        return len(everything) - len(kept)

    def _parsed(self, stored: Any) -> tuple[Approval, ...]:
        try:
            if stored["version"] != _VERSION:
                raise self._damaged("it was written by another version of homelab")
            approvals = [_approval(record) for record in stored["approvals"]]
        except (KeyError, TypeError, ValueError):
            raise self._damaged("it does not hold approvals") from None
        if any(_sha256(each.command) != each.sha256 for each in approvals):
            raise self._damaged("a command in it does not fit its checksum")
        return tuple(sorted(approvals, key=lambda each: each.approved))

    def _refuse_when_others_can_write(self) -> None:
        status = self.path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise self._damaged("it is not a regular file")
        if status.st_uid not in (os.geteuid(), 0) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise self._damaged("someone else owns it or may write to it")

    def _damaged(self, why: str) -> UsageError:
        return UsageError(
            f"the approvals in {self.path} cannot be used",
            why=f"{why}; nothing is trusted until it is gone",
            fix=f"rm {quote(str(self.path))}, then: homelab trust",
        )

    def _write(self, approvals: list[Approval]) -> None:
        body = json.dumps({"version": _VERSION, "approvals": [asdict(each) for each in approvals]}, indent=1)
        write_whole(self.path, body + "\n", durable=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the file beside ours, so that two commands at once lose no approval and no revocation."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(
                f"the approval cannot be stored in {self.path.parent}",
                why=error.strerror or "the folder cannot be written",
                fix=f"make {self.path.parent} writable, or set XDG_STATE_HOME",
            ) from None
        try:
            self._take(handle)
            yield
        finally:
            os.close(handle)

    def _take(self, handle: int) -> None:
        deadline = self._clock.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._clock.monotonic() >= deadline:
                    raise LockBusy(
                        f"another command holds {self.path}", why="it did not finish within 5 s", fix="run it again"
                    ) from None
                self._clock.sleep(_EVERY)
            else:
                return


def _approval(record: Any) -> Approval:
    key, command, sha256 = (record[name] for name in ("key", "command", "sha256"))
    if not (isinstance(key, str) and isinstance(command, str) and isinstance(sha256, str)):
        raise TypeError
    return Approval(key, command, sha256, float(record["approved"]))


def _sha256(command: str) -> str:
    return hashlib.sha256(command.encode("utf-8", "surrogatepass")).hexdigest()
