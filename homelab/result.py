"""What a verb returns: an outcome, one headline, and the answer as lines and as a record.

Layer: vocabulary; renderers lay it out, verbs fill it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from homelab.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of one verb. Subclass it to add fields and override ``lines`` and ``record``."""

    outcome: Outcome
    #: One sentence that is true now; it stands in the last line beside outcome and exit code.
    headline: str

    def lines(self) -> list[str]:
        """Return the answer for a reader: what belongs on stdout, a line each."""
        return []

    def record(self) -> dict[str, Any]:
        """Return the answer as JSON-ready fields, without outcome and exit code."""
        return {}

    def envelope(self) -> dict[str, Any]:
        """Return the record with outcome, exit code and headline: what ``--json`` prints."""
        return {
            "outcome": self.outcome.word,
            "exit_code": int(self.outcome),
            "headline": self.headline,
            **self.record(),
        }
