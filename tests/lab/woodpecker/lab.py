"""A world for tests of the lab's CI server: a bare repository, a clone, the server in a thread, a client."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from homelab.lab.woodpecker.config import Config, Repository, User
from homelab.lab.woodpecker.hook import install
from homelab.lab.woodpecker.server import LabWoodpecker
from homelab.secret import Secret

TOKENS = {"dev": "dev-token", "reader": "reader-token", "admin": "admin-token", "stranger": "stranger-token"}
GREEN = "steps:\n  - name: build\n    image: bash\n    commands: [echo built]\n"
SLOW = "steps:\n  - name: build\n    image: bash\n    commands: [echo begun, sleep 30]\n"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def send(url: str, method: str, body: Any, headers: dict[str, str]) -> Reply:
    """Send one request and return whatever comes, redirects and refusals included."""
    sent = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, sent, headers, method=method)
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=10) as answer:
            return Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return Reply(refused.code, {k.lower(): v for k, v in refused.headers.items()}, refused.read())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


@dataclass
class World:
    """One repository ``lab/shop`` with a clone, and one server."""

    folder: Path
    config: Config
    server: LabWoodpecker
    #: Lines the last push saw from the hook.
    said: str = ""
    opened: list[HTTPConnection] = field(default_factory=list)

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", str(self.clone), *words], capture_output=True, text=True, check=True)
        self.said = done.stderr
        return done.stdout.strip()

    def push(self, files: dict[str, str], message: str = "Change", branch: str = "main") -> str:
        """Commit files, push them, return the commit."""
        for name, text in files.items():
            (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
            (self.clone / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        oid = self.git("rev-parse", "HEAD")
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return oid

    def call(
        self, path: str, *, method: str = "GET", token: str | None = "dev", body: Any = None, **headers: str
    ) -> Reply:
        if token:
            headers = {"Authorization": f"Bearer {TOKENS.get(token, token)}", **headers}
        return send(self.server.url + path, method, body, headers)

    def get(self, path: str, **more: Any) -> Any:
        return self.call(path, **more).json

    def pipeline(self, number: int = 1) -> Any:
        return self.get(f"/api/repos/1/pipelines/{number}")

    def wait(self, number: int = 1, *states: str) -> Any:
        """Return the pipeline once it is in one of ``states``, any final one unless named."""
        wanted = states or ("success", "failure", "error", "killed", "canceled", "declined")
        return self.until(lambda: (made := self.pipeline(number))["status"] in wanted and made)

    def wait_quiet(self, number: int = 1) -> Any:
        """Return the pipeline once no step moves any more."""
        return self.until(lambda: (made := self.pipeline(number)) and not _moving(made) and made)

    def until(self, look: Callable[[], Any], seconds: float = 10) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.01)
        return found

    def log(self, number: int, step: str) -> list[str]:
        """Return a step's lines in the order the server gives them."""
        step_id = self.step(number, step)["id"]
        lines = self.get(f"/api/repos/1/logs/{number}/{step_id}") or []
        return [base64.b64decode(line["data"] or "").decode(errors="replace") for line in lines]

    def step(self, number: int, name: str) -> Any:
        return next(step for step in steps(self.pipeline(number)) if step["name"] == name)

    def faults(self, **values: Any) -> None:
        assert self.call("/_lab/faults", method="POST", body=values, token=None).status == 200

    def hook(self, **given: Any) -> Reply:
        """Tell the server of an event no push makes."""
        address = json.loads((self.server.state / "hook.json").read_text())
        told = {"path": str(self.config.repositories[0].path), "ref": "refs/heads/main", **given}
        headers = {"X-Hook-Token": address["token"]}
        return self.call("/api/hook", method="POST", token=None, body=told, **headers)

    @contextmanager
    def stream(self, path: str, *, token: str | None = "dev", **headers: str) -> Iterator[Iterator[str]]:
        """Open an event stream: an iterator over its lines, without the empty ones."""
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        if token:
            headers = {"Authorization": f"Bearer {TOKENS.get(token, token)}", **headers}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        assert answer.headers["X-Accel-Buffering"] == "no"
        try:
            yield (line.decode().rstrip("\n") for line in answer if line.strip())
        finally:
            answer.close()
            connection.close()

    def restart(self, **change: Any) -> None:
        """Stop the server and start another one on the same state and port."""
        self.server.__exit__(None, None, None)
        self.config = replace(self.config, **change)
        self.server = LabWoodpecker(self.config, self.server.state, port=self.server.port)
        self.server.__enter__()


def _moving(pipeline: Any) -> bool:
    flows = pipeline.get("workflows", [])
    return any(one["state"] in {"pending", "running"} for one in [pipeline | {"state": pipeline["status"]}, *flows])


def steps(pipeline: Any) -> list[Any]:
    return [step for flow in pipeline.get("workflows", []) for step in flow.get("children", [])]


def states(pipeline: Any) -> dict[str, str]:
    return {step["name"]: step["state"] for step in steps(pipeline)}


def make_config(folder: Path, **change: Any) -> Config:
    users = tuple(
        User(number, login, Secret(token), admin=login == "admin")
        for number, (login, token) in enumerate(TOKENS.items(), 1)
    )
    shop = Repository(
        1, "lab/shop", folder / "shop.git", permissions={"dev": "admin", "reader": "pull"}, former_names=("lab/Old",)
    )
    repository_change = {name: change.pop(name) for name in list(change) if name in Repository.__dataclass_fields__}
    base = Config("https://ci.homelab.test", users, (replace(shop, **repository_change),))
    return replace(base, **change)


@contextmanager
def world(folder: Path, **change: Any) -> Iterator[World]:
    """Start everything; ``change`` sets fields of the repository or of the configuration."""
    bare = folder / "shop.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    subprocess.run(["git", "clone", "--quiet", str(bare), str(folder / "clone")], check=True, capture_output=True)
    config = make_config(folder, **change)
    install(bare, folder / "state")
    made = World(folder, config, LabWoodpecker(config, folder / "state"))
    made.server.__enter__()
    try:
        yield made
    finally:
        made.server.__exit__(None, None, None)
