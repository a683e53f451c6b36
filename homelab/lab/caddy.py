"""Caddy as the lab's load balancer: TLS for the public names on one loopback port, its own authority.

Everything Caddy writes stays in the folder it is given; nothing is installed into a trust store.
Layer: lab.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homelab.clock import Clock
from homelab.lab import process
from homelab.lab.needs import PROGRAMS, find_program, missing
from homelab.lab.ports import claim_port
from homelab.lab.process import Child
from homelab.whole_file import write_whole

ROOT = Path("data/pki/authorities/local/root.crt")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate chain and its key, PEM files, shown for every name (tests use wrong ones)."""

    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Running:
    """A Caddy that answers TLS on ``127.0.0.1:port``. ``ca_file`` is the authority to trust."""

    child: Child
    port: int
    ca_file: Path

    @property
    def dial(self) -> str:
        """The address to dial for every public name."""
        return f"127.0.0.1:{self.port}"


def start_caddy(
    folder: Path,
    routes: Mapping[str, str],
    *,
    port: int = 0,
    certificate: Certificate | None = None,
    clock: Clock | None = None,
    remember: Callable[[Child], object] = lambda _: None,
) -> Running:
    """Start Caddy for ``routes`` (public name → ``host:port`` of its upstream); return it when TLS answers.

    ``port`` 0 takes a free one. Without ``certificate`` Caddy's own authority issues one per name;
    it stays in ``folder``, so a restart there is trusted as before. Raises UsageError without a
    caddy binary and Unreachable, with the log's end, when it does not come up or the port is taken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = claim_port(port)
    wanted = configuration(folder, routes, port=port, certificate=certificate)
    config = folder / "caddy.json"
    write_whole(config, json.dumps(wanted, indent=1))
    # Caddy keeps state under HOME and the XDG folders unless told otherwise.
    env = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder)}
    env |= {"XDG_DATA_HOME": str(folder / "share"), "XDG_CONFIG_HOME": str(folder / "config")}
    argv = [caddy_binary(), "run", "--config", str(config)]
    child = process.start("caddy", argv, folder=folder, env=env, remember=remember)
    name = next(iter(routes), "localhost")
    try:
        process.wait_ready(child, lambda: _answers_tls(port, name), clock=clock)
    except BaseException:
        process.stop(child)
        raise
    return Running(child=child, port=port, ca_file=certificate.chain if certificate else folder / ROOT)


def configuration(
    folder: Path, routes: Mapping[str, str], *, port: int, certificate: Certificate | None
) -> dict[str, Any]:
    """Return Caddy's JSON configuration (caddyserver.com/docs/json): one listener, a route per name."""
    server: dict[str, Any] = {
        "listen": [f"127.0.0.1:{port}"],
        "routes": [*(_route(name, upstream) for name, upstream in routes.items()), _no_such_host()],
        "automatic_https": {"disable_redirects": True},
        "protocols": ["h1", "h2"],
    }
    tls: dict[str, Any] = {"automation": {"policies": [{"issuers": [{"module": "internal", "lifetime": "48h"}]}]}}
    if certificate:
        tls = {"certificates": {"load_files": [_loaded(certificate)]}}
        server["automatic_https"] = {"disable": True}
        # Show this one whatever name is asked for: tests prove what a client does about it.
        server["tls_connection_policies"] = [{"certificate_selection": {"any_tag": ["given"]}}]
    return {
        "admin": {"disabled": True, "config": {"persist": False}},
        "storage": {"module": "file_system", "root": str(folder / "data")},
        "apps": {
            "pki": {"certificate_authorities": {"local": {"name": "homelab lab", "install_trust": False}}},
            "tls": tls,
            "http": {"https_port": port, "grace_period": "1s", "servers": {"lab": server}},
        },
    }


def caddy_binary() -> str:
    """Return the caddy program: beside this Python, or on PATH. Raises UsageError when there is none."""
    return program("caddy")


def program(name: str) -> str:
    """Return a lab program, beside this Python or on PATH. Raises UsageError where there is none."""
    found = find_program(name)
    if found is None:
        raise missing({name: PROGRAMS[name]})
    return found


def _route(name: str, upstream: str) -> dict[str, Any]:
    # flush_interval -1: every byte of an event stream goes on at once.
    proxy = {"handler": "reverse_proxy", "upstreams": [{"dial": upstream}], "flush_interval": -1}
    return {"match": [{"host": [name]}], "handle": [proxy], "terminal": True}


def _no_such_host() -> dict[str, Any]:
    return {"handle": [{"handler": "static_response", "status_code": 404, "body": "no such host here\n"}]}


def _loaded(certificate: Certificate) -> dict[str, Any]:
    return {"certificate": str(certificate.chain), "key": str(certificate.key), "tags": ["given"]}


def _answers_tls(port: int, name: str) -> bool | None:
    # Only whether a handshake for the public name ends well; nothing is sent over it.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=2) as raw,
        context.wrap_socket(raw, server_hostname=name),
    ):
        return True
    return None
