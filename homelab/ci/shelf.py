"""Log lines put in order as they come, in bounded memory: what is early waits on a shelf, beyond it on disk.

Servers send lines out of order and twice; a log of hundreds of megabytes does not fit into memory.
Layer: ci; writes one temporary file at most, gone with the object.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from homelab.ci.model import LogLine

#: Characters of early lines held in memory before they go to disk.
HELD = 4 * 1024 * 1024


class Shelf:
    """Takes lines in any order, gives each once, from ``first`` upwards."""

    def __init__(self, first: int = 0, *, held: int = HELD) -> None:
        """Lines below ``first`` are not wanted."""
        self.next = first
        self._early: dict[int, LogLine] = {}
        self._size, self._held = 0, held
        self._disk: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what went to disk."""
        if self._disk is not None:
            self._disk.close()

    @property
    def gap(self) -> bool:
        """Say whether later lines wait for one that has not come."""
        return bool(self._early) or self._on_disk() > 0

    def put(self, line: LogLine) -> Iterator[LogLine]:
        """Take one line; yield it and what waited for it, or nothing while an earlier one is missing."""
        if line.number == self.next:
            self.next += 1
            yield line
            yield from self._ready()
        elif line.number > self.next and line.number not in self._early:
            self._early[line.number] = line
            self._size += len(line.text) + 64
            if self._size > self._held:
                self._spill()

    def rest(self) -> Iterator[LogLine]:
        """Yield what still waits, in order: the missing lines will not come."""
        self._spill()
        if self._disk is None:
            return
        for number, text, time in self._disk.execute("select number, text, time from line order by number"):
            if number >= self.next:
                self.next = number + 1
                yield LogLine(number, text, time)
        self._disk.execute("delete from line")

    def _ready(self) -> Iterator[LogLine]:
        while True:
            line = self._early.pop(self.next, None)
            if line is not None:
                self._size -= len(line.text) + 64
            elif self._disk is not None:
                line = self._from_disk()
            if line is None:
                return
            self.next += 1
            yield line

    def _spill(self) -> None:
        if not self._early:
            return
        if self._disk is None:
            # An empty name is a private temporary file, which sqlite removes.
            self._disk = sqlite3.connect("", isolation_level=None)
            self._disk.execute("create table line (number integer primary key, text text, time integer)")
        rows = ((line.number, line.text, line.time) for line in self._early.values())
        self._disk.execute("begin")
        self._disk.executemany("insert or ignore into line values (?, ?, ?)", rows)
        self._disk.execute("commit")
        self._early.clear()
        self._size = 0

    def _from_disk(self) -> LogLine | None:
        assert self._disk is not None
        row = self._disk.execute("select number, text, time from line where number = ?", (self.next,)).fetchone()
        if row is None:
            return None
        self._disk.execute("delete from line where number = ?", (self.next,))
        return LogLine(*row)

    def _on_disk(self) -> int:
        if self._disk is None:
            return 0
        return int(
            self._disk.execute("select exists (select 1 from line where number >= ?)", (self.next,)).fetchone()[0]
        )
