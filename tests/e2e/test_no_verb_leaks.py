"""Every verb of the command tree, typed in a lab: no token in what it prints, runs, or leaves behind."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from homelab.cli import cli, run
from homelab.lab.layout import Layout
from homelab.verb import manifest
from homelab.world import World
from tests.e2e.lab_user import bare_env
from tests.fakes import written

pytestmark = pytest.mark.timeout(120)

FORGE_TOKEN = "forge-token-that-nobody-may-read"

#: What is typed for each verb, in this order; ``{lab}`` is the lab's folder, ``@`` a folder to be in.
TYPED = {
    "lab up": "lab up --dir {lab}",
    "lab status": "lab status --dir {lab}",
    "demo": "demo --dir {lab}/hello",
    "config show": "config show",
    "trust": "trust --yes",
    "doctor": "doctor",
    "work start": "work start topic",
    "work hook install": "work hook install",
    "work hook run": "work hook run origin ssh://git@git.homelab.test/demo/hello.git",
    "work land": "work land --yes @{lab}/hello/.worktrees/topic",
    "work status": "work status @{lab}/hello/.worktrees/topic",
    "work list": "work list",
    "work hook uninstall": "work hook uninstall",
    "work revert": "work revert 0123abcd",
    "work clean": "work clean topic",
    "ci list": "ci list",
    "ci status": "ci status origin/main",
    "ci watch": "ci watch origin/main --timeout 20s",
    "ci logs": "ci logs origin/main",
    "ci restart": "ci restart origin/main",
    "ci cancel": "ci cancel origin/main",
    "ci approve": "ci approve origin/main",
    "ci decline": "ci decline origin/main",
    "ci trigger": "ci trigger --branch main",
    "ci open": "ci open origin/main",
    "ci wait": "ci wait origin/main --image registry.homelab.test/demo/hello:{{sha}} --timeout 1s",
    "ci lint": "ci lint",
    "deploy wait": "deploy wait demo/hello --sha origin/main --timeout 20s",
    "deploy status": "deploy status demo/hello",
    "deploy events": "deploy events demo/hello",
    "deploy logs": "deploy logs demo/hello",
    "deploy history": "deploy history demo/hello",
    "deploy restart": "deploy restart demo/hello",
    "deploy rollback": "deploy rollback demo/hello",
    "deploy rbac": "deploy rbac demo/hello",
    "lab down": "lab down --dir {lab}",
}


#: What cannot be done in a lab that is well, each with its reason.
NOT_DONE = {
    "demo": 2,  # its folder holds something else
    "work revert": 2,  # no such commit
    "ci trigger": 7,  # nothing in the sample runs on that event
}


class Sweeper:
    """Types verbs in a lab and searches everything they touch for the lab's secrets."""

    def __init__(self, home: Path) -> None:
        self.lab, self.env = Layout(home / "lab"), bare_env(home) | {"FORGE_TOKEN": FORGE_TOKEN}
        self.home = home
        self.secrets: dict[str, str] = {"forge": FORGE_TOKEN}

    def learn(self) -> None:
        """Take over the lab's environment and its secrets: the CI token, Vault's, and the cluster's."""
        source = ["sh", "-c", f". {self.lab.env} && env -0"]
        sourced = subprocess.run(source, env=self.env, capture_output=True, text=True, check=True).stdout
        self.env = dict(line.split("=", 1) for line in sourced.split("\0") if "=" in line)
        kept = (self.lab.secrets / "ci-token", self.lab.secrets / "vault-token", self.lab.part("kubernetes") / "token")
        self.secrets |= {str(path): path.read_text().strip() for path in kept}
        with self.lab.config.open("a") as file:
            file.write('\n[forge."git.homelab.test"]\nkind = "gitea"\ntoken_env = ["FORGE_TOKEN"]\n')
            file.write("\n[timeouts]\nstable_for = 0\nhttp = 2\n")

    def type(self, line: str, output: str) -> tuple[int, str]:
        words, _, folder = line.format(lab=self.lab.root).partition(" @")
        cwd = Path(folder) if folder else self.lab.clone if self.lab.clone.is_dir() else self.home
        here = World(self.env, cwd, None, io.StringIO(), io.StringIO())
        with self._watching_argv():
            code = run([*words.split(), "--output", output], here)
        shown = written(here.stdout) + written(here.stderr)
        self.search(shown, f"what `homelab {words}` printed")
        return code, shown

    @contextmanager
    def _watching_argv(self) -> Iterator[None]:
        """Look at the command lines of all processes, as anybody on the machine may, while a verb runs."""
        over, seen = threading.Event(), set[str]()

        def look() -> None:
            while not over.wait(0.05):
                for path in Path("/proc").glob("[0-9]*/cmdline"):
                    try:
                        seen.add(path.read_bytes().decode(errors="replace"))
                    except OSError:
                        continue

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
        self.search("\n".join(seen), "a command line")

    def search(self, text: str, where: str) -> None:
        assert [name for name, secret in self.secrets.items() if secret in text] == [], where

    def search_files(self) -> None:
        """Look into all that a person would back up or commit: the clone with its git folder, homelab's own state."""
        state = World(self.env, self.home, None, io.StringIO(), io.StringIO()).state_home
        for path in [*self.lab.clone.rglob("*"), *state.rglob("*")]:
            if path.is_file() and not path.is_symlink():
                self.search(path.read_bytes().decode(errors="replace"), str(path))


def test_the_table_holds_every_verb() -> None:
    context = click.Context(cli)
    verbs = {json.loads(line)["name"] for line in manifest(cli.to_info_dict(context))}
    assert verbs == set(TYPED)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_verb_prints_runs_or_keeps_a_token(tmp_path: Path) -> None:
    sweeper = Sweeper(tmp_path)
    codes: dict[str, int] = {}
    try:
        for verb, line in TYPED.items():
            if verb == "lab down":
                sweeper.search_files()
            codes[verb], shown = sweeper.type(line, "ndjson")
            assert codes[verb] != 3, shown
            if verb == "lab up":
                sweeper.learn()
                repeated = sweeper.type(line, "plain")
                assert repeated[0] == 0
            if verb == "work start":
                (sweeper.lab.clone / ".worktrees/topic/new.txt").write_text("new\n")
                commit = "git add new.txt && git commit -qm 'Add new'"
                tree = sweeper.lab.clone / ".worktrees/topic"
                subprocess.run(["sh", "-c", commit], cwd=tree, env=sweeper.env, check=True)
    finally:
        if sweeper.lab.root.exists():
            sweeper.type(TYPED["lab down"], "plain")
    del codes["ci lint"]  # fetches a schema from outside
    assert {verb: code for verb, code in codes.items() if code != 0} == NOT_DONE
