"""The event stream: frozen records of what happened, and the callable they go down.

The core emits; renderers listen; neither knows the other. Each domain declares its own
events beside its code, as subclasses of :class:`Event`. Fields are only ever added: the
ndjson renderer prints them as they are. No field ever holds a secret.
Layer: vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``kind`` is ``domain.noun.past-verb``."""

    kind: ClassVar[str] = ""
    #: True where a reader of a log does not need it: shown live and in ndjson, not in plain.
    detail: ClassVar[bool] = False
    #: True where the event is a piece of the answer itself, a log line: its sentence alone goes to stdout.
    data: ClassVar[bool] = False

    @property
    def subject(self) -> str:
        """Name the thing it is about: the row it updates in a live view."""
        return self.kind.split(".", 1)[0]

    @property
    def ended(self) -> bool | None:
        """True: its subject is over and well; False: over and not well; None: it goes on."""
        return None

    def sentence(self) -> str:
        """Say it in one plain line, without colour and without the subject."""
        raise NotImplementedError

    def record(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


Emit = Callable[[Event], None]


class ReaderLeft(BaseException):
    """Whoever read the answer has gone (``| head``): there is nobody to read further data to.

    Raised where an event with ``data`` is shown. No failure, so no Exception: nothing rides it out;
    the boundary ends the verb with 0.
    """


@dataclass(frozen=True, slots=True)
class Heartbeat(Event):
    """Still waiting. At most one a minute, so that a log shows life."""

    kind: ClassVar[str] = "wait.heartbeat.sent"
    waiting_for: str
    elapsed: float

    @property
    def subject(self) -> str:
        """The thing waited for keeps its own row."""
        return self.waiting_for

    def sentence(self) -> str:
        """Say what is waited for, and for how long already."""
        return f"still waiting, {self.elapsed:.0f}s"


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """A sentence worth reading that belongs to no state change: a warning, a hint."""

    kind: ClassVar[str] = "notice.sentence.said"
    about: str
    text: str

    @property
    def subject(self) -> str:
        """The thing the sentence is about."""
        return self.about

    def sentence(self) -> str:
        """Return the text itself."""
        return self.text
