"""The lab's Caddy as a load balancer: names, restarts, streams, strangers."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from homelab.errors import Unreachable
from homelab.http.client import Client
from homelab.http.port import Site
from homelab.lab import process
from homelab.lab.caddy import start_caddy
from homelab.lab.ports import free_port
from tests.e2e.conftest import StartCaddy
from tests.e2e.wires import STREAM_HEAD, answer, chunk, wire

NAME = "ci.homelab.test"


def test_a_restart_in_its_folder_is_trusted_as_before(tmp_path: Path) -> None:
    with wire(lambda c: c.sendall(answer(b"[]"))) as behind:
        first = start_caddy(tmp_path / "caddy", {NAME: behind.dial})
        trusted = first.ca_file.read_bytes()
        process.stop(first.child)
        second = start_caddy(tmp_path / "caddy", {NAME: behind.dial}, port=first.port)
        try:
            assert second.ca_file.read_bytes() == trusted
            http = Client(Site(f"https://{NAME}", dial=second.dial, ca_file=second.ca_file), budget=3.0)
            assert http.get("/") == []
            http.close()
        finally:
            process.stop(second.child)


def test_all_it_writes_is_in_its_folder(tmp_path: Path) -> None:
    running = start_caddy(tmp_path / "caddy", {NAME: "127.0.0.1:9"})
    process.stop(running.child)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["caddy", "home"]
    assert list((tmp_path / "home").iterdir()) == []


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Unreachable, match=r"port \d+ .* is taken"):
        start_caddy(tmp_path / "caddy", {NAME: "127.0.0.1:9"}, port=taken.getsockname()[1])
    assert not (tmp_path / "caddy" / "caddy.log").exists()


def test_an_upstream_that_is_down_is_the_proxys_502(caddy: StartCaddy) -> None:
    front = caddy({NAME: f"127.0.0.1:{free_port()}"})
    site = Site(f"https://{NAME}", dial=front.dial, ca_file=front.ca_file, name="Woodpecker", fingerprint="X-MARK")
    http = Client(site, budget=0.5)
    with pytest.raises(Unreachable, match="the proxy in front of Woodpecker answered 502"):
        http.get("/")
    http.close()


def test_the_name_decides_whatever_port_the_public_url_has(caddy: StartCaddy) -> None:
    with wire(lambda c: c.sendall(answer(b"[]"))) as behind:
        front = caddy({NAME: behind.dial})
        http = Client(Site(f"https://{NAME}:8443", dial=front.dial, ca_file=front.ca_file), budget=3.0)
        assert http.get("/") == []
        http.close()


def test_an_event_passes_through_it_at_once(caddy: StartCaddy) -> None:
    stamps: list[float] = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(STREAM_HEAD + chunk(b": ping\n\n"))
        for number in range(5):
            time.sleep(0.05)
            stamps.append(time.monotonic())
            connection.sendall(chunk(b"data: %d\n\n" % number))
        connection.sendall(b"0\r\n\r\n")

    with wire(serve) as behind:
        front = caddy({NAME: behind.dial})
        http = Client(Site(f"https://{NAME}", dial=front.dial, ca_file=front.ca_file))
        with http.stream("/api/stream/events", idle=5.0) as events:
            seen = [time.monotonic() for _ in events]
        http.close()
    assert len(seen) == 5
    # One that holds answers back hands all of them over at the end.
    assert seen[0] < stamps[-1]
