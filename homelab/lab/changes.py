"""The demo's three changes: one that is fine, one only CI can refuse, one only the cluster can. Pure.

Each is an edit a person could have made: text in a file replaced by other text.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Change:
    """One edit of the sample application, with the branch and the message it is committed under."""

    topic: str
    message: str
    path: str
    before: str
    after: str

    def apply(self, root: Path) -> None:
        """Make the edit in the checkout at ``root``."""
        file = root / self.path
        text = file.read_text(encoding="utf-8")
        if self.before not in text:
            raise ValueError(f"{self.path} no longer holds {self.before!r}")
        file.write_text(text.replace(self.before, self.after), encoding="utf-8")


CHANGES = {
    "": Change("louder", "Greet louder", "hello.py", 'GREETING = "hello"', 'GREETING = "HELLO"'),
    # The unit tests never ask /healthz; the smoke test that CI alone runs does.
    "ci": Change("plain-health", "Rename the health check", "hello.py", '"/healthz"', '"/health"'),
    # The pipeline pushes one tag and deploys another, which nobody has pushed.
    "deploy": Change(
        "slim-image",
        "Deploy the slim image",
        ".woodpecker.yaml",
        "hello=registry.homelab.test/demo/hello:$CI_COMMIT_SHA",
        "hello=registry.homelab.test/demo/hello:$CI_COMMIT_SHA-slim",
    ),
}
