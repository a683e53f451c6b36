"""What a Forgejo or Gitea can be asked, kept on disk: its API description is hundreds of kilobytes. Layer: ci.

Kept by server and version, for a day: a rebuilt server may keep its version. A call that the kept
answer promised and the server does not have drops it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from homelab.ci.actions.powers import Powers
from homelab.whole_file import write_whole

#: Seconds that a kept answer serves.
FRESH = 86400


class KeptPowers:
    """The kept answers, a small file each. A file that cannot be read or written is none."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        """``now`` tells Unix time."""
        self._folder, self._now = folder, now

    def load(self, url: str, version: str) -> Powers | None:
        """Return what ``version`` of the server at ``url`` was found to have; None where that is not known."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            raw = json.loads(self._file(url).read_text())
            if raw["version"] == version and 0 <= self._now() - raw["read"] < FRESH:
                return Powers(**raw["powers"])
        return None

    def keep(self, url: str, version: str, powers: Powers) -> None:
        """Keep what a description said. What was only tried is not worth it: it is tried in two small calls."""
        if not powers.tried and version:
            record = {"version": version, "read": self._now(), "powers": asdict(powers)}
            with suppress(OSError):
                write_whole(self._file(url), json.dumps(record))

    def drop(self, url: str) -> None:
        """Forget what was kept of the server."""
        with suppress(OSError):
            self._file(url).unlink(missing_ok=True)

    def _file(self, url: str) -> Path:
        return self._folder / f"powers-{hashlib.sha256(url.encode()).hexdigest()[:16]}.json"
