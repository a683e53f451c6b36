"""Cutting and closing need real sockets: tests/e2e/test_wire.py."""

from __future__ import annotations

import socket

import pytest

from homelab.errors import UsageError
from homelab.http import tls
from homelab.http.client import Client
from homelab.http.dial import route
from homelab.http.pool import Pool
from homelab.http.port import Site


@pytest.mark.parametrize("proxy", ["socks5://u:hunter2@p:1080", "ftp://u:hunter2@p", "http://u:hunter2@p:x"])
def test_a_proxy_of_an_unknown_kind_is_an_error_of_configuration(proxy: str) -> None:
    with pytest.raises(UsageError, match="proxy that the environment names cannot be used") as caught:
        Client(Site("https://ci.example.org"), env={"HTTPS_PROXY": proxy})
    assert "hunter2" not in str(caught.value.record())


class Connected:
    """A network stream as the trace extension gives it."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end

    def get_extra_info(self, name: str) -> socket.socket | None:
        return self.end if name == "socket" else None


def test_a_connection_that_opens_after_the_close_is_shut_down() -> None:
    pool = Pool(route(Site("https://ci.example.org"), with_token=False, env={}), tls.context(None), {})
    pool.close()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(5)
        pool._note_socket("connection.connect_tcp.complete", {"return_value": Connected(ours)})
        assert theirs.recv(1) == b""
