"""One step's log while it grows: its live stream for speed, the stored log for the truth.

A live log may lose, double and reorder lines, and end late or never; so lines pass a shelf, gaps
are filled from the stored log, the state of step and run ends the reading, and the stored log is
read once more after it. Layer: ci; waits only through ``homelab.poll`` and the clock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, Full, Queue

from homelab import poll
from homelab.ci.endure import Endurance
from homelab.ci.model import LogLine, Pipeline, State, Step, Workflow
from homelab.ci.port import CiRepository, LiveLog
from homelab.ci.shelf import Shelf
from homelab.clock import Clock, Wake
from homelab.errors import HomelabError, NothingThere
from homelab.events import Emit

#: Seconds one question may take with all its retries, once the server has answered before.
QUESTION = 10.0
#: Lines a live stream may be ahead of the reader; beyond it they are dropped and read from the stored log.
AHEAD = 2000
#: Seconds between questions for the step's state, and between two readings of the stored log.
STATE_EVERY, STORED_EVERY = 2.0, 2.0
#: Seconds without a line of a live log after which the stored one is looked at, in case a proxy holds the stream back.
MUTE = 5.0
#: A reading that took long is repeated after this many times as long: a server without ranges sends all of it again.
SLOWER = 4.0
#: Agents deliver lines after a step's end: read again after these pauses while new lines still come.
LATE = (0.0, 0.5, 1.5, 3.0)
#: Seconds after a step's end in which late lines are expected; agents normally flush within ten.
LATE_WITHIN = 60.0
#: A run that is over may have steps that go on until their agent hears of it, or for ever when the agent is gone.
STRAGGLE = 60.0
#: So often in a row a run must be gone, or no longer have the step, before that is believed.
GONE = 3
_NOT_BEGUN = {State.CREATED, State.PENDING, State.BLOCKED}

Show = Callable[[LogLine], None]


@dataclass(frozen=True, slots=True)
class Place:
    """A step and where it belongs."""

    run: Pipeline
    workflow: Workflow
    step: Step

    @property
    def name(self) -> str:
        """``workflow/step``."""
        return "/".join(part for part in (self.workflow.name, self.step.name) if part)

    @property
    def key(self) -> tuple[object, ...]:
        """Tell it apart from the same step of another run, or of another attempt."""
        return (*self.run.key, self.run.attempt, self.workflow.id, self.step.id)

    @property
    def silent(self) -> bool:
        """Say whether the step never ran: it has no log."""
        return self.step.state is State.SKIPPED or (self.step.state.finished and self._unstarted)

    @property
    def _unstarted(self) -> bool:
        return self.step.state in {State.KILLED, State.CANCELED, State.DECLINED} and not self.step.started

    def ended_within(self, seconds: float, now: float) -> bool:
        """Say whether it ended so lately (Unix time ``now``), or at a time that is not told."""
        ended = self.step.finished or self.workflow.finished or self.run.finished
        return not ended or now - ended < seconds


class Following:
    """The reading of one step. Each line is shown once and in order."""

    def __init__(
        self,
        ci: CiRepository,
        place: Place,
        *,
        first: int,
        clock: Clock,
        emit: Emit,
        endurance: Endurance,
        left: Callable[[], float],
    ) -> None:
        """Lines before ``first`` are not shown; ``endurance`` is the patience with this server, ``left`` with all."""
        self._left = left
        self._ci, self._place, self._clock, self._emit, self._endurance = ci, place, clock, emit, endurance
        self._shelf = Shelf(first)
        self._queue: Queue[LogLine] = Queue(AHEAD)
        self._wake = Wake()
        self._live: LiveLog | None = None
        self._state_at = self._stored_at = clock.monotonic()
        self._stored_every = STORED_EVERY
        self._heard_at = self._stored_at
        #: The stream cannot be trusted: it ended, was overtaken, or a proxy holds it back.
        self._lost = threading.Event()
        self._muted = False
        self._gone = 0
        self._straggles_since: float | None = None

    @property
    def next(self) -> int:
        """The number of the first line that was not shown."""
        return self._shelf.next

    def read(self, show: Show) -> bool:
        """Show what there is now, and what comes late where the step has just ended; False when time ran out.

        Raises NothingThere where the server gives no log.
        """
        with self._shelf:
            now = self._clock.now() + (self._ci.ahead or 0.0)
            late = self._place.step.state.finished and self._place.ended_within(LATE_WITHIN, now)
            return self._finish(show, LATE if late and not self._place.silent else LATE[:1])

    def follow(self, show: Show) -> Step | None:
        """Show lines until the step has ended, or never will; return it as it was, None when time ran out.

        Raises NothingThere where the server gives no log.
        """
        if self._place.step.state.finished:
            return self._place.step if self.read(show) else None
        with self._shelf:
            thread = self._listen()
            try:
                ended = self._until(lambda: self._look(show), wake=self._wake)
                pauses = LATE if ended is not None and ended.state not in _NOT_BEGUN else LATE[:1]
                return ended if ended is not None and self._finish(show, pauses) else None
            finally:
                if self._live is not None:
                    self._live.close()
                if thread is not None:
                    thread.join(1.0)

    def _until(self, look: Callable[[], Step | None], *, wake: Wake) -> Step | None:
        return poll.until(
            look,
            clock=self._clock,
            emit=self._emit,
            waiting_for="ci logs",
            every=lambda: STATE_EVERY,
            deadline=self._left(),
            wake=wake,
        )

    def _listen(self) -> threading.Thread | None:
        try:
            self._live = self._ci.live(self._place.run, self._place.workflow, self._place.step)
        except HomelabError:
            return None
        if self._live is None:
            return None
        thread = threading.Thread(target=self._hear, args=(self._live,), name="ci-log", daemon=True)
        thread.start()
        return thread

    def _hear(self, live: LiveLog) -> None:
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

    def _look(self, show: Show) -> Step | None:
        """Show what came; the step when it has ended."""
        now = self._clock.monotonic()
        for line in self._came():
            self._heard_at = now
            for ready in self._shelf.put(line):
                show(ready)
        if self._wants_stored(now):
            quiet = self._live is not None and not self._shelf.gap and not self._lost.is_set()
            self._lost.clear()
            # Lines that are stored and were not heard: from now on the stored log is read, whatever the stream does.
            self._muted = (bool(self._asked(show)) and quiet) or self._muted
        if now - self._state_at < STATE_EVERY:
            return None
        self._state_at = now
        self._hurry()
        return self._endurance.ask(self._ended)

    def _wants_stored(self, now: float) -> bool:
        if now - self._stored_at < self._stored_every:
            return False
        if self._shelf.gap or self._live is None or self._lost.is_set() or self._muted:
            return True
        return now - max(self._heard_at, self._stored_at) >= MUTE

    def _came(self) -> Iterator[LogLine]:
        while True:
            try:
                yield self._queue.get_nowait()
            except Empty:
                return

    def _stored(self, show: Show) -> int:
        """Read the stored log from the first line that was not shown; return how many were."""
        shown, began = 0, self._clock.monotonic()
        place = self._place
        for line in self._ci.log(place.run, place.workflow, place.step, first=self._shelf.next):
            for ready in self._shelf.put(line):
                show(ready)
                shown += 1
        self._stored_at = self._clock.monotonic()
        self._stored_every = max(STORED_EVERY, SLOWER * (self._stored_at - began))
        return shown

    def _ended(self) -> Step | None:
        """Return the step when nothing more will happen to it: no stream says so of a step that is skipped."""
        run = self._ci.run(self._place.run.number)
        found = _find(run, self._place) if run is not None else None
        self._gone = 0 if found is not None else self._gone + 1
        if run is None or found is None:
            return self._place.step if self._gone >= GONE else None
        self._place = Place(run, *found)
        step = self._place.step
        return step if step.state.finished or self._abandoned(run, step) else None

    def _abandoned(self, run: Pipeline, step: Step) -> bool:
        if not run.state.finished:
            self._straggles_since = None
            return False
        now = self._clock.monotonic()
        self._straggles_since = now if self._straggles_since is None else self._straggles_since
        return step.state in _NOT_BEGUN or now - self._straggles_since >= STRAGGLE

    def _finish(self, show: Show, pauses: tuple[float, ...]) -> bool:
        """Read what is stored until nothing new comes, then show what stands after a gap that stays.

        False when time ran out before.
        """
        for pause in pauses:
            self._clock.sleep(min(pause, self._left()))
            shown = self._patiently(show)
            if shown is None:
                return False
            if pause and not shown and self._shelf.next and not self._shelf.gap:
                break
        for line in self._shelf.rest():
            show(line)
        return True

    def _patiently(self, show: Show) -> int | None:
        """Read the stored log; a server that answered before and is away now is waited for. None: time ran out."""
        while (shown := self._asked(show)) is None and self._left() > 0:
            self._clock.sleep(min(STORED_EVERY, self._left()))
        return shown

    def _hurry(self) -> None:
        """Bound the next question: a server that is away must not outlast the deadline."""
        self._ci.budget = min(QUESTION, max(self._left(), 1.0))

    def _asked(self, show: Show) -> int | None:
        """Read the stored log; None while the server is away. That it gives no log is an answer, not an absence."""
        refused: list[NothingThere] = []

        def read() -> int:
            try:
                return self._stored(show)
            except NothingThere as error:
                refused.append(error)
                return 0

        self._hurry()
        shown = self._endurance.ask(read)
        if refused:
            raise refused[0]
        return shown


def _find(run: Pipeline, place: Place) -> tuple[Workflow, Step] | None:
    """Return the step as it is now. Approval gives steps new ids, a re-run its jobs: then it is not there any more."""
    wanted = (place.workflow.id, place.step.id)
    pairs = ((flow, step) for flow in run.workflows for step in flow.steps)
    return next(((flow, step) for flow, step in pairs if (flow.id, step.id) == wanted), None)
