"""The few lines of a log that say why: those before the failing step's end, and the first error before them.

Reads a log once, in the memory of what it keeps. Pure. Layer: ci.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from homelab.ci.model import LogLine
from homelab.console.clean import clean

#: Longer lines are cut: a reader wants the message, not the minified file in it.
LINE_LIMIT = 500
#: Of the lines asked for, this part may go to the first error when it stands before the rest.
FIRST_ERROR_PART = 4
#: What the first complaint of a broken step looks like, over many tools; "0 errors" is none.
_ERROR = re.compile(
    r"(?<![\w-])(?:error|errors|fatal|panic|traceback|exception|failed|failure|\w*Error|undefined reference)(?![\w-])",
    re.IGNORECASE,
)
#: A mark without an exit code may be followed by one with it, this many lines later at most.
AFTER_MARK = 2
_NO_ERROR = re.compile(r"(?<![\w.])(?:0|no) (?:errors?|failed|failures?)", re.IGNORECASE)
#: What a runner says of a failure that its author allowed.
IGNORED = "continue-on-error is true"
#: ``set -x`` echo of a command that may name anything.
_ECHO = "+ "
#: act_runner names a failed step so, in the row before its exit code.
_STEP = re.compile(r"❌\s+Failure - (?:Main|Pre|Post) (.+)")
_EXIT = re.compile(r"exitcode '(\d+)'|exit(?:ed with)? (?:code|status):? (\d+)")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines made safe for a terminal, and how many stand before them."""

    lines: tuple[str, ...] = ()
    left_out: int = 0
    #: The exit code that the log itself names; 0 where it names none.
    exit_code: int = 0
    #: The step that failed, where the log of several names it.
    step: str = ""
    #: The log shows no failure where this kind of CI marks one, so its end is only a guess.
    guess: bool = False


def excerpt(log: Iterable[LogLine], *, keep: int, mark: str = "", cleanup: str = "") -> Excerpt:
    """Return at most ``keep`` lines (and one that counts what is left out between two parts).

    ``mark`` is a regular expression of the line that ends a failed step in a log that goes on with other steps
    and clean-up; ``cleanup`` one of the first line after them, before which the lines are a guess where no mark
    is. Without ``mark`` the log's own end is the failure's.
    """
    reader = _Reader(keep, re.compile(mark) if mark else None, re.compile(cleanup) if cleanup else None)
    for line in log:
        if reader.take(line):
            break
    return reader.excerpt()


class _Reader:
    """Keeps the tail, and the first error with what follows it."""

    def __init__(self, keep: int, mark: re.Pattern[str] | None, cleanup: re.Pattern[str] | None) -> None:
        self._keep, self._mark, self._cleanup = keep, mark, cleanup
        self._tail: deque[str] = deque(maxlen=keep)
        self._head: list[str] = []
        self._head_at = -1
        self._room = keep // FIRST_ERROR_PART
        self._count = 0
        self._exit_code = 0
        self._step = ""
        self._ended = False
        self._after_mark = 0
        self._before_cleanup: Excerpt | None = None

    def take(self, line: LogLine) -> bool:
        """Take one line; True when it ends the failed step."""
        text = clean(line.text)[:LINE_LIMIT]
        if self._cleanup and self._before_cleanup is None and self._cleanup.search(text):
            self._before_cleanup = self.excerpt()
        self._note_error(text)
        self._tail.append(text)
        self._count += 1
        self._note_end(text)
        return self._ended and (self._exit_code > 0 or self._after_mark >= AFTER_MARK)

    def _note_error(self, text: str) -> None:
        if self._head_at < 0 and _complains(text):
            self._head_at = self._count
        if self._head_at >= 0 and len(self._head) < self._room:
            self._head.append(text)

    def _note_end(self, text: str) -> None:
        """See whether the step failed here. Its name may come first, and only then that its failure was allowed."""
        if IGNORED in text:
            self._ended, self._after_mark, self._step = False, 0, ""
            self._head, self._head_at = [], -1
        elif self._mark and self._mark.search(text):
            self._ended = True
            named = _STEP.search(text)
            self._step = self._step or (named[1].strip() if named else "")
            code = _EXIT.search(text)
            self._exit_code = int(code[1] or code[2]) if code else 0
        elif self._ended:
            self._after_mark += 1

    def excerpt(self) -> Excerpt:
        """Put the parts together: the first error is only shown apart when the tail does not reach it."""
        guess = self._mark is not None and not self._ended and self._count > 0
        if guess and self._before_cleanup is not None:
            return self._before_cleanup
        begins = self._count - len(self._tail)
        if not self._head or self._head_at >= begins:
            return Excerpt(tuple(self._tail), begins, self._exit_code, self._step, guess)
        # The head takes its room from the tail; where the two then overlap, the tail gives way.
        after_head = self._head_at + len(self._head)
        starts = max(begins + len(self._head), after_head)
        tail = list(self._tail)[starts - begins :]
        gap = starts - after_head
        between = [f"… {gap} lines left out …"] if gap > 0 else []
        return Excerpt((*self._head, *between, *tail), self._head_at, self._exit_code, self._step, guess)


def _complains(text: str) -> bool:
    return not text.startswith(_ECHO) and bool(_ERROR.search(_NO_ERROR.sub("", text)))
