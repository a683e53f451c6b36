from __future__ import annotations

import pytest

from homelab.http.proxies import is_loopback, proxy_for


@pytest.mark.parametrize(
    ("env", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ({"https_proxy": "p:3128", "HTTPS_PROXY": "http://other"}, "http://p:3128"),
        ({"ALL_PROXY": "http://p"}, "http://p"),
        ({"HTTP_PROXY": "http://p"}, None),
        ({"HTTPS_PROXY": " "}, None),
    ],
)
def test_the_environment_names_the_proxy(env: dict[str, str], proxy: str | None) -> None:
    assert proxy_for("https", "ci.example.org", 443, env) == proxy


@pytest.mark.parametrize(
    "exception",
    ["*", "ci.example.org", "example.org", ".example.org", "*.example.org", "x, example.org:443", "CI.Example.Org"],
)
def test_no_proxy_excepts_names_and_domains(exception: str) -> None:
    assert proxy_for("https", "ci.example.org", 443, {"HTTPS_PROXY": "http://p", "NO_PROXY": exception}) is None


@pytest.mark.parametrize(
    "exception",
    ["", ":", "*.", "ample.org", "example.org:8443", "ci.example.org:https", "10.0.0.0/8", "ci.example.org.net"],
)
def test_no_proxy_excepts_nothing_else(exception: str) -> None:
    assert proxy_for("https", "ci.example.org", 443, {"HTTPS_PROXY": "http://p", "no_proxy": exception}) == "http://p"


@pytest.mark.parametrize(
    ("host", "exception"), [("10.1.2.3", "10.0.0.0/8"), ("[fd00::5]", "fd00::/8"), ("10.1.2.3", "10.1.2.3")]
)
def test_no_proxy_excepts_networks(host: str, exception: str) -> None:
    assert proxy_for("https", host, 443, {"HTTPS_PROXY": "http://p", "NO_PROXY": exception}) is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "LOCALHOST."])
def test_this_machine_is_never_reached_through_a_proxy(host: str) -> None:
    assert is_loopback(host)
    assert proxy_for("http", host, 80, {"HTTP_PROXY": "http://p"}) is None


@pytest.mark.parametrize("host", ["localhost.example.org", "128.0.0.1", "10.0.0.1", "fe80::1", "a.localhost"])
def test_other_machines_are_not_this_one(host: str) -> None:
    assert not is_loopback(host)
