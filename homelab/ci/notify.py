"""``--notify``: ring the terminal's bell, or run the person's own command, when the outcome is known. Layer: ci.

The command is typed on the command line by whoever runs homelab; no file of a repository can set it.
It learns the outcome from its environment, so that no text of a log reaches a shell.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from homelab.errors import HomelabError
from homelab.events import Emit, Notice
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.world import World

BELL = "bell"
TIMEOUT = 30.0


class Told:
    """Takes the result on its way out."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.result: Result | None = None

    def of(self, result: Result) -> Result:
        """Remember ``result`` and hand it on."""
        self.result = result
        return result


@contextmanager
def notifying(world: World, what: str | None, emit: Emit) -> Iterator[Told]:
    """Notify at the end of the block, of a result, an error and a bug alike. ``what`` None: nobody asked."""
    told = Told()
    try:
        yield told
    except HomelabError as error:
        notify(world, what, error.outcome, error.what, emit)
        raise
    except Exception as bug:
        notify(world, what, Outcome.BUG, f"homelab failed: {type(bug).__name__}", emit)
        raise
    if told.result is not None:
        notify(world, what, told.result.outcome, told.result.headline, emit)


def notify(world: World, what: str | None, outcome: Outcome, headline: str, emit: Emit) -> None:
    """Ring or run. A command that fails is said and changes no outcome."""
    if what is None:
        return
    if what == BELL:
        world.stderr.write("\a")
        world.stderr.flush()
        return
    env = {
        **world.env,
        "HOMELAB_OUTCOME": outcome.word,
        "HOMELAB_EXIT_CODE": str(int(outcome)),
        "HOMELAB_HEADLINE": headline,
    }
    said = _run(what, env, world)
    if said:
        emit(Notice(about="notify", text=said))


def _run(what: str, env: dict[str, str], world: World) -> str:
    """Run the command in a group of its own, with no stream of ours to hold; return what went wrong, or ""."""
    quiet = subprocess.DEVNULL
    try:
        child = subprocess.Popen(
            ["sh", "-c", what], env=env, cwd=world.cwd, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
    except OSError as error:
        return f"the command did not start: {type(error).__name__}"
    try:
        code = child.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        with suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return f"the command was ended after {TIMEOUT:.0f}s"
    return f"the command ended with {code}" if code else ""
