"""``demo``: the loop once, with the commands a user would type, in a lab of its own. Layer: lab.

The commands run as processes of their own, in the terminal of the demo, so that what is seen is
what a user sees; the demo's outcome is ``work land``'s.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from homelab.app import App
from homelab.errors import OurBug
from homelab.lab.changes import CHANGES
from homelab.lab.down import down
from homelab.lab.events import CommandTyped
from homelab.lab.guide import environment, without_servers
from homelab.lab.layout import Layout
from homelab.lab.parts import vault_token
from homelab.lab.process import PYTHON, undisturbed
from homelab.lab.remote import git
from homelab.lab.up import up
from homelab.outcome import Outcome
from homelab.result import Result


@dataclass(frozen=True, slots=True)
class DemoResult(Result):
    """What ``work land`` said by its exit code, and what other eyes see of it: git, CI, kubectl."""

    traces: tuple[tuple[str, tuple[str, ...]], ...] = ()
    goodbye: str = ""

    def lines(self) -> list[str]:
        """Return each command with what it printed."""
        seen = [
            line for command, printed in self.traces for line in (f"$ {command}", *(f"  {text}" for text in printed))
        ]
        return [*seen, self.goodbye]

    def record(self) -> dict[str, Any]:
        """Return the traces by command."""
        return {"traces": {command: list(printed) for command, printed in self.traces}, "goodbye": self.goodbye}


def demo(app: App, *, fail: str, keep: bool) -> DemoResult:
    """Run the loop once with the change named ``fail`` ("" is the green one); the lab goes unless ``keep``."""
    lab = Layout(app.world.state_home / f"demo-{os.getpid()}")
    try:
        up(lab, env=app.world.env, clock=app.clock, emit=app.emit)
        return _land(lab, app, fail=fail, keep=keep)
    finally:
        if not keep and lab.root.exists():
            with undisturbed():
                down(lab)


def _land(lab: Layout, app: App, *, fail: str, keep: bool) -> DemoResult:
    typing = _Typing(lab, app)
    change = CHANGES[fail]
    typing.must("trust", "--yes", cwd=lab.clone)
    typing.must("work", "start", change.topic, cwd=lab.clone)
    tree = lab.clone / ".worktrees" / change.topic
    change.apply(tree)
    app.emit(CommandTyped(tree.name, f"git commit --all --message '{change.message}'"))
    git(tree, "commit", "--quiet", "--all", "--message", change.message, env=app.world.env)
    outcome = Outcome.of(typing.code("work", "land", cwd=tree))
    return DemoResult(
        outcome, f"work land ended with {int(outcome)}", traces=typing.traces(), goodbye=_goodbye(lab, keep=keep)
    )


class _Typing:
    """Runs commands as a user of the lab would, in this terminal."""

    def __init__(self, lab: Layout, app: App) -> None:
        self._lab = lab
        self._app = app
        # Approvals and locks of the demo stay in the lab's folder, and go with it.
        output = {"XDG_STATE_HOME": str(lab.root / "state")} | ({"HOMELAB_OUTPUT": app.output} if app.output else {})
        self._env = {
            **without_servers(app.world.env),
            **environment(lab, vault_token=vault_token(lab).reveal()),
            **output,
        }

    def code(self, *words: str, cwd: Path) -> int:
        """Run one homelab command with our streams; return its exit code."""
        self._app.emit(CommandTyped(cwd.name, f"homelab {' '.join(words)}"))
        self._app.yield_terminal()
        process = subprocess.Popen([*PYTHON, "-m", "homelab", *words], cwd=cwd, env=self._env, stdin=subprocess.DEVNULL)
        try:
            return process.wait()
        except BaseException:
            # It says itself where the land stands before the lab goes. Ctrl-C at a terminal has reached it already.
            with undisturbed():
                _end(process)
            raise

    def must(self, *words: str, cwd: Path) -> None:
        """Run one homelab command that the demo cannot go on without."""
        code = self.code(*words, cwd=cwd)
        if code:
            raise OurBug(
                f"homelab {' '.join(words)} ended with {code} in the lab",
                why="the demo prepares nothing that it should refuse",
                fix="homelab demo --keep, then run it again in the lab's folder",
            )

    def traces(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Look at the land with other eyes: the remote's history, CI's answer, the cluster through kubectl."""
        commands = (
            ("git log --oneline --graph -4 origin/main", ["git", "log", "--oneline", "--graph", "-4", "origin/main"]),
            ("homelab ci status origin/main", [*PYTHON, "-m", "homelab", "ci", "status", "origin/main"]),
            (
                "kubectl -n demo get deployments,pods",
                [self._lab.tools / "kubectl", "-n", "demo", "get", "deployments,pods"],
            ),
        )
        return tuple((shown, self._printed([str(word) for word in argv])) for shown, argv in commands)

    def _printed(self, argv: list[str]) -> tuple[str, ...]:
        env = {**self._env, "KUBECONFIG": str(self._lab.kubeconfig), "HOMELAB_OUTPUT": "plain"}
        done = subprocess.run(
            argv,
            cwd=self._lab.clone,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        # What a terminal shows: the answer, then the line with the outcome.
        return tuple((done.stdout + done.stderr).splitlines())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a command that is to end: unasked, then interrupted, then killed."""
    for ask, patience in ((None, 2.0), (signal.SIGINT, 60.0), (signal.SIGKILL, None)):
        if ask is not None:
            process.send_signal(ask)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)
            return


def _goodbye(lab: Layout, *, keep: bool) -> str:
    if keep:
        return f"look around: {lab.use}; end it: {replace(lab, named=True).command('down')}"
    return "the lab is gone again; --keep leaves it"
