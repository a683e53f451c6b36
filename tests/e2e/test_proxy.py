"""A proxy of the environment sees a tunnel and no token; a dialed host never goes through it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from homelab.errors import CertificateRefused, Unreachable
from homelab.http.client import Client
from homelab.http.port import Site
from homelab.secret import Secret
from tests.e2e.wires import Wire, answer, wire

TOKEN = "tok-8c1f2e"


def pump(source: socket.socket, sink: socket.socket, seen: bytearray) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            seen += data
            sink.sendall(data)


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Wire]:
    ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ca.issue_cert("ci.example.org").configure_cert(context)
    with wire(lambda c: c.sendall(answer(b'{"login": "me"}')), context=context) as running:
        yield running


@pytest.fixture
def proxy(behind: Wire) -> Iterator[Wire]:
    """An HTTP proxy that tunnels every CONNECT to ``behind``."""

    def tunnel(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", behind.port)) as onward:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=pump, args=(onward, connection, running.received), daemon=True).start()
            pump(connection, onward, running.received)

    with wire(tunnel) as running:
        yield running


def client(site: Site, proxy: Wire) -> Client:
    return Client(site, token=Secret(TOKEN), budget=2.0, env={"HTTPS_PROXY": f"http://u:hunter2@{proxy.dial}"})


def test_a_tunnel_keeps_name_certificate_and_token_from_the_proxy(behind: Wire, proxy: Wire, tmp_path: Path) -> None:
    http = client(Site("https://ci.example.org", ca_file=tmp_path / "ca.pem"), proxy)
    assert http.get("/api/user") == {"login": "me"}
    http.close()
    assert proxy.received.startswith(b"CONNECT ci.example.org:443 HTTP/1.1\r\n")
    assert TOKEN.encode() not in proxy.received
    assert TOKEN.encode() in behind.received


def test_a_certificate_is_checked_through_a_proxy_too(behind: Wire, proxy: Wire) -> None:
    http = client(Site("https://ci.example.org"), proxy)
    with pytest.raises(CertificateRefused, match="from an authority unknown here"):
        http.get("/api/user")
    http.close()
    assert bytes(behind.received) == b""


def test_a_dialed_host_is_not_asked_for_at_the_proxy(behind: Wire, proxy: Wire, tmp_path: Path) -> None:
    http = client(Site("https://ci.example.org", dial=behind.dial, ca_file=tmp_path / "ca.pem"), proxy)
    assert http.get("/api/user") == {"login": "me"}
    http.close()
    assert proxy.connections == 0


def test_a_proxy_that_refuses_is_named() -> None:
    with wire(lambda c: c.sendall(answer(b"", status="407 Proxy Authentication Required"))) as refusing:
        http = client(Site("https://ci.example.org"), refusing)
        with pytest.raises(Unreachable, match="the environment's proxy gives no way") as caught:
            http.get("/api/user", budget=0.3)
        http.close()
    assert "407" in caught.value.why
    assert "hunter2" not in str(caught.value.record())
