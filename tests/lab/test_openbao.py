"""The secret store's configuration; the running one is in tests/e2e."""

from __future__ import annotations

from pathlib import Path

from homelab.lab.openbao import configuration


def test_it_listens_on_loopback_alone() -> None:
    config = configuration(Path("/x"), port=8200, cluster_port=8300)
    assert config["listener"] == [
        {"tcp": {"address": "127.0.0.1:8200", "cluster_address": "127.0.0.1:8300", "tls_disable": True}}
    ]
