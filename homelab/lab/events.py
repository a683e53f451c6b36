"""What the lab says while it starts and stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from homelab.events import Event


@dataclass(frozen=True, slots=True)
class PartStarted(Event):
    """A server of the lab answers."""

    kind: ClassVar[str] = "lab.part.started"
    detail: ClassVar[bool] = True
    part: str
    where: str

    @property
    def subject(self) -> str:
        """All parts share the lab's row."""
        return "lab"

    def sentence(self) -> str:
        """Say which part, and where."""
        return f"{self.part} serves {self.where}"


@dataclass(frozen=True, slots=True)
class LabStarted(Event):
    """Every part answers."""

    kind: ClassVar[str] = "lab.folder.started"
    folder: str
    seconds: float

    def sentence(self) -> str:
        """Say where, and how long it took."""
        return f"up in {self.seconds:.1f}s in {self.folder}"


@dataclass(frozen=True, slots=True)
class CommandTyped(Event):
    """The demo runs a command as a user would."""

    kind: ClassVar[str] = "demo.command.typed"
    folder: str
    command: str

    @property
    def subject(self) -> str:
        """A prompt, so that the line can be typed again."""
        return f"demo: {self.folder}"

    def sentence(self) -> str:
        """Return the command as it is typed."""
        return f"$ {self.command}"
