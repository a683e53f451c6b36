"""The answer of the ci verbs: the verdict in words and as a record. Layer: ci."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from homelab.ci.failure import Failure
from homelab.ci.model import Pipeline
from homelab.ci.request import LOG_LINES
from homelab.result import Result

#: Bytes of log a line of ``--log-lines`` may cost on average, so that a red answer stays within 4 KB at 40.
BYTES_A_LINE = 66
#: A shown line is cut here; the record keeps more.
SHOWN_WIDTH = 160
SHOWN_FAILURES = 6


@dataclass(frozen=True, slots=True)
class CiResult(Result):
    """What CI says about ``commit``."""

    commit: str
    #: The runs that were judged; where one was replaced and followed, the run that took its place.
    pipelines: tuple[Pipeline, ...] = ()
    failures: tuple[Failure, ...] = ()
    #: Sentences that explain the outcome: why nothing ran, who can approve, what was cancelled.
    reasons: tuple[str, ...] = ()
    #: Complete commands to type next.
    next: tuple[str, ...] = ()
    #: The commit that was judged in place of ``commit``, "" where it was ``commit`` itself.
    judged_instead: str = ""
    log_lines: int = LOG_LINES

    @property
    def url(self) -> str:
        """Return the page of the newest judged run, "" where there is none."""
        return self.pipelines[0].url if self.pipelines else ""

    def lines(self) -> list[str]:
        """Return reasons, failing steps with their logs, and the commands to type next."""
        shown = list(self.reasons)
        budget = _budget(self.failures, self.log_lines)
        for failure in self.failures[:SHOWN_FAILURES]:
            shown += _failure_lines(failure, budget)
        if len(self.failures) > SHOWN_FAILURES:
            shown.append(f"and {len(self.failures) - SHOWN_FAILURES} more failing steps")
        return shown + [f"next: {command}" for command in self.next]

    def record(self) -> dict[str, Any]:
        """Return commit, runs, failing steps with excerpts, reasons and next commands."""
        return {
            "commit": self.commit,
            "judged_instead": self.judged_instead or None,
            "pipelines": [pipeline_record(run) for run in self.pipelines],
            "failures": [failure.record() for failure in self.failures],
            "reasons": list(self.reasons),
            "next": list(self.next),
        }


def pipeline_record(run: Pipeline) -> dict[str, Any]:
    """Return one run as JSON-ready fields."""
    names = ("server", "number", "commit", "event", "branch", "url", "created", "started", "finished")
    return {
        **{name: getattr(run, name) for name in names},
        "state": run.said or run.state.value,
        "steps": run.steps,
        "seconds": run.seconds,
    }


def lines_left_out(failures: Sequence[Failure], log_lines: int) -> bool:
    """Say whether a red answer shows less than the logs of its failing steps hold."""
    budget = _budget(failures, log_lines)
    cut = any(len(_within(one.excerpt, budget)) < len(one.excerpt) or one.left_out for one in failures)
    return cut or len(failures) > SHOWN_FAILURES


def _budget(failures: Sequence[Failure], log_lines: int) -> int:
    """Return the bytes of log that each failing step may show."""
    with_log = sum(bool(failure.excerpt) for failure in failures[:SHOWN_FAILURES]) or 1
    return BYTES_A_LINE * log_lines // with_log


def _failure_lines(failure: Failure, budget: int) -> list[str]:
    kept = _within(failure.excerpt, budget)
    left_out = failure.left_out + len(failure.excerpt) - len(kept)
    where = f"{left_out} earlier lines: {failure.url}" if left_out else failure.url
    return [failure.title(), f"  {where}", *(f"  | {line}" for line in kept)]


def _within(lines: Sequence[str], budget: int) -> list[str]:
    """Return the last lines that fit into ``budget`` bytes, at least one."""
    kept: list[str] = []
    for line in _cut(reversed(lines)):
        budget -= len(line.encode()) + 5
        if budget < 0 and kept:
            break
        kept.append(line)
    return kept[::-1]


def _cut(lines: Iterable[str]) -> Iterable[str]:
    return (line if len(line) <= SHOWN_WIDTH else line[: SHOWN_WIDTH - 1] + "…" for line in lines)
