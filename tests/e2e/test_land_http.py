"""Landing over HTTP against ``git http-backend`` behind a server that drops, refuses and stalls."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from homelab.outcome import Outcome
from tests.work.site import Site


class GitServer(ThreadingHTTPServer):
    """Serves one folder of repositories; ``mood`` says what becomes of a push."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), GitPages)
        self.root = root
        self.mood = ""
        self.asked: list[str] = []


class GitPages(BaseHTTPRequestHandler):
    """A small CGI gateway to git's own backend."""

    server: GitServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._serve(body)

    def _serve(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        pushing = "git-receive-pack" in self.path
        self.server.asked.append(f"{self.command} {path.rpartition('/')[2]}")
        mood = self.server.mood if pushing else ""
        if mood in {"401", "403", "404", "429", "503"} or (mood == "413" and self.command == "POST"):
            self._answer(int(mood), b"", {"WWW-Authenticate": 'Basic realm="git"'} if mood == "401" else {})
            return
        if mood == "drop before" and self.command == "POST":
            self.connection.close()
            self.close_connection = True
            return
        answer = self._backend(path, query, body)
        if mood == "drop after" and self.command == "POST":
            # An answer that has begun: the client may not send the request again by itself.
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-receive-pack-result\r\n")
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True
            return
        head, _, content = answer.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self._answer(int(headers.pop("Status", "200").split()[0]), content, headers)

    def _backend(self, path: str, query: str, body: bytes) -> bytes:
        env = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "test",
            "REMOTE_ADDR": "127.0.0.1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        return subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=True).stdout

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Site, GitServer]]:
    site = Site.make(tmp_path / "site")
    site.topic()
    site.commit("feature.txt")
    server = GitServer(site.root)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site.git.text("remote", "set-url", "origin", f"http://me:s3cret@127.0.0.1:{server.server_port}/remote.git")
    yield site, server
    server.shutdown()
    server.server_close()


def _truth(site: Site, result) -> None:
    assert result.landed is (site.remote.run("cat-file", "-e", "main:feature.txt").code == 0)
    assert "s3cret" not in str(result.envelope())


def test_a_plain_http_land_works_and_is_warned_of(served):
    site, _ = served
    result = site.land()
    assert result.outcome is Outcome.DONE
    assert any("plain text" in line for line in site.seen.plain)
    _truth(site, result)


def test_an_answer_lost_after_the_update_is_asked_about_and_not_pushed_again(served):
    site, server = served
    server.mood = "drop after"
    result = site.land()
    assert result.outcome is Outcome.DONE, result.lines()
    assert server.asked.count("POST git-receive-pack") == 1
    _truth(site, result)


def test_a_connection_lost_before_the_update_is_not_called_landed(served):
    site, server = served
    server.mood = "drop before"
    result = site.land()
    assert result.outcome is Outcome.PUSH_NETWORK
    _truth(site, result)


def test_a_push_that_is_too_large_is_not_retried(served):
    site, server = served
    server.mood = "413"
    result = site.land()
    assert result.outcome is Outcome.PUSH_POLICY, result.lines()
    assert server.asked.count("POST git-receive-pack") == 1
    _truth(site, result)


@pytest.mark.parametrize("mood", ["401", "403", "404"])
def test_a_refused_credential_is_told_at_once(served, mood: str):
    site, server = served
    server.mood = mood
    result = site.land()
    assert result.outcome is Outcome.PUSH_DENIED, result.lines()
    _truth(site, result)


@pytest.mark.parametrize("mood", ["429", "503"])
def test_a_busy_server_is_retried_then_told(served, mood: str):
    site, server = served
    server.mood = mood
    result = site.land()
    assert result.outcome is Outcome.PUSH_NETWORK, result.lines()
    assert sum("push failed" in line for line in site.seen.plain) == 2
    _truth(site, result)
