"""CI files checked against a schema that a host serves over TLS: fetched, kept, and what is said without it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from homelab.ci.schema import FRESH
from homelab.cli import run
from homelab.lab import process
from homelab.lab.caddy import start_caddy
from homelab.world import World

pytest.importorskip("jsonschema")

SCHEMA = {"type": "object", "required": ["steps"], "properties": {"steps": {"type": "array"}}}


@dataclass
class Host:
    """What serves the schema, how often it was asked, and a repository with a CI file."""

    folder: Path
    dial: str
    ca_file: Path
    body: bytes = json.dumps(SCHEMA).encode()
    asked: int = 0

    def lint(self, *words: str, dial: str = "") -> tuple[int, str, str]:
        settings = self.folder / "config.toml"
        settings.write_text(
            f'[schema.woodpecker]\nurl = "https://schemas.homelab.test/woodpecker.json"\n'
            f'dial = "{dial or self.dial}"\nca_file = "{self.ca_file}"\n'
        )
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "HOMELAB_CONFIG": str(settings)}
        out, err = io.StringIO(), io.StringIO()
        code = run(["ci", "lint", *words], World(env=env, cwd=self.folder / "app", stdin=None, stdout=out, stderr=err))
        return code, out.getvalue(), err.getvalue()

    def age(self, seconds: float) -> None:
        (kept,) = self.folder.glob(".local/state/homelab/ci/schema-*.json")
        moment = kept.stat().st_mtime - seconds
        os.utime(kept, (moment, moment))


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(made.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    caddy = start_caddy(tmp_path / "caddy", {"schemas.homelab.test": f"127.0.0.1:{server.server_port}"})
    made = Host(tmp_path, caddy.dial, caddy.ca_file)
    app = tmp_path / "app"
    subprocess.run(["git", "init", "--quiet", str(app)], check=True)
    (app / ".woodpecker.yaml").write_text("steps: []\n")
    try:
        yield made
    finally:
        process.stop(caddy.child)
        server.shutdown()
        server.server_close()


def test_a_schema_is_fetched_kept_and_outlives_its_host(host: Host) -> None:
    green = host.lint()
    (host.folder / "app" / ".woodpecker.yaml").write_text("name: x\nsteps: 3\n")
    red = host.lint()
    host.age(FRESH + 60)
    stale = host.lint(dial="127.0.0.1:1")
    again = host.lint()

    assert green[0] == 0, green
    assert "checked against https://schemas.homelab.test/woodpecker.json" in green[1]
    assert (red[0], red[1].splitlines()[0]) == (1, ".woodpecker.yaml:2: steps: 3 is not of type 'array'")
    assert (stale[0], "the schema is 168h01m old" in stale[2]) == (1, True), stale
    assert (again[0], host.asked) == (1, 2)


def test_without_host_and_copy_the_way_that_works_is_said(host: Host) -> None:
    code, _, err = host.lint(dial="127.0.0.1:1")
    (host.folder / "schema.json").write_text(json.dumps(SCHEMA))
    offline = host.lint("--schema", str(host.folder / "schema.json"), dial="127.0.0.1:1")
    unread = host.lint("--schema", str(host.folder / "app" / ".woodpecker.yaml"))

    assert code == 5, err
    assert "next: curl -Lo schema.json https://schemas.homelab.test/woodpecker.json" in err
    assert "homelab ci lint --schema schema.json" in err
    assert offline[0] == 0, offline
    assert unread[0] == 2, unread


def test_what_is_no_schema_is_not_kept(host: Host) -> None:
    host.body = b"[]"
    code, _, err = host.lint()

    assert code == 5, err
    assert "is not a JSON object" in err
    assert not list(host.folder.glob(".local/state/homelab/ci/schema-*.json"))
