"""What of a commit's logs was shown, and the words that ask for the rest. Pure. Layer: ci."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from homelab.ci.follow import Place
from homelab.ci.logs_asked import LogsRequest


@dataclass(slots=True)
class Shown:
    """How far a step was shown. ``ended``: nothing more will come of it."""

    place: Place
    lines: int = 0
    next: int = 0
    ended: bool = False

    def record(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        place = self.place
        return {
            "server": place.run.server,
            "number": place.run.number,
            "name": place.name,
            "state": place.step.state.value,
            "exit_code": place.step.exit_code,
            "lines": self.lines,
            "next_line": self.next,
            "ended": self.ended,
        }


class Tally:
    """The steps that were shown, in the order they were begun."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._steps: dict[tuple[object, ...], Shown] = {}

    def line(self, place: Place, number: int) -> None:
        """Count a line."""
        shown = self._steps.setdefault(place.key, Shown(place))
        shown.lines += 1
        shown.next = number + 1

    def stopped(self, place: Place, *, ended: bool, following: int | None = None) -> None:
        """Note how a step was left; ``following`` is the first line that was not shown."""
        shown = self._steps.setdefault(place.key, Shown(place))
        shown.place, shown.ended = place, ended
        shown.next = shown.next if following is None else following

    def ended(self, place: Place) -> bool:
        """Say whether all of the step was shown."""
        shown = self._steps.get(place.key)
        return shown is not None and shown.ended

    def first(self, place: Place, otherwise: int) -> int:
        """Return the step's first line that was not shown; ``otherwise`` where none was."""
        shown = self._steps.get(place.key)
        return shown.next if shown is not None else otherwise

    @property
    def lines(self) -> int:
        """How many lines there were in all."""
        return sum(shown.lines for shown in self._steps.values())

    def __bool__(self) -> bool:
        """Say whether any step was begun."""
        return bool(self._steps)

    def total(self) -> str:
        """Return ``12 lines of build/test``."""
        names = ", ".join(shown.place.name for shown in self._steps.values()) or "no step"
        return f"{self.lines} line{'' if self.lines == 1 else 's'} of {names}"

    def records(self) -> tuple[dict[str, Any], ...]:
        """Return the steps JSON-ready."""
        return tuple(shown.record() for shown in self._steps.values())

    def rest(self, asked: LogsRequest, wanted: Iterable[Place], label: Callable[[Place], str]) -> list[str]:
        """Return the words that ask for what was not shown of ``wanted``, the steps in their run's order.

        From the step that was left on; where later ones were shown before it, those are left out by name.
        """
        order = asked.cut(list(wanted))
        words = asked.words()
        if not self._steps:
            return words + asked.since_words()
        ended = [place for place in order if self.ended(place)]
        begun = next((shown for shown in self._steps.values() if not shown.ended), None)
        if ended != order[: len(ended)]:
            words += [word for place in ended for word in ("--except", label(place))]
            return words + (["--since-line", f"{label(begun.place)}:{begun.next}"] if begun else [])
        if begun:
            return [*words, "--since-step", label(begun.place), "--since-line", str(begun.next)]
        return words + _from(order[len(ended) :], label)


def _from(left: Sequence[Place], label: Callable[[Place], str]) -> list[str]:
    return ["--since-step", label(left[0])] if left else []
