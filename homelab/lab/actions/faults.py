"""What goes wrong on demand. Off unless the server was started with ``--lab-controls``."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from homelab.lab.woodpecker.faults import TRANSIENT, Passing


@dataclass(slots=True)
class Faults:
    """What goes wrong from now on; ``POST /_lab/faults`` sets some, ``DELETE`` clears all."""

    #: Answer the next requests with these, first to last: see homelab.lab.woodpecker.faults.TRANSIENT.
    transient: list[str] = field(default_factory=list)
    #: Only requests whose path contains this take one of them.
    transient_path: str = "/api/"
    #: Every step carries its job's status, as in Gitea before 1.26.2.
    steps_copy_job: bool = False
    #: Answer a Range with the whole body.
    ignore_range: bool = False
    #: Logs are gone: 404 ``logs have been cleaned up``.
    logs_expired: bool = False
    #: Every token lacks its scope: 403 that names the scope.
    missing_scope: bool = False

    def set(self, values: dict[str, Any]) -> None:
        """Change the named fields. ValueError for one that is none."""
        known = {one.name for one in fields(self)}
        if unknown := set(values) - known:
            raise ValueError(f"unknown faults {sorted(unknown)}; there are {sorted(known)}")
        for name, value in values.items():
            setattr(self, name, value)

    def record(self) -> dict[str, Any]:
        """Return what is set now."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def next_transient(self, path: str) -> Passing | None:
        """Return the answer that this request gets instead of its own, if any."""
        if not self.transient or self.transient_path not in path:
            return None
        return TRANSIENT[self.transient.pop(0)]
