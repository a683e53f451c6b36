"""Real servers for the tests in this folder, started once a module and stopped after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import pytest

from homelab.lab import process
from homelab.lab.caddy import Certificate, start_caddy
from homelab.lab.caddy import Running as RunningCaddy
from homelab.lab.openbao import Running as RunningOpenBao
from homelab.lab.openbao import start_openbao


class StartCaddy(Protocol):
    def __call__(self, routes: Mapping[str, str], *, certificate: Certificate | None = None) -> RunningCaddy: ...


@pytest.fixture(scope="module")
def caddy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartCaddy]:
    """Start a Caddy for the given routes (public name → ``host:port``); all are stopped after the module."""
    children = []

    def start(routes: Mapping[str, str], *, certificate: Certificate | None = None) -> RunningCaddy:
        running = start_caddy(tmp_path_factory.mktemp("caddy"), routes, certificate=certificate)
        children.append(running.child)
        return running

    yield start
    for child in children:
        process.stop(child)


@pytest.fixture(scope="module")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOpenBao]:
    """An OpenBao of its own for the module: initialised, unsealed, KV v2 at ``secret/``."""
    running = start_openbao(tmp_path_factory.mktemp("openbao"))
    yield running
    process.stop(running.child)
