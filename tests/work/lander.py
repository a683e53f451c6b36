"""A land in a process of its own, which may be told to die at once when an event comes.

``python -m tests.work.lander FOLDER [--kill-at KIND] [--ci OUTCOME] [--verify COMMAND] [--resume]``
prints the answer's record as JSON, and what was waited for.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
from pathlib import Path

from homelab.app import App
from homelab.clock import SystemClock
from homelab.events import Event
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.tier import Tier
from homelab.work.follow import LandedCommit, Waits
from homelab.work.land import land
from homelab.work.model import LandRequest
from homelab.world import World
from tests.work.site import Recorder


class Killer(Recorder):
    """Dies, by SIGKILL, at the first event of a kind; remembers the rest."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def event(self, event: Event) -> None:
        super().event(event)
        die(self.kind, event.kind)


def die(wanted: str, here: str) -> None:
    if wanted == here:
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kill-at", default="")
    parser.add_argument("--verify", default="true")
    parser.add_argument("--strategy", default="merge")
    parser.add_argument("--resume", action="store_true")
    asked = parser.parse_args()
    waited: list[str] = []

    def wait(what: str):
        def answer(commit: LandedCommit) -> Result:
            die(asked.kill_at, what)
            waited.append(f"{what} {commit.oid}")
            return Result(Outcome.DONE, "green")

        return answer

    world = World(
        env=dict(os.environ),
        cwd=asked.folder,
        stdin=None,
        stdout=io.StringIO(),
        stderr=io.StringIO(),
        clock=SystemClock(),
    )
    app = App(world, tier=Tier.WRITE, renderer=Killer(asked.kill_at))
    request = LandRequest(verify=asked.verify, strategy=asked.strategy, resume=asked.resume)
    result = land(app, request, Waits(ci=wait("ci"), deploy=wait("deploy")))
    json.dump({**result.envelope(), "waited": waited, "first": result.first()}, sys.stdout)
    return int(result.outcome)


if __name__ == "__main__":
    sys.exit(main())
