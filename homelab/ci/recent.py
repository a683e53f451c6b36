"""``ci list`` and ``ci open``: recent runs, and where a run's page is. Layer: ci use case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from homelab.ci.choice import ANY
from homelab.ci.model import Pipeline, State
from homelab.ci.port import CiRepository
from homelab.ci.result import pipeline_record
from homelab.ci.witness import Witness, described
from homelab.clock import Clock
from homelab.console.clean import clean
from homelab.errors import NothingThere
from homelab.events import Emit, Notice
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.spoken import ago, duration

TITLE = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs to list; "" and None are any."""

    event: str = ""
    branch: str = ""
    state: State | None = None

    @classmethod
    def read(cls, event: str | None, branch: str | None, state: str | None) -> Wanted:
        """Take what the command line said."""
        return cls("" if event in {None, ANY} else str(event), branch or "", State.read(state) if state else None)

    def none(self, servers: Sequence[CiRepository]) -> str:
        """Say that there is none, and of what kind."""
        asked = {"event": self.event, "branch": self.branch, "state": self.state.value if self.state else ""}
        filters = " ".join(f"--{name} {value}" for name, value in asked.items() if value)
        where = ", ".join(ci.name for ci in servers)
        return f"no run fits {filters} on {where}" if filters else f"no run of {servers[0].slug} yet on {where}"


@dataclass(frozen=True, slots=True)
class ListResult(Result):
    """Recent runs, newest first, as they were at ``now`` (Unix seconds)."""

    pipelines: tuple[Pipeline, ...] = ()
    several: bool = False
    now: float = 0.0

    def lines(self) -> list[str]:
        """Return a line a run: number, state, event, branch, commit, duration, age, title."""
        rows = [self._row(run) for run in self.pipelines]
        widths = [max(len(row[column]) for row in rows) for column in range(7)] if rows else []
        return [
            "  ".join([cell.ljust(width) for cell, width in zip(row, widths, strict=False)] + [row[-1]]).rstrip()
            for row in rows
        ]

    def _row(self, run: Pipeline) -> tuple[str, ...]:
        name = f"{run.server} {run.name}" if self.several else run.name
        where = run.branch or run.ref.removeprefix("refs/tags/") or "-"
        title = clean(run.title)[:TITLE]
        age = ago(self.now - run.created) if run.created else "-"
        return name, run.said or run.state.value, run.event, where, run.commit[:12], self._took(run), age, title

    def _took(self, run: Pipeline) -> str:
        if run.started and run.finished:
            return duration(run.seconds)
        going = run.started and not run.state.finished and not run.finished
        return f"{duration(max(self.now - run.started, 0))}…" if going else "-"

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
    servers: Sequence[CiRepository],
    limit: int,
    wanted: Wanted,
    *,
    clock: Clock,
    emit: Emit,
    witness: Witness | None = None,
) -> ListResult:
    """Return the newest runs that fit, over all servers; one that gives no list is said.

    What the forge (``witness``) holds of other CI about the newest commit is said beside them.
    Raises NothingThere where no server gives a list.
    """
    found: list[Pipeline] = []
    without: list[NothingThere] = []
    for ci in servers:
        try:
            found += ci.recent(limit, event=wanted.event, branch=wanted.branch, state=wanted.state)
        except NothingThere as error:
            without.append(error)
    if len(without) == len(servers):
        raise without[0]
    for lack in without:
        emit(Notice(about="ci", text=f"{lack.what}; {lack.fix}"))
    found.sort(key=lambda run: (run.created, run.number), reverse=True)
    runs = tuple(found[:limit])
    others = described(witness.beside(runs[0].commit, servers)) if witness is not None and runs else ""
    if others:
        emit(Notice(about="ci", text=f"other CI of {runs[0].commit[:12]}, not listed: {others}"))
    headline = f"{len(runs)} run{'s' if len(runs) != 1 else ''}" if runs else wanted.none(servers)
    now = clock.now() + (servers[0].ahead or 0.0)
    return ListResult(Outcome.DONE, headline, runs, several=len(servers) > 1, now=now)


def open_page(runs: Sequence[Pipeline], fallback: str, browse: Callable[[str], bool] | None) -> OpenResult:
    """Return the newest run's page, else the repository's; show it with ``browse`` where a person sits."""
    url = runs[0].url if runs else fallback
    shown = browse(url) if browse is not None else False
    what = f"{runs[0].name}" if runs else "no run yet: the repository's page"
    return OpenResult(Outcome.DONE, f"{what}{', opened in the browser' if shown else ''}", url)
