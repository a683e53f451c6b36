"""A CI server in memory, typed against the port: runs change as it is asked, logs grow, questions fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from homelab.ci.model import Facts, LogLine, Pipeline, State, Step, Workflow
from homelab.ci.port import LiveLog


class FakeRuns:
    """``runs`` as they are; ``before`` is called before each question and may change anything, or raise."""

    name, kind, slug = "home", "woodpecker", "team/app"
    settle = 0.0
    ahead: float | None = None
    budget: float | None = None
    skip_words = r"\[skip ci\]"
    failure_mark = ""
    cleanup_mark = ""

    def __init__(self, *runs: Pipeline) -> None:
        self.runs = list(runs)
        self.logs: dict[int, list[str]] = {}
        self.streams: dict[int, LiveLog] = {}
        self.refused: dict[int, Exception] = {}
        self.before: Callable[[str], None] = lambda _question: None
        self.asked: list[str] = []
        self.made: list[Pipeline] = []
        self.lost: Exception | None = None

    def _ask(self, question: str) -> None:
        self.asked.append(question)
        self.before(question)

    def facts(self) -> Facts:
        self._ask("facts")
        return Facts(self.slug, "https://ci.example.org/repos/7", default_branch="main")

    def runs_of(self, oid: str, *, since: int = 0) -> Sequence[Pipeline]:
        self._ask("runs")
        return [run for run in self.runs if run.commit == oid]

    def run(self, number: int) -> Pipeline | None:
        self._ask("run")
        return next((run for run in self.runs if run.number == number), None)

    def recent(
        self, limit: int, *, event: str = "", branch: str = "", state: State | None = None
    ) -> Sequence[Pipeline]:
        self._ask("recent")
        found = [run for run in self.runs if event in {"", run.event} and branch in {"", run.branch}]
        return sorted(found, key=lambda run: -run.number)[:limit]

    def log(self, pipeline: Pipeline, workflow: Workflow, step: Step, *, first: int = 0) -> Iterator[LogLine]:
        self._ask("log")
        if step.id in self.refused:
            raise self.refused[step.id]
        yield from (LogLine(number, text) for number, text in enumerate(self.logs.get(step.id, ())) if number >= first)

    def failed_log(self, pipeline: Pipeline, workflow: Workflow, step: Step) -> Iterator[LogLine]:
        return self.log(pipeline, workflow, step)

    def live(self, pipeline: Pipeline, workflow: Workflow, step: Step) -> LiveLog | None:
        return self.streams.get(step.id)

    def changes(self) -> None:
        return None

    def activate_url(self) -> str:
        return "https://ci.example.org/repos/add"

    def latest(self, branch: str) -> Pipeline | None:
        return None

    def restart(self, run: Pipeline) -> Pipeline | None:
        return self._write("restart")

    def trigger(self, branch: str, variables: Mapping[str, str], *, workflow: str = "") -> Pipeline | None:
        return self._write("trigger")

    def cancel(self, run: Pipeline) -> bool:
        self._write("cancel")
        return True

    def approve(self, run: Pipeline) -> None:
        self._write("approve")

    def decline(self, run: Pipeline) -> None:
        self._write("decline")

    def _write(self, question: str) -> Pipeline | None:
        """Make what is to be made; then lose the answer where that is wanted."""
        self._ask(question)
        new = self.made.pop(0) if self.made else None
        self.runs += [new] if new else []
        if self.lost is not None:
            raise self.lost
        return new
