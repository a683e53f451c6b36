"""A world for tests of the lab's Actions server: a bare repository, a clone, the server in a thread, a client."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from homelab.lab.actions.config import Config
from homelab.lab.actions.server import LabActions
from homelab.lab.actions.words import Kind, Level
from homelab.lab.woodpecker.config import Repository, User
from homelab.lab.woodpecker.hook import install
from homelab.secret import Secret
from tests.lab.woodpecker.lab import TOKENS, Reply, send

GREEN = """
name: CI
on: [push, workflow_dispatch]
jobs:
  build:
    runs-on: docker
    steps:
      - uses: actions/checkout@v4
      - name: Make
        run: echo built
"""
FILE = ".forgejo/workflows/ci.yml"
REPO = "/api/v1/repos/lab/shop"


@dataclass
class World:
    """One repository ``lab/shop`` with a clone, and one server."""

    folder: Path
    config: Config
    server: LabActions
    said: str = ""

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", self.folder / "clone", *words], capture_output=True, text=True, check=True)
        self.said = done.stderr
        return done.stdout.strip()

    def push(self, files: dict[str, str], message: str = "Change", branch: str = "main") -> str:
        for name, text in files.items():
            path = self.folder / "clone" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        oid = self.git("rev-parse", "HEAD")
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return oid

    def call(
        self, path: str, *, method: str = "GET", token: str | None = "dev", body: Any = None, **headers: str
    ) -> Reply:
        if token:
            headers = {"Authorization": f"token {TOKENS.get(token, token)}", **headers}
        return send(self.server.url + path, method, body, headers)

    def get(self, path: str, **more: Any) -> Any:
        return self.call(REPO + path, **more).json

    def until(self, look: Callable[[], Any], seconds: float = 10) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.01)
        return found

    def statuses(self, sha: str) -> dict[str, str]:
        """Return state by context."""
        return {row["context"]: row["status"] for row in self.get(f"/commits/{sha}/status")["statuses"] or ()}

    def wait_statuses(self, sha: str) -> dict[str, str]:
        return self.until(lambda: (found := self.statuses(sha)) and "pending" not in found.values() and found)

    def runs(self, **query: str) -> list[Any]:
        words = "&".join(f"{name}={value}" for name, value in query.items())
        return self.get(f"/actions/runs?{words}")["workflow_runs"]

    def wait_run(self, sha: str) -> Any:
        """Return the newest run of a commit once it is over."""
        over = {"success", "failure", "cancelled", "skipped", "completed"}
        return self.until(lambda: (found := self.runs(head_sha=sha)) and found[0]["status"] in over and found[0])

    def jobs(self, run_id: int) -> list[Any]:
        found = self.get(f"/actions/runs/{run_id}/jobs")
        return found if isinstance(found, list) else found["jobs"]

    def log(self, job_id: int, query: str = "") -> list[str]:
        """Return a job's log without the stamps."""
        body = self.call(f"{REPO}/actions/jobs/{job_id}/logs{query}").body.decode()
        return [line.partition(" ")[2] for line in body.splitlines()]

    def faults(self, **values: Any) -> None:
        assert self.call("/_lab/faults", method="POST", body=values).status == 200

    def hook(self, **given: Any) -> Reply:
        address = json.loads((self.server.state / "hook.json").read_text())
        told = {"path": str(self.config.repositories[0].path), "ref": "refs/heads/main", **given}
        return self.call("/api/hook", method="POST", token=None, body=told, **{"X-Hook-Token": address["token"]})

    def restart(self) -> None:
        self.server.__exit__(None, None, None)
        self.server = LabActions(self.config, self.server.state, port=self.server.port)
        self.server.__enter__()


def make_config(folder: Path, kind: str = "forgejo", level: str = "D", **change: Any) -> Config:
    users = tuple(
        User(number, login, Secret(token), admin=login == "admin")
        for number, (login, token) in enumerate(TOKENS.items(), 1)
    )
    shop = Repository(1, "lab/shop", folder / "shop.git", permissions={"dev": "admin", "reader": "pull"})
    of_repository = {name: change.pop(name) for name in list(change) if name in Repository.__dataclass_fields__}
    base = Config("https://git.homelab.test", Kind(kind), Level(level), users, (replace(shop, **of_repository),))
    return replace(base, **change)


@contextmanager
def world(folder: Path, kind: str = "forgejo", level: str = "D", **change: Any) -> Iterator[World]:
    bare = folder / "shop.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    subprocess.run(["git", "clone", "--quiet", str(bare), str(folder / "clone")], check=True, capture_output=True)
    config = make_config(folder, kind, level, **change)
    install(bare, folder / "actions")
    made = World(folder, config, LabActions(config, folder / "actions"))
    made.server.__enter__()
    try:
        yield made
    finally:
        made.server.__exit__(None, None, None)
