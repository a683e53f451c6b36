"""One step's log while it grows: its live stream for speed, the stored log for the truth.

A live log may lose, double and reorder lines, and end late or never; so lines pass a shelf, gaps
are filled from the stored log, the step's own state ends the reading, and the stored log is read
once more after it. Layer: ci; waits only through ``homelab.poll``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Empty, Full, Queue

from homelab import poll
from homelab.ci.model import LogLine, Pipeline, Step, Workflow
from homelab.ci.port import CiRepository, LiveLog
from homelab.ci.shelf import Shelf
from homelab.clock import Clock, Wake
from homelab.errors import HomelabError
from homelab.events import Emit

#: Lines a live stream may be ahead of the reader; beyond it they are dropped and read from the stored log.
AHEAD = 2000
#: Seconds between questions for the step's state, and between two readings of the stored log.
STATE_EVERY, STORED_EVERY = 2.0, 2.0
#: Agents deliver lines after a step's end: read again after these pauses while new lines still come.
LATE = (0.0, 0.5, 1.5, 3.0)


class Following:
    """The following of one step. ``show`` gets each line once and in order."""

    def __init__(
        self, ci: CiRepository, run: Pipeline, workflow: Workflow, step: Step, *, first: int, clock: Clock
    ) -> None:
        """Lines before ``first`` are not shown."""
        self._ci, self._run, self._workflow, self._step, self._clock = ci, run, workflow, step, clock
        self._shelf = Shelf(first)
        self._queue: Queue[LogLine] = Queue(AHEAD)
        self._wake = Wake()
        self._live: LiveLog | None = None
        self._state_at, self._stored_at = clock.monotonic(), clock.monotonic()
        self._lost = threading.Event()

    @property
    def next(self) -> int:
        """The number of the first line that was not shown."""
        return self._shelf.next

    def follow(self, show: Callable[[LogLine], None], *, deadline: float, emit: Emit) -> Step | None:
        """Show lines until the step has ended; return it as it ended, None at the deadline (seconds)."""
        with self._shelf:
            if self._step.state.finished:
                self._finish(show)
                return self._step
            thread = self._listen()
            try:
                ended = poll.until(
                    lambda: self._look(show),
                    clock=self._clock,
                    emit=emit,
                    waiting_for="ci logs",
                    every=lambda: STATE_EVERY,
                    deadline=deadline,
                    wake=self._wake,
                )
                if ended is not None:
                    self._finish(show)
                return ended
            finally:
                if self._live is not None:
                    self._live.close()
                if thread is not None:
                    thread.join(1.0)

    def _listen(self) -> threading.Thread | None:
        try:
            self._live = self._ci.live(self._run, self._workflow, self._step)
        except HomelabError:
            return None
        if self._live is None:
            return None
        thread = threading.Thread(target=self._read, args=(self._live,), name="ci-log", daemon=True)
        thread.start()
        return thread

    def _read(self, live: LiveLog) -> None:
        try:
            for line in live:
                try:
                    self._queue.put_nowait(line)
                except Full:
                    self._lost.set()
                self._wake.ring()
        except Exception:  # noqa: BLE001 -- the stored log is the truth; without a stream it is read more often
            self._lost.set()
        finally:
            self._lost.set()
            live.close()

    def _look(self, show: Callable[[LogLine], None]) -> Step | None:
        """Show what came; the step when it has ended."""
        for line in self._came():
            for ready in self._shelf.put(line):
                show(ready)
        now = self._clock.monotonic()
        if (self._shelf.gap or self._live is None or self._lost.is_set()) and now - self._stored_at >= STORED_EVERY:
            self._lost.clear()
            self._stored(show)
        if now - self._state_at < STATE_EVERY:
            return None
        self._state_at = now
        step = self._now()
        return step if step.state.finished else None

    def _came(self) -> Iterator[LogLine]:
        while True:
            try:
                yield self._queue.get_nowait()
            except Empty:
                return

    def _stored(self, show: Callable[[LogLine], None]) -> int:
        """Read the stored log from the first line that was not shown; return how many were."""
        shown = 0
        for line in self._ci.log(self._run, self._workflow, self._step, first=self._shelf.next):
            for ready in self._shelf.put(line):
                show(ready)
                shown += 1
        self._stored_at = self._clock.monotonic()
        return shown

    def _now(self) -> Step:
        run = self._ci.run(self._run.number)
        flows = run.workflows if run is not None else ()
        self._step = next((step for flow in flows for step in flow.steps if step.id == self._step.id), self._step)
        return self._step

    def _finish(self, show: Callable[[LogLine], None]) -> None:
        """Read what is stored until nothing new comes, then show what stands after a gap that stays."""
        for pause in LATE:
            self._clock.sleep(pause)
            shown = self._stored(show)
            if pause and not shown and self._shelf.next and not self._shelf.gap:
                break
        for line in self._shelf.rest():
            show(line)
