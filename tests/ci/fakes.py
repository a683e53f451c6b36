"""A Woodpecker behind the JsonHttp protocol, and real git repositories with a remote, for the ci tests."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from homelab.ci.model import Pipeline, State, Step, Workflow
from homelab.errors import HttpStatus, Unreachable
from homelab.http.port import Answer, Body, Params, ServerEvent, Site

Json = dict[str, Any]
OID = "a" * 40
OTHER = "b" * 40


def pipeline(number: int = 12, state: State = State.SUCCESS, **fields: Any) -> Pipeline:
    """A finished push run of main with one workflow in the same state, unless told otherwise."""
    given: dict[str, Any] = {
        "commit": OID,
        "event": "push",
        "branch": "main",
        "ref": "refs/heads/main",
        "url": f"https://ci.example.org/repos/7/pipeline/{number}",
        "said": state.value,
        "server": "home",
        "id": 1000 + number,
        "created": 100,
        "started": 101,
        "finished": 0 if state in {State.RUNNING, State.PENDING, State.BLOCKED, State.CREATED} else 173,
        "workflows": (workflow("build", state),),
    }
    return Pipeline(number=number, state=state, **(given | fields))


def workflow(name: str, state: State, *steps: Step, **fields: Any) -> Workflow:
    return Workflow(id=hash(name) % 1000, name=name, state=state, pid=1, steps=steps, **fields)


def step(name: str, state: State, exit_code: int = 0, **fields: Any) -> Step:
    given: dict[str, Any] = {"id": hash(name) % 1000, "pid": 2, "started": 110} | fields
    return Step(name=name, state=state, exit_code=exit_code, **given)


def raw_step(name: str, state: str = "success", *, number: int = 31, pid: int = 3, exit_code: int = 0) -> Json:
    return {
        "id": number,
        "uuid": f"u{number}",
        "pipeline_id": 1,
        "pid": pid,
        "ppid": 1,
        "name": name,
        "state": state,
        "exit_code": exit_code,
        "started": 110,
        "finished": 120,
        "type": "commands",
    }


def raw_pipeline(number: int, status: str = "success", *, commit: str = OID, **fields: Any) -> Json:
    """A pipeline as 3.x sends it, with one workflow of a clone and a test step."""
    children = [raw_step("clone", number=30, pid=2) | {"type": "clone"}, raw_step("test", status, number=31)]
    found: Json = {
        "id": 1000 + number,
        "number": number,
        "parent": 0,
        "created": 1_700_000_000,
        "updated": 1_700_000_000,
        "started": 1_700_000_001,
        "finished": 0 if status in {"created", "pending", "running", "blocked", "declined"} else 1_700_000_073,
        "author": "ann",
        "event": "push",
        "status": status,
        "commit": commit,
        "branch": "main",
        "ref": "refs/heads/main",
        "title": "a change",
        "errors": None,
        "workflows": [{"id": 21, "pid": 1, "name": "build", "state": status, "children": children}],
    }
    return found | fields


class FakeWoodpecker:
    """What server/api does, for one repository with id 7, in memory. ``then`` runs before the n-th request."""

    ahead: float | None = None

    def __init__(self, slug: str = "team/app", *, repo: Json | None = None) -> None:
        self.site = Site("https://ci.example.org", name="Woodpecker")
        self.slug = slug
        self.repo: Json | None = {
            "id": 7,
            "full_name": slug,
            "active": True,
            "default_branch": "main",
            "config_file": "",
            "require_approval": "forks",
            "timeout": 60,
        } | (repo or {})
        self.user: Json | None = {"id": 1, "login": "ann"}
        self.permissions: Json = {"pull": True, "push": True, "admin": False}
        self.pipelines: dict[int, Json] = {}
        #: Listed, but a 404 when asked for by number: what a busy database makes of them.
        self.hidden: set[int] = set()
        self.logs: dict[int, list[Json] | None] = {}
        self.asked: list[str] = []
        self.sent: list[tuple[str, str, Any]] = []
        self.before: Callable[[str], None] = lambda _path: None
        self.fail: Exception | None = None
        self.events: Queue[ServerEvent | None] | None = None
        self.closed = False
        self.piece = 50

    def add(self, *raws: Json) -> None:
        for raw in raws:
            self.pipelines[raw["number"]] = raw

    def get(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Any:
        return self.fetch(path, params=params, budget=budget).json()

    def fetch(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Answer:
        self.before(path)
        self.asked.append(path)
        if self.fail is not None:
            raise self.fail
        return Answer(200, {"content-type": "application/json"}, json.dumps(self._answer(path, params or {})).encode())

    def _answer(self, path: str, params: Params) -> Any:
        match path.removeprefix("/api/").split("/"):
            case ["user"]:
                return self._found(self.user, 401)
            case ["repos", "lookup", *slug]:
                known = self.repo is not None and "/".join(slug).lower() == self.slug.lower()
                return self._found(self.repo if known else None)
            case ["repos", repo_id, *rest]:
                if self.repo is None or int(repo_id) != self.repo["id"]:
                    raise status(404)
                return self._below(rest, params)
        raise status(404)

    def _below(self, rest: list[str], params: Params) -> Any:
        match rest:
            case []:
                return self.repo
            case ["permissions"]:
                return self.permissions
            case ["pipelines"]:
                size = min(int(params.get("perPage", 50)), 50)
                start = (int(params.get("page", 1)) - 1) * size
                rows = [self.pipelines[number] for number in sorted(self.pipelines, reverse=True)]
                return [{k: v for k, v in row.items() if k != "workflows"} for row in rows[start : start + size]]
            case ["pipelines", "latest"]:
                pushes = [
                    p for p in self.pipelines.values() if p["event"] == "push" and p["branch"] == params["branch"]
                ]
                return self._found(max(pushes, key=lambda p: p["number"], default=None))
            case ["pipelines", number]:
                return self._found(None if int(number) in self.hidden else self.pipelines.get(int(number)))
            case ["logs", _number, step_id]:
                return self.logs.get(int(step_id))
        raise status(404)

    def _found(self, value: Any, code: int = 404) -> Any:
        if value is None:
            raise status(code)
        return value

    def send(
        self, method: str, path: str, *, json: Any = None, params: Params | None = None, safe_to_repeat: bool = False
    ) -> Answer:
        self.sent.append((method, path, json))
        return Answer(204, {}, b"")

    @contextmanager
    def stream(
        self, path: str, *, idle: float, headers: Mapping[str, str] | None = None
    ) -> Iterator[Iterator[ServerEvent]]:
        self.asked.append(path)
        if self.events is None:
            raise Unreachable("no stream", why="muted", fix="-")
        yield self._told(self.events)

    def _told(self, events: Queue[ServerEvent | None]) -> Iterator[ServerEvent]:
        while not self.closed:
            try:
                event = events.get(timeout=0.05)
            except Empty:
                continue
            if event is None:
                return
            yield event

    @contextmanager
    def pour(
        self,
        path: str,
        *,
        idle: float,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        budget: float | None = None,
    ) -> Iterator[Body]:
        body = self.fetch(path, params=params).body
        size = self.piece
        yield Body(200, {}, (body[start : start + size] for start in range(0, len(body), size)))

    def close(self) -> None:
        self.closed = True


def status(code: int, body: str = "") -> HttpStatus:
    """A refusal, empty-bodied as Woodpecker's are."""
    why = body or "it gave no reason"
    return HttpStatus(f"Woodpecker answered {code}", status=code, body=body, why=why, fix="homelab doctor")


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def log(*texts: str, first: int = 0) -> list[Json]:
    return [
        {
            "id": 900 + n,
            "step_id": 31,
            "time": n,
            "line": n,
            "data": base64.b64encode(text.encode()).decode(),
            "type": 0,
        }
        for n, text in enumerate(texts, first)
    ]


def git(root: Path, *words: str) -> str:
    ended = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True)
    return ended.stdout.strip()


class Checkout:
    """A real clone of a real bare remote, with a configured CI file on main, pushed."""

    def __init__(self, folder: Path, *, config: str | None = ".woodpecker.yaml") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.remote = folder / "remote.git"
        self.root = folder / "app"
        git(folder, "init", "-q", "--bare", "-b", "main", str(self.remote))
        git(folder, "init", "-q", "-b", "main", str(self.root))
        git(self.root, "remote", "add", "origin", str(self.remote))
        if config:
            (self.root / config).parent.mkdir(parents=True, exist_ok=True)
            (self.root / config).write_text("steps: []\n")
        self.first = self.commit("first")
        git(self.root, "push", "-q", "-u", "origin", "main")

    def commit(self, message: str, branch: str | None = None) -> str:
        if branch:
            git(self.root, "switch", "-q", "-c", branch)
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "--allow-empty", "-m", message)
        return git(self.root, "rev-parse", "HEAD")

    def push(self, *refspec: str) -> None:
        git(self.root, "push", "-q", "origin", *(refspec or ("HEAD",)))


class FakeForge(FakeWoodpecker):
    """A Forgejo or Gitea: answers by path; a value may be an error, or a function of the page."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__("o/r")
        self.site = Site("https://git.example.org", name="Forgejo")
        self.answers = dict(answers)

    def answer(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Answer:
        """With a total where all rows are on one page; a function of the page tells none."""
        found, body = self.answers.get(path), self.fetch(path, params=params).body
        rows = [value for value in found.values() if isinstance(value, list)] if isinstance(found, Mapping) else []
        total = {} if callable(found) else {"x-total-count": str(len(rows[0]) if rows else 0)}
        return Answer(200, total, body)

    def send(
        self, method: str, path: str, *, json: Any = None, params: Params | None = None, safe_to_repeat: bool = False
    ) -> Answer:
        self.sent.append((method, path, json))
        found = self.answers.get(f"{method} {path}", status(404))
        if isinstance(found, Exception):
            raise found
        return Answer(200, {}, encoded(found))

    @contextmanager
    def pour(
        self,
        path: str,
        *,
        idle: float,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        budget: float | None = None,
    ) -> Iterator[Body]:
        """A string is a log: its bytes, from ``Range`` on where it is asked for."""
        self.asked.append(path + "".join(f"?{name}={value}" for name, value in (params or {}).items()))
        found = self.answers.get(self.asked[-1], self.answers.get(path, status(404)))
        if isinstance(found, Exception):
            raise found
        begin = int((headers or {}).get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        body = str(found).encode()[begin:]
        if begin and not body:
            raise status(416)
        yield Body(206 if begin else 200, {"content-range": f"bytes {begin}-"} if begin else {}, iter([body]))

    def _answer(self, path: str, params: Params) -> Any:
        found = self.answers.get(path, status(404))
        if isinstance(found, Exception):
            raise found
        return found(params.get("page", 1)) if callable(found) else found
