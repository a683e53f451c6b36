"""``ci list`` and ``ci open``: recent runs, and where a run's page is. Layer: ci use case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from homelab.ci.choice import ANY
from homelab.ci.model import Pipeline, State
from homelab.ci.port import CiRepository
from homelab.ci.result import pipeline_record
from homelab.ci.spoken import duration
from homelab.console.clean import clean
from homelab.outcome import Outcome
from homelab.result import Result

TITLE = 60


@dataclass(frozen=True, slots=True)
class ListResult(Result):
    """Recent runs, newest first."""

    pipelines: tuple[Pipeline, ...] = ()
    several: bool = False

    def lines(self) -> list[str]:
        """Return a line a run: number, state, event, branch, commit, duration, title."""
        rows = [self._row(run) for run in self.pipelines]
        widths = [max(len(row[column]) for row in rows) for column in range(6)] if rows else []
        return [
            "  ".join([cell.ljust(width) for cell, width in zip(row, widths, strict=False)] + [row[-1]]).rstrip()
            for row in rows
        ]

    def _row(self, run: Pipeline) -> tuple[str, ...]:
        name = f"{run.server} {run.name}" if self.several else run.name
        took = duration(run.seconds) if run.seconds else "-"
        where = run.branch or run.ref.removeprefix("refs/tags/")
        title = clean(run.title)[:TITLE]
        return name, run.said or run.state.value, run.event, where, run.commit[:12], took, title

    def record(self) -> dict[str, Any]:
        """Return the runs."""
        return {"pipelines": [{**pipeline_record(run), "title": run.title} for run in self.pipelines]}


@dataclass(frozen=True, slots=True)
class OpenResult(Result):
    """A page."""

    url: str = ""

    def lines(self) -> list[str]:
        """Return the address alone: for pipes."""
        return [self.url]

    def record(self) -> dict[str, Any]:
        """Return the address."""
        return {"url": self.url}


def recent(
    servers: Sequence[CiRepository], limit: int, *, event: str | None, branch: str | None, state: str | None
) -> ListResult:
    """Return the newest runs that fit, over all servers."""
    wanted = State.read(state) if state else None
    kind = "" if event in {None, ANY} else str(event)
    found = [run for ci in servers for run in ci.recent(limit, event=kind, branch=branch or "", state=wanted)]
    found.sort(key=lambda run: (run.created, run.number), reverse=True)
    runs = tuple(found[:limit])
    headline = f"{len(runs)} runs" if runs else "no run fits"
    return ListResult(Outcome.DONE, headline, runs, several=len(servers) > 1)


def open_page(runs: Sequence[Pipeline], fallback: str, browse: Callable[[str], bool] | None) -> OpenResult:
    """Return the newest run's page, else the repository's; show it with ``browse`` where a person sits."""
    url = runs[0].url if runs else fallback
    shown = browse(url) if browse is not None else False
    what = f"{runs[0].name}" if runs else "no run yet: the repository's page"
    return OpenResult(Outcome.DONE, f"{what}{', opened in the browser' if shown else ''}", url)
