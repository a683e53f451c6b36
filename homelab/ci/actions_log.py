"""A job's log on Forgejo or Gitea: one file, read on where the last reading ended. Layer: ci, beside the client.

A line of the file is a stamp and the text (runner's format, the same on both servers).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from homelab.ci import actions_json as translate
from homelab.ci.model import LogLine, Pipeline, Step
from homelab.errors import HttpStatus, NothingThere, WrongService
from homelab.http.port import Body

if TYPE_CHECKING:
    from homelab.ci.actions_control import ActionsControl

IDLE = 30.0
PARTIAL, NOT_FOUND, NOTHING_NEW = 206, 404, 416
#: One line is cut at 64 KiB by the server; what is longer is not a line.
LONGEST = 1024 * 1024


@dataclass(slots=True)
class _Read:
    """How far a log was read: whole lines, and their bytes."""

    lines: int = 0
    size: int = 0


class ActionsLog:
    """The logs of one repository."""

    def __init__(self, ci: ActionsControl) -> None:
        """Remember nothing yet."""
        self._ci = ci
        self._read: dict[int, _Read] = {}

    def read(self, pipeline: Pipeline, step: Step, *, first: int) -> Iterator[LogLine]:
        """Yield lines from ``first``. Raises NothingThere where the server gives no log."""
        path = f"{self._ci.path}/actions/jobs/{step.id}/logs"
        if not self._ci.powers().job_logs:
            # Public repositories show it on a page without login; a token counts for nothing there.
            path = f"/{self._ci.slug}/actions/runs/{pipeline.number}/jobs/{step.id}/logs"
        read = self._read.setdefault(step.id, _Read())
        if read.lines != first:
            read = self._read[step.id] = _Read()
        headers = {"Range": f"bytes={read.size}-", "Accept-Encoding": "identity"} if read.size else {}
        try:
            with self._ci.http.pour(path, idle=IDLE, headers=headers) as body:
                yield from self._lines(body, read, first, whole=step.state.finished)
        except HttpStatus as error:
            if error.status == NOTHING_NEW:
                return
            if error.status != NOT_FOUND:
                raise
            if self._ci.powers().job_logs:
                # Not begun yet, or its log has expired: nothing to show either way.
                return
            raise self._none(pipeline) from error
        except WrongService as error:
            raise self._none(pipeline) from error

    def _lines(self, body: Body, read: _Read, first: int, *, whole: bool) -> Iterator[LogLine]:
        if body.status != PARTIAL:
            # The range was ignored: the whole file comes again.
            read.lines = read.size = 0
        rest = b""
        for piece in body.pieces:
            *ready, rest = (rest + piece).split(b"\n")
            if len(rest) > LONGEST:
                ready, rest = [*ready, rest], b""
            for raw in ready:
                yield from self._line(raw, read, first, ended=1)
        # The last line of a running job may still grow.
        if rest and whole:
            yield from self._line(rest, read, first, ended=0)

    def _line(self, raw: bytes, read: _Read, first: int, *, ended: int) -> Iterator[LogLine]:
        number = read.lines
        read.lines += 1
        read.size += len(raw) + ended
        if number >= first:
            yield translate.log_line(number, raw.decode(errors="replace").rstrip("\r"))

    def _none(self, pipeline: Pipeline) -> NothingThere:
        return NothingThere(
            f"{self._ci.name} gives no logs by call",
            why="its API description lists none (Forgejo has it from 16, Gitea from 1.24), and the page wants a login",
            fix=f"open {pipeline.url}",
        )
