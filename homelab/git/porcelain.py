"""Reads the report of ``git push --porcelain``. Pure.

A local pre-push hook writes into the same stream before the report and may imitate it; so only the
block after the last ``To `` line counts. Layer: git adapter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"^(?P<flag>[ +\-*!=])\t(?P<source>[^\t]*):(?P<to>[^\t:]*)\t(?P<rest>.*)$")
_REST = re.compile(r"^(?P<summary>\[[^\]]*\]|\S+)(?: \((?P<reason>.*)\))?$")


@dataclass(frozen=True, slots=True)
class RefLine:
    """One line of the report: what became of one ref."""

    flag: str
    source: str
    to: str
    summary: str
    reason: str


@dataclass(frozen=True, slots=True)
class PushReport:
    """The report: whether it began at all, its lines, and whether it ended (which proves nothing)."""

    began: bool
    lines: tuple[RefLine, ...] = ()
    done: bool = False

    def about(self, ref: str) -> RefLine | None:
        """Return the last line about ``ref``, or None."""
        return next((line for line in reversed(self.lines) if line.to == ref), None)


def parse(stdout: str) -> PushReport:
    """Return what git reported about the refs it pushed."""
    everything = stdout.split("\n")
    starts = [number for number, line in enumerate(everything) if line.startswith("To ")]
    if not starts:
        return PushReport(began=False, done="Done" in everything)
    block = everything[starts[-1] + 1 :]
    lines = []
    for text in block:
        found = _LINE.match(text)
        if found:
            rest = _REST.match(found["rest"])
            summary, reason = (rest["summary"], rest["reason"] or "") if rest else (found["rest"], "")
            lines.append(RefLine(found["flag"], found["source"], found["to"], summary, reason))
    return PushReport(began=True, lines=tuple(lines), done="Done" in block)
