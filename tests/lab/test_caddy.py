"""The load balancer's configuration; the running one is in tests/e2e."""

from __future__ import annotations

from pathlib import Path

from homelab.lab.caddy import Certificate, configuration

ROUTES = {"ci.homelab.test": "127.0.0.1:8000"}


def test_streams_are_not_buffered() -> None:
    server = configuration(Path("/x"), ROUTES, port=4443, certificate=None)["apps"]["http"]["servers"]["lab"]
    assert server["routes"][0]["handle"][0]["flush_interval"] == -1


def test_it_listens_on_loopback_alone_and_opens_no_port_80() -> None:
    server = configuration(Path("/x"), ROUTES, port=4443, certificate=None)["apps"]["http"]["servers"]["lab"]
    assert server["listen"] == ["127.0.0.1:4443"]
    assert server["automatic_https"] == {"disable_redirects": True}


def test_nothing_is_installed_and_nothing_can_be_changed_from_outside() -> None:
    config = configuration(Path("/x"), ROUTES, port=4443, certificate=None)
    assert config["apps"]["pki"]["certificate_authorities"]["local"]["install_trust"] is False
    assert config["admin"] == {"disabled": True, "config": {"persist": False}}


def test_a_given_certificate_is_shown_instead_of_issuing_one() -> None:
    given = Certificate(Path("/c.pem"), Path("/k.pem"))
    apps = configuration(Path("/x"), ROUTES, port=4443, certificate=given)["apps"]
    assert apps["tls"]["certificates"]["load_files"][0]["certificate"] == "/c.pem"
    assert apps["http"]["servers"]["lab"]["automatic_https"] == {"disable": True}
