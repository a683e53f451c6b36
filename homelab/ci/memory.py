"""What a watch has seen and said, and how it is kept for the watch that continues it.

A caller with little patience watches in pieces; the next piece tells only what was not told yet,
and counts what the pieces before it watched to its patience for a first run: not the time between
them, in which the push may have happened. Layer: ci; one small file a question.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from homelab.ci.model import Pipeline, State, Step, Workflow
from homelab.whole_file import write_whole

#: A watch that begins later than this after the last piece (seconds) starts afresh: its reader may be another.
FORGOTTEN_AFTER = 15 * 60


@dataclass(slots=True)
class Memory:
    """The runs as they were last told, what was said once, and for how many seconds it was watched already."""

    watched: float = 0.0
    runs: dict[tuple[str, int], Pipeline] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)

    def once(self, word: str) -> bool:
        """Say whether ``word`` is new, and remember it."""
        new = word not in self.said
        self.said.add(word)
        return new


class Keeper(Protocol):
    """Where a memory is kept between two watches."""

    def load(self, now: float) -> Memory:
        """Return what is remembered at ``now`` (Unix seconds), a fresh memory when nothing is."""

    def keep(self, memory: Memory, now: float) -> None:
        """Remember it. Failing to is not worth failing for."""

    def forget(self) -> None:
        """The verdict is in: the next watch starts afresh."""


class NoKeeper:
    """Remembers nothing."""

    def load(self, now: float) -> Memory:
        """Return a fresh memory."""
        del now
        return Memory()

    def keep(self, memory: Memory, now: float) -> None:
        """Drop it."""

    def forget(self) -> None:
        """Nothing was kept."""


class FileKeeper:
    """One file a question, in the state folder."""

    def __init__(self, folder: Path, question: str) -> None:
        """``question`` names servers, repository, commit and choice of runs."""
        self._path = folder / f"{hashlib.sha256(question.encode()).hexdigest()[:24]}.json"

    def load(self, now: float) -> Memory:
        """Return what is remembered; of a file that is old, broken or another version's, nothing."""
        try:
            raw = json.loads(self._path.read_text())
            if not 0 <= now - float(raw["kept"]) <= FORGOTTEN_AFTER:
                return Memory()
            runs = [_run(run) for run in raw["runs"]]
            return Memory(float(raw["watched"]), {run.key: run for run in runs}, set(map(str, raw["said"])))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Memory()

    def keep(self, memory: Memory, now: float) -> None:
        """Write the file whole or not at all."""
        runs = [asdict(run) for run in memory.runs.values()]
        record = {"kept": now, "watched": memory.watched, "runs": runs, "said": sorted(memory.said)}
        with suppress(OSError):
            write_whole(self._path, json.dumps(record))

    def forget(self) -> None:
        """Remove the file."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _run(raw: dict[str, Any]) -> Pipeline:
    flows = tuple(_workflow(flow) for flow in raw.pop("workflows"))
    raw["errors"] = tuple(raw["errors"])
    return Pipeline(**{**raw, "state": State.read(raw["state"]), "workflows": flows})


def _workflow(raw: dict[str, Any]) -> Workflow:
    steps = tuple(Step(**{**step, "state": State.read(step["state"])}) for step in raw.pop("steps"))
    return Workflow(**{**raw, "state": State.read(raw["state"]), "steps": steps})
