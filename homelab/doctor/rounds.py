"""Run checks side by side, each on its own: none stops another, and none can hold the answer up.

Layer: doctor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from homelab.console.crash import crash_log
from homelab.doctor.model import Checked, Finding, fail
from homelab.errors import HomelabError, Unreachable
from homelab.events import Emit
from homelab.world import World


@dataclass(frozen=True, slots=True)
class Check:
    """A part to look at: its name, and what yields its findings one by one; an error ends it as a failing one."""

    name: str
    look: Callable[[], Iterator[Finding]]


class _Round:
    """One check in a thread of its own. A stuck one is left behind: the process ends soon after."""

    def __init__(self, check: Check, world: World, emit: Emit) -> None:
        self._check = check
        self._world = world
        self._emit = emit
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._run, name=f"doctor {check.name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for finding in self._check.look():
                self._note(finding)
        except HomelabError as error:
            self._note(fail(self._check.name, error))
        except Exception as error:  # noqa: BLE001 -- a bug in one check must not hide the others' answers
            self._note(fail(self._check.name, crash_log(error, self._world)))

    def _note(self, finding: Finding) -> None:
        self._found.append(finding)
        self._emit(Checked(name=finding.name, grade=finding.grade.value, says=finding.says))

    def findings(self, seconds: float, limit: float) -> tuple[Finding, ...]:
        """Wait at most ``seconds`` more; a check without an end says so, beside what it found until then."""
        self._thread.join(max(seconds, 0.0))
        if not self._thread.is_alive():
            return tuple(self._found)
        late = Unreachable(
            f"no answer within {limit:g} s",
            why="the check was left behind so that the others could answer",
            fix="run homelab doctor again; if it stays so, look at that part by hand",
        )
        return (*self._found, fail(self._check.name, late))


def rounds(checks: Sequence[Check], *, limit: float, world: World, emit: Emit) -> tuple[Finding, ...]:
    """Return all findings in the order of ``checks``, at most ``limit`` seconds from now."""
    clock = world.clock
    ends = clock.monotonic() + limit
    running = [_Round(check, world, emit) for check in checks]
    return tuple(finding for each in running for finding in each.findings(ends - clock.monotonic(), limit))
