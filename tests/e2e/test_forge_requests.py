"""Opening a pull request through a forge's API: three kinds, a request that is open already, and no token."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from homelab.errors import HomelabError, TokenMissing
from homelab.forge.connect import connect
from homelab.forge.model import Request
from homelab.git.remote_url import parse
from tests.work.site import Site

WANTED = Request(branch="fix/login", target="main", title="Fix login")


class Forge(ThreadingHTTPServer):
    """Remembers what it was asked, and has at most one open request a branch."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.asked: list[tuple[str, str, str, dict[str, str]]] = []
        self.status = 201
        self.open: list[dict[str, object]] = []


class Pages(BaseHTTPRequestHandler):
    server: Forge

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(("POST", self.path, self.headers["Authorization"], body))
        page = {"html_url": "https://forge.example/pulls/1", "web_url": "https://forge.example/mr/1"}
        self._answer(self.server.status, page if self.server.status == 201 else {"message": "no"})

    def do_GET(self) -> None:
        self.server.asked.append(("GET", self.path, self.headers["Authorization"], {}))
        self._answer(200, self.server.open)

    def _answer(self, status: int, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def forge() -> Iterator[Forge]:
    server = Forge()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _app(tmp_path: Path, forge: Forge, kind: str, *, token: str = 'token_env = ["FORGE_TOKEN"]'):
    site = Site.make(tmp_path / "site")
    config = tmp_path / "config.toml"
    api = f"http://127.0.0.1:{forge.server_port}/api"
    config.write_text(f'[forge."127.0.0.1"]\nkind = "{kind}"\napi = "{api}"\n{token}\n')
    return site.app(HOMELAB_CONFIG=str(config), FORGE_TOKEN="t0ken")


REMOTE = parse("http://127.0.0.1/group/name.git")
KINDS = [
    ("forgejo", "/api/repos/group/name/pulls", "head", "https://forge.example/pulls/1"),
    ("gitea", "/api/repos/group/name/pulls", "head", "https://forge.example/pulls/1"),
    ("github", "/api/repos/group/name/pulls", "head", "https://forge.example/pulls/1"),
    ("gitlab", "/api/projects/group%2Fname/merge_requests", "source_branch", "https://forge.example/mr/1"),
]


@pytest.mark.parametrize(("kind", "path", "branch", "page"), KINDS)
def test_each_forge_is_asked_in_its_own_words(tmp_path, forge, kind, path, branch, page):
    assert connect(_app(tmp_path, forge, kind), REMOTE).open_request(WANTED) == page
    ((method, asked, token, body),) = forge.asked
    assert (method, asked, token) == ("POST", path, "Bearer t0ken")
    assert (body[branch], body["title"]) == ("fix/login", "Fix login")


@pytest.mark.parametrize("kind", ["forgejo", "github", "gitlab"])
def test_a_request_that_is_open_already_is_found(tmp_path, forge, kind):
    forge.status = 422 if kind == "github" else 409
    forge.open = [
        {"html_url": "https://forge.example/7", "web_url": "https://forge.example/7", "head": {"ref": "fix/login"}}
    ]
    assert connect(_app(tmp_path, forge, kind), REMOTE).open_request(WANTED) == "https://forge.example/7"


def test_a_refusal_is_told_in_the_forges_words(tmp_path, forge):
    forge.status = 403
    with pytest.raises(HomelabError):
        connect(_app(tmp_path, forge, "forgejo"), REMOTE).open_request(WANTED)


def test_without_a_configured_token_nothing_is_asked(tmp_path, forge):
    with pytest.raises(TokenMissing):
        connect(_app(tmp_path, forge, "forgejo", token=""), REMOTE)
    with pytest.raises(TokenMissing):
        connect(_app(tmp_path / "2", forge, "forgejo"), parse("https://elsewhere.example/o/n"))
    assert forge.asked == []
