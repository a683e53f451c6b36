"""What the forge holds of a commit's CI: asked before it is said that there is no run.

Woodpecker posts a status for each workflow (woodpecker server/forge/common/status.go), whose page
names the run: an exact way from a commit to a number. What a status says is written by whoever may
write to the repository: shown, followed only where the CI server confirms it, and never a verdict.
Layer: ci, above the ports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from homelab.ci.port import CiRepository
from homelab.ci.result import CiResult
from homelab.console.clean import clean
from homelab.errors import HomelabError
from homelab.forge.model import CommitStatus
from homelab.forge.port import Forge

#: Seconds of one question: the answer is worth a moment, not a minute.
BEFORE_NONE, BESIDE_GREEN = 10.0, 3.0
#: So many contexts are named.
NAMED = 4
CONTEXT_WIDTH, URL_WIDTH = 60, 120


@dataclass(frozen=True, slots=True)
class Statement:
    """The statuses of one commit, or why there are none to look at."""

    asked: bool = False
    statuses: tuple[CommitStatus, ...] = ()
    #: Why the forge could not be asked; "" where it was, or nobody wanted it.
    silent: str = ""

    def numbers(self, ci: CiRepository) -> tuple[int, ...]:
        """Return the runs of ``ci`` that the statuses point at, newest first."""
        found = {ci.number_at(status.url) for status in self.statuses if status.url}
        return tuple(sorted(found - {0}, reverse=True))

    def of_others(self, servers: Sequence[CiRepository]) -> tuple[CommitStatus, ...]:
        """Return the statuses that other CI wrote."""
        return tuple(status for status in self.statuses if not any(ci.owns(status.url) for ci in servers if status.url))


class Witness:
    """The forge behind a remote, connected when it is first asked. Without one it knows nothing."""

    def __init__(self, forge: Callable[[], Forge] | None = None, *, configured: bool = True) -> None:
        """``forge`` connects; it raises TokenMissing where the user's file names no token for it.

        Not ``configured``: the user's file knows no forge at all, so a green answer need not wait to hear that.
        """
        self._connect, self._configured = forge, configured
        self._forge: Forge | None = None

    def of(self, oid: str, *, budget: float = BEFORE_NONE) -> Statement:
        """Return what the forge holds of the commit. A forge that cannot be asked is said, never raised."""
        if self._connect is None:
            return Statement()
        try:
            self._forge = self._forge or self._connect()
            return Statement(asked=True, statuses=tuple(self._forge.statuses(oid, budget=budget)))
        except HomelabError as error:
            return Statement(silent=error.what)

    def beside(self, oid: str, servers: Sequence[CiRepository]) -> tuple[CommitStatus, ...]:
        """Return what other CI wrote about the commit, as far as the forge can be asked in a moment."""
        return self.of(oid, budget=BESIDE_GREEN).of_others(servers) if self._configured else ()

    def named(self, answer: CiResult, oid: str, servers: Sequence[CiRepository]) -> CiResult:
        """Return a green answer with the contexts of other CI that are not green: they decide nothing."""
        shown = described(status for status in self.beside(oid, servers) if not status.mark.green)
        return replace(answer, reasons=(*answer.reasons, f"other CI, not judged here: {shown}")) if shown else answer


def described(statuses: Iterable[CommitStatus]) -> str:
    """Return a few contexts as a person reads them: name, state, page."""
    found = sorted(statuses, key=lambda one: (one.mark.green, one.context))
    named = [
        " ".join(
            part for part in (clean(one.context)[:CONTEXT_WIDTH], one.mark.value, clean(one.url)[:URL_WIDTH]) if part
        )
        for one in found[:NAMED]
    ]
    return ", ".join([*named, f"and {len(found) - NAMED} more"] if len(found) > NAMED else named)
