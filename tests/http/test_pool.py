"""Cutting and closing need real sockets: tests/e2e/test_wire.py."""

from __future__ import annotations

import pytest

from homelab.errors import UsageError
from homelab.http.client import Client
from homelab.http.port import Site


@pytest.mark.parametrize("proxy", ["socks5://u:hunter2@p:1080", "ftp://u:hunter2@p", "http://u:hunter2@p:x"])
def test_a_proxy_of_an_unknown_kind_is_an_error_of_configuration(proxy: str) -> None:
    with pytest.raises(UsageError, match="proxy that the environment names cannot be used") as caught:
        Client(Site("https://ci.example.org"), env={"HTTPS_PROXY": proxy})
    assert "hunter2" not in str(caught.value.record())
