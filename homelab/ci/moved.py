"""Whether the target branch moved on while its commit is watched, and by whom. Layer: ci, above the port."""

from __future__ import annotations

from collections.abc import Sequence

from homelab.ci.choice import Choice
from homelab.ci.events import TargetMoved
from homelab.ci.memory import Memory
from homelab.ci.model import Pipeline
from homelab.ci.port import CiRepository
from homelab.clock import Clock
from homelab.errors import HomelabError
from homelab.events import Emit

#: Asked this seldom (seconds).
MOVED_EVERY = 30.0


class Moved:
    """Tells once of each newer push of the target that its CI knows. Nothing depends on it."""

    def __init__(
        self,
        servers: Sequence[CiRepository],
        choice: Choice,
        oid: str,
        *,
        clock: Clock,
        emit: Emit,
        memory: Memory,
    ) -> None:
        """``oid`` is the commit that is watched."""
        self._servers, self._choice, self._oid = servers, choice, oid
        self._clock, self._emit, self._memory = clock, emit, memory
        self._asked_at = float("-inf")

    def tell(self, runs: Sequence[Pipeline]) -> None:
        """Ask when it is time; ``runs`` are those of the commit. A server that cannot say is asked again later."""
        now = self._clock.monotonic()
        if not self._choice.landed or now - self._asked_at < MOVED_EVERY:
            return
        self._asked_at = now
        for ci in self._servers:
            ours = max((run.number for run in runs if run.server == ci.name), default=0)
            newest = self._newest(ci) if ours else None
            if newest is not None and newest.number > ours and newest.commit != self._oid:
                self._say(newest)

    def _newest(self, ci: CiRepository) -> Pipeline | None:
        try:
            return ci.latest(self._choice.target)
        except HomelabError:
            return None

    def _say(self, newest: Pipeline) -> None:
        if self._memory.once(f"moved {newest.server} {newest.commit}"):
            self._emit(
                TargetMoved(
                    server=newest.server,
                    branch=newest.branch,
                    commit=newest.commit,
                    author=newest.author,
                    number=newest.number,
                    url=newest.url,
                )
            )
