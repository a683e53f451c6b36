"""A job's log on Forgejo or Gitea: one file, read on where the last reading ended. Layer: ci, beside the client.

A line of the file is a stamp and the text (runner's format, the same on both servers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from homelab.ci.actions import translate
from homelab.ci.actions.ask import said
from homelab.ci.actions.translate import ATTEMPTS, JOB, PAGE
from homelab.ci.excerpt import IGNORED
from homelab.ci.model import LogLine, Pipeline, Step, Workflow
from homelab.errors import HttpStatus, NothingThere, WrongService
from homelab.http.port import Body, Params

if TYPE_CHECKING:
    from homelab.ci.actions.ask import ActionsAsk

IDLE = 30.0
PARTIAL, NOT_FOUND, NOTHING_NEW = 206, 404, 416
#: One line is cut at 64 KiB by the server; what is longer is not a line.
LONGEST = 1024 * 1024
#: Steps of a job, and attempts, that are asked for one after the other.
MOST_STEPS, MOST_ATTEMPTS = 100, 10
_ATTEMPT = re.compile(r"/attempt/\d+$")
_BEGINS = re.compile(r"bytes (\d+)-")


@dataclass(slots=True)
class _Read:
    """How far a log was read: whole lines, and their bytes."""

    path: str
    lines: int = 0
    size: int = 0


class ActionsLog:
    """The logs of one repository."""

    def __init__(self, ci: ActionsAsk) -> None:
        """Remember nothing yet."""
        self._ci = ci
        self._read: dict[int, _Read] = {}

    def read(self, pipeline: Pipeline, workflow: Workflow, step: Step, *, first: int) -> Iterator[LogLine]:
        """Yield lines from ``first``. Raises NothingThere where the server gives no log."""
        # The record's id, not the job's: a re-run keeps the job and begins another file.
        read = self._read.get(workflow.id) or _Read(self._address(pipeline, step))
        if read.lines != first:
            read = _Read(read.path)
        self._read[workflow.id] = read
        headers = {"Range": f"bytes={read.size}-", "Accept-Encoding": "identity"} if read.size else {}
        params = self._attempt(workflow, step)
        try:
            with self._poured(read.path, headers, params) as body:
                yield from self._lines(body, read, first, whole=step.state.finished)
        except HttpStatus as error:
            if error.status == NOTHING_NEW or (error.status == NOT_FOUND and _waits(step, error)):
                return
            if error.status != NOT_FOUND:
                raise
            raise self._gone(pipeline, step, error) from error
        except WrongService as error:
            raise self._none(pipeline, step) from error

    def failed(self, pipeline: Pipeline, workflow: Workflow, step: Step, *, mark: str) -> Iterator[LogLine]:
        """Yield the log of the step that failed, where the server gives one step's alone; else the job's."""
        if step.kind == JOB and self._ci.powers().log_steps:
            path, ends = self._address(pipeline, step), re.compile(mark)
            for number in range(MOST_STEPS):
                params = {**self._attempt(workflow, step), "step": number}
                lines = self._step(path, params)
                if lines is None:
                    break
                if any(ends.search(line.text) and IGNORED not in line.text for line in lines):
                    yield from self._step(path, params) or ()
                    return
        yield from self.read(pipeline, workflow, step, first=0)

    def _step(self, path: str, params: Params) -> Iterator[LogLine] | None:
        """Return the lines of one step; None after the last one."""
        lines = self._pour(path, params)
        try:
            first = next(lines, None)
        except (HttpStatus, WrongService):
            return None
        return _chained(first, lines)

    def _pour(self, path: str, params: Params) -> Iterator[LogLine]:
        with self._poured(path, {}, params) as body:
            yield from self._lines(body, _Read(path), 0, whole=True)

    def _poured(self, path: str, headers: Mapping[str, str], params: Params) -> AbstractContextManager[Body]:
        return self._ci.http.pour(path, idle=IDLE, headers=headers, params=params, budget=self._ci.budget)

    def _address(self, pipeline: Pipeline, step: Step) -> str:
        """Return where the log is. Raises NothingThere where the server has no place that it could be asked at."""
        if step.kind == JOB and self._ci.powers().job_logs:
            return f"{self._ci.path}/actions/jobs/{step.id}/logs"
        if step.kind == PAGE and step.url.startswith(self._ci.web + "/"):
            # Public repositories show it on a page without login; a token counts for nothing there.
            return self._page(pipeline, step)
        raise self._none(pipeline, step)

    def _page(self, pipeline: Pipeline, step: Step) -> str:
        """Return the address of the page's log: of the attempt its link names (Forgejo from 13), else of the newest."""
        base = urlsplit(self._ci.http.site.url).path.rstrip("/")
        page = urlsplit(step.url).path.removeprefix(base)
        if _ATTEMPT.search(page) and self._shows(f"{page}/logs"):
            return f"{page}/logs"
        plain = _ATTEMPT.sub("", page)
        if self._shows(f"{plain}/logs"):
            return f"{plain}/logs"
        attempts = (f"{plain}/attempt/{number}/logs" for number in range(1, MOST_ATTEMPTS + 1))
        newest = ""
        for path in attempts:
            if not self._shows(path):
                break
            newest = path
        if not newest:
            raise self._none(pipeline, step)
        return newest

    def _shows(self, path: str) -> bool:
        """Say whether there is a log at ``path``: a page to sign in, or 404, is what a private repository shows."""
        with suppress(WrongService, HttpStatus), self._poured(path, {"Range": "bytes=0-0"}, {}):
            return True
        return False

    def _attempt(self, workflow: Workflow, step: Step) -> dict[str, int]:
        """Ask for the attempt that was judged: without, the newest one's log comes."""
        number = workflow.id % ATTEMPTS
        return {"attempt": number} if step.kind == JOB and number and self._ci.powers().log_attempts else {}

    def _lines(self, body: Body, read: _Read, first: int, *, whole: bool) -> Iterator[LogLine]:
        begins = _BEGINS.match(body.headers.get("content-range", ""))
        if body.status != PARTIAL or (begins and int(begins[1]) != read.size):
            # The range was ignored: the whole file comes again.
            read.lines = read.size = 0
        rest = b""
        for piece in body.pieces:
            *ready, rest = (rest + piece).split(b"\n")
            for raw in ready:
                yield from self._line(raw, read, first, ended=1)
            if len(rest) > LONGEST:
                yield from self._line(rest, read, first, ended=0)
                rest = b""
        # The last line of a running job may still grow.
        if rest and whole:
            yield from self._line(rest, read, first, ended=0)

    def _line(self, raw: bytes, read: _Read, first: int, *, ended: int) -> Iterator[LogLine]:
        number = read.lines
        read.lines += 1
        read.size += len(raw) + ended
        if number >= first:
            yield translate.log_line(number, raw.decode(errors="replace").rstrip("\r"))

    def _gone(self, pipeline: Pipeline, step: Step, error: HttpStatus) -> NothingThere:
        if step.kind != JOB:
            return self._none(pipeline, step)
        if "cleaned up" not in error.body and "expired" not in error.body:
            self._ci.learn()
        return NothingThere(
            f"{self._ci.name} has no log of job {step.id} any more",
            why=said(error) or "it answered 404",
            fix=f"open {step.url or pipeline.url}",
        )

    def _none(self, pipeline: Pipeline, step: Step) -> NothingThere:
        forgejo, has = self._ci.forgejo(), self._ci.powers().job_logs
        since = "Forgejo < 16" if forgejo else "Gitea < 1.24"
        lack = "no call that tells a job's id, which its log API wants" if has else f"no log API ({since})"
        return NothingThere(
            f"{self._ci.name}: this server has {lack}",
            why="its page wants a login for this log, and no password is ever kept",
            fix=f"open {step.url or pipeline.url}",
        )


def _waits(step: Step, error: HttpStatus) -> bool:
    """Say whether a 404 means that there is no log yet, or never was one: a job that no runner took has none."""
    return not step.state.finished or "not started" in error.body


def _chained(first: LogLine | None, rest: Iterator[LogLine]) -> Iterator[LogLine]:
    if first is not None:
        yield first
        yield from rest
