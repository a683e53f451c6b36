"""The ports of a lab's parts, kept from one start to the next."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from homelab.errors import Unreachable
from homelab.lab.ports import Ports, claim_port, free_port


def test_a_part_gets_the_port_it_had(tmp_path: Path) -> None:
    port = free_port()
    assert Ports(tmp_path / "ports.json").again("caddy") == 0
    Ports(tmp_path / "ports.json").keep("caddy", port)
    Ports(tmp_path / "ports.json").keep("registry", 1)
    assert Ports(tmp_path / "ports.json").again("caddy") == port
    assert Ports(tmp_path / "ports.json").of("registry") == 1


def test_a_port_that_somebody_took_is_not_asked_for_again(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        Ports(tmp_path / "ports.json").keep("caddy", port)
        assert Ports(tmp_path / "ports.json").again("caddy") == 0
        with pytest.raises(Unreachable, match=f"port {port} of this machine is taken"):
            claim_port(port)


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    for text in ("", "[]", '{"caddy": "x"}', "null"):
        (tmp_path / "ports.json").write_text(text)
        assert Ports(tmp_path / "ports.json").of("caddy") == 0
