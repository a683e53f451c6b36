"""The live view on a terminal: what happened scrolls up, what is going on stays below with its time.

Progress on stderr, the answer on stdout. Colour only where the stream is a terminal and NO_COLOR
is unset. Home of rich.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console, Group, RenderableType  # noqa: TID253 -- this module is loaded on a terminal alone
from rich.live import Live  # noqa: TID253 -- likewise
from rich.spinner import Spinner  # noqa: TID253 -- likewise
from rich.table import Table  # noqa: TID253 -- likewise
from rich.text import Text  # noqa: TID253 -- likewise

from homelab.clock import Clock
from homelab.console.clean import clean
from homelab.console.plain import closing, error_lines
from homelab.console.stream import Lines
from homelab.errors import HomelabError
from homelab.events import Event, Heartbeat, ReaderLeft
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.spoken import duration
from homelab.world import World

#: Rows a live view leaves to the shell's own lines.
_MARGIN = 3

#: Columns a subject may take; a terminal of 40 keeps as many for its sentence.
_SUBJECT = 20

_STANDS = {None: "going on", True: "done", False: "failed"}
_MARKS = {True: Text("✓", style="green"), False: Text("✗", style="red")}


@dataclass(slots=True)
class Row:
    """One thing: its latest sentence, when it was first heard of and when it ended (monotonic seconds)."""

    sentence: str
    since: float
    ended: bool | None = None
    until: float | None = None


@dataclass
class Board:
    """The rows of the live view; rendered anew at each refresh.

    Kept in the order of their last change, which decides who stays; shown in the order they were first heard of,
    so that no row jumps about under a reader's eye.
    """

    clock: Clock
    height: int
    rows: dict[str, Row] = field(default_factory=dict)
    spinner: Spinner = field(default_factory=lambda: Spinner("dots"))

    def hear(self, event: Event) -> None:
        """Put the event's sentence on its subject's row."""
        row = self.rows.pop(event.subject, None)
        since = row.since if row else self.clock.monotonic()
        until = None if event.ended is None else self.clock.monotonic()
        self.rows[event.subject] = Row(clean(event.sentence()), since, event.ended, until)

    def __rich__(self) -> RenderableType:
        """Lay the rows out in the height there is: the newest stay, the rest are counted."""
        room = max(self.height - _MARGIN, 1)
        # What still goes on is what a person waits for: it keeps its place when the rest must go.
        kept = sorted(self.rows.items(), key=lambda row: row[1].ended is None)
        hidden, shown = kept[:-room], sorted(kept[-room:], key=lambda row: row[1].since)
        # Where the width does not suffice rich narrows the columns that may wrap, and those alone: the sentence.
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1, no_wrap=True)
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        table.add_column(justify="right", style="dim", no_wrap=True)
        now = self.clock.monotonic()
        for subject, row in shown:
            mark = self.spinner if row.ended is None else _MARKS[row.ended]
            sentence = Text(row.sentence, no_wrap=True, overflow="ellipsis")
            table.add_row(mark, Text(_short(subject)), sentence, duration((row.until or now) - row.since))
        return Group(table, Text(_more([row for _, row in hidden]), style="dim")) if hidden else table


def _more(hidden: list[Row]) -> str:
    """Say how many rows are not shown, and how they stand."""
    counts = [(sum(row.ended is ended for row in hidden), word) for ended, word in _STANDS.items()]
    return f"and {len(hidden)} more: " + ", ".join(f"{count} {word}" for count, word in counts if count)


def _short(subject: str) -> str:
    """Return the subject, the middle of a long one left out: which step it is stands at its end."""
    text = clean(subject)
    return text if len(text) <= _SUBJECT else f"{text[: _SUBJECT // 3]}…{text[-(_SUBJECT - _SUBJECT // 3 - 1) :]}"


def style_of(outcome: Outcome) -> str:
    """Return the colour of an outcome: green when done, yellow where time or a person decides, else red."""
    if outcome is Outcome.DONE:
        return "bold green"
    waiting = {Outcome.PERSON, Outcome.PENDING, Outcome.NOTHING, Outcome.SUPERSEDED, Outcome.LOCK_BUSY}
    return "bold yellow" if outcome in waiting else "bold red"


class Human:
    """The renderer for a person at a terminal."""

    def __init__(self, world: World) -> None:
        """Take the terminal only once the first event comes."""
        self._err = self._console(world, world.stderr)
        # The answer needs no styles, and may be a hundred thousand lines.
        self._lines = Lines(world.stdout, answer=True)
        self._board = Board(world.clock, self._err.height)
        self._live: Live | None = None
        self._lock = threading.Lock()

    @staticmethod
    def _console(world: World, stream: TextIO) -> Console:
        return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True, _environ=world.env)

    def event(self, event: Event) -> None:
        """Update the event's row; what is not a detail also scrolls up and stays. Data goes to stdout.

        A sign of life is for logs: the rows' own clocks tick here. Raises ReaderLeft when nobody reads the data
        any more.
        """
        if isinstance(event, Heartbeat) and self._board.rows:
            return
        if event.data:
            self.close()
            self._lines.write(clean(event.sentence()))
            if self._lines.gone:
                raise ReaderLeft
            return
        with self._lock:
            self._board.height = self._err.height  # the window may have been resized
            self._board.hear(event)
            if self._live is None:
                self._live = Live(self._board, console=self._err, transient=True, refresh_per_second=8)
                self._live.start()
            if not event.detail:
                self._err.print(Text.assemble((clean(event.subject), "bold"), " ", clean(event.sentence())))

    def result(self, result: Result) -> None:
        """Leave the live view, print the answer and the closing line."""
        self.close()
        for line in result.lines():
            self._lines.write(clean(line))
        self._close_with(result.outcome, result.headline)

    def error(self, error: HomelabError) -> None:
        """Leave the live view, print what, why and the command to type next."""
        self.close()
        styles = {"error": "bold red", "next": "bold"}
        for line in error_lines(error):
            self._err.print(Text(clean(line), style=styles.get(line.partition(":")[0], "")))
        self._close_with(error.outcome, "")

    def _close_with(self, outcome: Outcome, headline: str) -> None:
        self._err.print(Text(closing(outcome.word, outcome, headline), style=style_of(outcome)))

    def close(self) -> None:
        """Erase the live view and give the cursor back."""
        with self._lock:
            if self._live is not None:
                self._live.stop()
                self._live = None
