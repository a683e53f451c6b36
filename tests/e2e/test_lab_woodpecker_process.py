"""The lab's CI server as a process of its own: start, ready file, stop, restart, and its hook."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from homelab.lab.woodpecker.hook import install
from tests.lab.woodpecker.lab import GREEN

SLOW = "steps:\n  - {name: a, image: x, commands: ['echo $$ > %s', sleep 60]}\n"


def configuration(folder: Path) -> Path:
    bare, clone = folder / "shop.git", folder / "clone"
    if not bare.exists():
        subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", bare], check=True)
        subprocess.run(["git", "clone", "-q", bare, clone], check=True, capture_output=True)
        install(bare, folder / "state")
    token = folder / "token"
    token.touch(0o600)
    token.write_text("dev-token\n")
    file = folder / "ci.json"
    users = [{"login": "dev", "token_file": str(token)}]
    repositories = [{"full_name": "lab/shop", "path": str(bare), "permissions": {"dev": "admin"}}]
    file.write_text(json.dumps({"host": "https://ci.homelab.test", "users": users, "repositories": repositories}))
    return file


def command(folder: Path, *more: str) -> list[str]:
    options = {"--state": folder / "state", "--ready": folder / "ready.json", "--config": configuration(folder)}
    words = [word for pair in options.items() for word in map(str, pair)]
    return [sys.executable, "-m", "homelab.lab.woodpecker", *words, *more]


@contextmanager
def server(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    with (folder / "server.log").open("ab") as log, subprocess.Popen(command(folder), stderr=log) as process:
        try:
            deadline = time.monotonic() + 10
            while not ready.exists():
                assert process.poll() is None, (folder / "server.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            said = json.loads(ready.read_text())
            assert said["pid"] == process.pid
            yield process, said["port"]
        finally:
            process.kill()


def get(port: int, path: str) -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": "Bearer dev-token"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def push(folder: Path, text: str) -> str:
    clone = folder / "clone"
    (clone / ".woodpecker.yaml").write_text(text)
    for words in (["add", "-A"], ["commit", "-qm", "Change"]):
        subprocess.run(["git", "-C", clone, *words], check=True)
    done = subprocess.run(
        ["git", "-C", clone, "push", "origin", "HEAD:main"], check=True, capture_output=True, text=True
    )
    return done.stderr


def wait(port: int, status: str) -> Any:
    deadline = time.monotonic() + 10
    while (made := get(port, "/api/repos/1/pipelines/1"))["status"] != status:
        assert time.monotonic() < deadline, made
        time.sleep(0.02)
    return made


def test_it_serves_on_loopback_runs_a_push_and_stops_when_told(tmp_path: Path) -> None:
    with server(tmp_path) as (process, port):
        assert "CI: pipeline #1 for refs/heads/main" in push(tmp_path, GREEN)
        wait(port, "success")
        process.send_signal(signal.SIGTERM)
        assert process.wait(2) == 0


def test_stopping_it_leaves_no_child(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with server(tmp_path) as (process, port):
        push(tmp_path, SLOW % pid)
        wait(port, "running")
        deadline = time.monotonic() + 10
        while not (pid.exists() and pid.read_text().strip()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/stream/events?access_token=dev-token", timeout=5):
            process.send_signal(signal.SIGTERM)
            assert process.wait(2) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_killed_outright_it_takes_its_steps_along(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with server(tmp_path) as (process, port):
        push(tmp_path, SLOW % pid)
        wait(port, "running")
        deadline = time.monotonic() + 10
        while not (pid.exists() and pid.read_text().strip()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
        process.wait()
    while _runs(int(pid.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    """Return whether the process is there; one that nobody reaped yet is not."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(shown.strip()) and not shown.startswith("Z")


def test_a_workspace_is_gone_after_its_run_and_those_of_a_killed_server_at_the_next_start(tmp_path: Path) -> None:
    work, gate = tmp_path / "state" / "work", tmp_path / "gate"
    with server(tmp_path) as (process, port):
        push(tmp_path, f"steps:\n  - {{name: a, image: x, commands: ['until [ -e {gate} ]; do sleep 0.05; done']}}\n")
        wait(port, "running")
        (left,) = work.iterdir()
        process.kill()
    gate.touch()
    with server(tmp_path) as (_, port):
        assert not left.exists()
        wait(port, "success")
        assert list(work.iterdir()) == []


def test_killed_outright_it_takes_the_run_up_again(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with server(tmp_path) as (process, port):
        push(tmp_path, f"steps:\n  - {{name: a, image: x, commands: ['until [ -e {gate} ]; do sleep 0.05; done']}}\n")
        wait(port, "running")
        process.kill()
    gate.touch()
    with server(tmp_path) as (_, port):
        assert wait(port, "success")["number"] == 1


def test_a_push_goes_through_while_the_server_is_down(tmp_path: Path) -> None:
    configuration(tmp_path)
    assert "CI: the CI server has left no address; nothing was started" in push(tmp_path, GREEN)
    with server(tmp_path):
        pass
    assert "CI: the CI server does not answer" in push(tmp_path, GREEN + "  # again\n")


def test_its_state_and_hook_address_are_for_its_owner_alone(tmp_path: Path) -> None:
    with server(tmp_path):
        assert (tmp_path / "state").stat().st_mode & 0o077 == 0
        assert (tmp_path / "state" / "hook.json").stat().st_mode & 0o077 == 0


def test_a_token_that_others_may_read_is_refused_before_serving(tmp_path: Path) -> None:
    words = command(tmp_path)
    (tmp_path / "token").chmod(0o644)
    done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 2
    assert "may be read by others; chmod 600" in done.stderr
    assert "dev-token" not in done.stderr
