"""A pushed-to remote with a CI server behind a real load balancer, and ``homelab ci`` in a real clone."""

from __future__ import annotations

import io
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homelab.cli import run as run_cli
from homelab.lab import process
from homelab.lab.caddy import start_caddy
from homelab.lab.woodpecker.server import LabWoodpecker
from homelab.world import World
from tests.lab.actions import lab as actions_lab
from tests.lab.woodpecker import lab

TEST_STEP = "steps:\n  - name: test\n    image: bash\n    commands:\n"
GREEN = TEST_STEP + "      - sleep 0.3\n      - echo fine\n"
RED = TEST_STEP + "      - echo about to break\n      - exit 3\n"
SLOW = TEST_STEP + "      - sleep 20\n"


@dataclass
class Ran:
    code: int
    out: str
    err: str
    ended: float

    @property
    def plain(self) -> str:
        return self.err + self.out

    @property
    def record(self) -> Any:
        return json.loads(self.out)


class Heard(io.StringIO):
    """A stream that calls ``act`` once, when something is first written to it."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__()
        self._act: Callable[[], Any] | None = act

    def write(self, text: str, /) -> int:
        act, self._act = self._act, None
        if act is not None:
            act()
        return super().write(text)


@dataclass
class Shop:
    """The lab's world with a public name, a clone that reaches it, and a command line."""

    world: Any
    env: dict[str, str]

    def homelab(self, *argv: str, first: Callable[[], Any] | None = None, **env: str) -> Ran:
        """Run one command to its end; ``first`` is called when it says its first word."""
        out, err = io.StringIO(), Heard(first) if first else io.StringIO()
        surroundings = World(
            env={**self.env, **env}, cwd=self.world.folder / "clone", stdin=None, stdout=out, stderr=err
        )
        code = run_cli(["ci", *argv], surroundings)
        return Ran(code, out.getvalue(), err.getvalue(), time.time())

    def later(self, act: Callable[[], Any]) -> threading.Thread:
        thread = threading.Thread(target=act)
        thread.start()
        return thread

    def restart(self) -> None:
        """Stop the CI server and start another one on the same state and port."""
        world = self.world
        world.server.__exit__(None, None, None)
        time.sleep(0.5)
        world.server = LabWoodpecker(world.config, world.server.state, port=world.server.port)
        world.server.__enter__()

    def push(self, config: str, **more: Any) -> str:
        return self.world.push({".woodpecker.yaml": config}, **more)


@contextmanager
def shop(folder: Path, **change: Any) -> Iterator[Shop]:
    """A Woodpecker and its repository; ``change`` as in ``tests.lab.woodpecker.lab.world``."""
    with lab.world(folder, **change) as world, reached(folder, "ci.homelab.test", world.server.port) as env:
        _point(folder, world)
        yield Shop(world, {**env, "HOMELAB_CI_KIND": "woodpecker", "WOODPECKER_TOKEN": lab.TOKENS["dev"]})


@contextmanager
def actions_shop(folder: Path, kind: str, level: str, **change: Any) -> Iterator[Shop]:
    """A forge with Actions at one level of its API, and its repository."""
    with (
        actions_lab.world(folder, kind, level, **change) as world,
        reached(folder, "git.homelab.test", world.server.port) as env,
    ):
        _point(folder, world)
        yield Shop(world, {**env, "HOMELAB_CI_KIND": kind, "HOMELAB_CI_TOKEN": lab.TOKENS["dev"]})


@contextmanager
def reached(folder: Path, name: str, port: int) -> Iterator[dict[str, str]]:
    """Caddy under the public name, and the environment that reaches it."""
    caddy = start_caddy(folder / "caddy", {name: f"127.0.0.1:{port}"})
    try:
        yield {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "HOMELAB_CI_URL": f"https://{name}",
            "HOMELAB_CI_DIAL": caddy.dial,
            "HOMELAB_CI_CA_FILE": str(caddy.ca_file),
        }
    finally:
        process.stop(caddy.child)


def _point(folder: Path, world: Any) -> None:
    """Give the clone a remote under a public name that git reaches without a network."""
    ssh = folder / "ssh"
    ssh.write_text(f"#!/bin/sh\nfor last; do :; done\nexec ${{last%% *}} '{folder / 'shop.git'}'\n")
    ssh.chmod(0o755)
    world.git("config", "core.sshCommand", str(ssh))
    world.git("config", "ssh.variant", "simple")
    world.git("remote", "set-url", "origin", "ssh://git@git.homelab.test/lab/shop.git")
