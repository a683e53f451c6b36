"""A job's log file, written as the servers' runners do. Sources: act_runner and forgejo-runner internal/pkg/report.

One line is ``2006-01-02T15:04:05.0000000Z text``, cut at 64 KiB, secrets masked; there are no step
boundaries in it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from homelab.lab.actions.words import Kind, Status

MAX_LINE = 1 << 16
_MASK = b"***"
_MIN_SECRET = 3
_RENAMED = {b"::group::": b"##[group]", b"::endgroup::": b"##[endgroup]"}
_DROPPED = (b"::debug", b"::add-mask::")


class JobLog:
    """Appends lines to the file of one attempt; ``count`` is how many there are."""

    def __init__(self, path: Path, kind: Kind, secrets: list[str]) -> None:
        """Begin an empty file."""
        self._file = path.open("wb")
        self._kind = kind
        self._masked = [line.encode() for secret in secrets for line in secret.splitlines() if len(line) > _MIN_SECRET]
        self.count = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def write(self, lines: list[bytes]) -> None:
        """Append what a step printed."""
        for line in lines:
            if line.startswith(b"::add-mask::"):
                self._masked.append(line.removeprefix(b"::add-mask::").strip())
            if not line.startswith(_DROPPED):
                self._append(self._shown(line))
        self._file.flush()

    def say(self, *lines: str) -> None:
        """Append what the runner itself says."""
        for line in lines:
            self._append(line.encode())
        self._file.flush()

    def step_ended(self, name: str, status: Status, code: int, *, ignored: bool, why: str) -> None:
        """Mark the end of a failed step; a good one leaves no mark."""
        if status is Status.SUCCESS:
            return
        mark = why or f"exitcode '{code}': failure"
        text = f"{mark} (but continue-on-error is true)" if ignored else mark
        if self._kind is Kind.GITEA:
            self.say(f"  ❌  Failure - Main {name}", text)
        else:
            self.say(f"⚙️ [runner]: {text}")

    def job_ended(self, name: str, status: Status) -> None:
        """Append the clean-up rows that stand between a failure and the file's end."""
        end = "🏁  Job succeeded" if status is Status.SUCCESS else "🏁  Job failed"
        self.say(f"Cleaning up services for job {name}", f"Cleaning up container for job {name}", end)

    def _shown(self, line: bytes) -> bytes:
        for secret in filter(None, self._masked):
            line = line.replace(secret, _MASK)
        for marker, renamed in _RENAMED.items():
            if line.startswith(marker):
                return renamed + line.removeprefix(marker)
        return line

    def _append(self, line: bytes) -> None:
        moment = datetime.now(UTC)
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond * 10:07d}Z "
        self._file.write(stamp.encode() + line.rstrip(b"\r")[:MAX_LINE] + b"\n")
        self.count += 1
