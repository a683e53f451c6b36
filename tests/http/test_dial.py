from __future__ import annotations

import pytest

from homelab.errors import OurBug, UsageError
from homelab.http.dial import DialTransport, parse_dial, route
from homelab.http.lean import httpx
from homelab.http.port import Site


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("10.0.0.1", "10.0.0.1", 443),
        ("10.0.0.1:8443", "10.0.0.1", 8443),
        ("[fd00::1]", "fd00::1", 443),
        ("[fd00::1]:8443", "fd00::1", 8443),
        ("fd00::1", "fd00::1", 443),
        ("[fe80::1%eth0]:8443", "fe80::1%eth0", 8443),
        ("lb.lan", "lb.lan", 443),
        ("lb.lan:8443", "lb.lan", 8443),
        ("bücher.lan", "xn--bcher-kva.lan", 443),
    ],
)
def test_a_dial_names_an_address(text: str, host: str, port: int) -> None:
    assert parse_dial(text, 443) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":443",
        "lb:",
        "lb:x",
        "lb:0",
        "lb:70000",
        "a b",
        "https://lb",
        "lb/x",
        "u@lb",
        "[::1",
        "300.1.2.3",
        "[lb]",
        "a..b",
        "-",
    ],
)
def test_anything_else_is_no_dial(text: str) -> None:
    with pytest.raises(UsageError, match="dial of server cannot be used"):
        parse_dial(text, 443)


@pytest.mark.parametrize(
    "url",
    [
        "ci.example.org",
        "ftp://ci",
        "https://",
        "https://u:hunter2@ci.example.org",
        "https://ci/?a=b",
        "https://ci/#x",
        "https://ci:x",
        "https://ci:0",
        "https://a..b",
        "https://ci x",
        "https://xn--zzz---.x",
        "https://" + "a" * 64,
    ],
)
def test_a_url_that_is_no_server_is_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises(UsageError, match="url of server cannot be used") as caught:
        route(Site(url), with_token=False, env={})
    assert "hunter2" not in str(caught.value.record())


def test_a_token_never_crosses_the_network_unencrypted() -> None:
    with pytest.raises(UsageError, match="a token would cross the network unencrypted"):
        route(Site("http://ci.example.org"), with_token=True, env={})


def test_a_token_never_crosses_the_network_unencrypted_to_a_dialed_address() -> None:
    with pytest.raises(UsageError, match="unencrypted"):
        route(Site("http://localhost", dial="10.0.0.1"), with_token=True, env={})


@pytest.mark.parametrize("site", [Site("http://127.0.0.1:8000"), Site("http://ci.example.org", dial="[::1]:8000")])
def test_a_token_may_stay_on_this_machine_unencrypted(site: Site) -> None:
    assert route(site, with_token=True, env={}).port == 8000


def test_the_port_of_the_url_is_dialed_unless_the_dial_names_one() -> None:
    assert (
        route(Site("https://ci.example.org:8443", dial="10.0.0.1"), with_token=True, env={}).address == "10.0.0.1:8443"
    )


@pytest.mark.parametrize(
    ("url", "path", "target"),
    [
        ("https://ci.example.org", "/api/user", "https://ci.example.org/api/user"),
        ("https://ci.example.org/", "/api/user", "https://ci.example.org/api/user"),
        ("https://example.org/ci/", "/api/a%2Fb?x=1", "https://example.org/ci/api/a%2Fb?x=1"),
        ("https://ci.example.org", "//evil.example/x", "https://ci.example.org//evil.example/x"),
        ("https://ci.example.org.", "/x", "https://ci.example.org/x"),
        ("https://[fd00::1]:8443", "/x#y", "https://[fd00::1]:8443/x%23y"),
    ],
)
def test_a_path_is_asked_below_the_public_url(url: str, path: str, target: str) -> None:
    assert str(route(Site(url), with_token=True, env={}).url(path)) == target


def test_a_path_without_its_slash_is_our_bug() -> None:
    with pytest.raises(OurBug, match="a path without its slash"):
        route(Site("https://ci.example.org"), with_token=True, env={}).url("@evil.example/x")


def test_a_proxy_of_the_environment_is_bypassed_where_dial_is_set() -> None:
    env = {"HTTPS_PROXY": "http://proxy:3128"}
    assert route(Site("https://ci.example.org", dial="10.0.0.1"), with_token=True, env=env).proxy is None
    assert route(Site("https://ci.example.org"), with_token=True, env=env).proxy == "http://proxy:3128"


def sent(site: Site, url: str | None = None) -> httpx.Request:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    way = route(site, with_token=True, env={})
    DialTransport(way, httpx.MockTransport(answer)).handle_request(httpx.Request("GET", url or way.url("/api/user")))
    return seen[0]


@pytest.mark.parametrize(
    ("site", "host", "sni"),
    [
        (Site("https://ci.example.org", dial="10.0.0.1:8443"), "ci.example.org", "ci.example.org"),
        (Site("https://ci.example.org:444", dial="10.0.0.1:8443"), "ci.example.org:444", "ci.example.org"),
        (Site("https://bücher.example", dial="10.0.0.1:8443"), "xn--bcher-kva.example", "xn--bcher-kva.example"),
        (Site("https://[fd00::1]", dial="10.0.0.1:8443"), "[fd00::1]", "fd00::1"),
        (Site("https://ci.example.org.", dial="10.0.0.1:8443"), "ci.example.org", "ci.example.org"),
    ],
    ids=["name", "port", "IDNA", "v6", "rooted"],
)
def test_tcp_goes_to_the_dial_and_host_and_sni_stay_the_urls(site: Site, host: str, sni: str) -> None:
    request = sent(site)
    assert (request.url.host, request.url.port) == ("10.0.0.1", 8443)
    assert request.headers["Host"] == host
    assert request.extensions["sni_hostname"] == sni


@pytest.mark.parametrize("url", ["https://evil.example/", "http://ci.example.org/", "https://ci.example.org:444/"])
def test_a_request_for_another_origin_never_uses_the_connection(url: str) -> None:
    with pytest.raises(OurBug, match="on a connection of ci"):
        sent(Site("https://ci.example.org", dial="10.0.0.1"), url)
